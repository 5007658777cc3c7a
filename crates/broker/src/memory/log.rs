//! The event log: a bounded run of events, and the cursors that point into it.

use std::collections::{HashMap, VecDeque};

use pixmill_types::{Event, EventCursor, TaskId};

use crate::{BrokerError, EventPage, EventQuery, policy};

/// Events in order. The one at index `i` has the number `first + i`.
#[derive(Debug)]
pub(super) struct EventLog {
    /// Tells this log's cursors from those of a broker that is gone, with its events.
    epoch: u64,
    first: u64,
    events: VecDeque<Event>,
    by_task: HashMap<TaskId, VecDeque<u64>>,
}

impl EventLog {
    /// An empty log.
    pub(super) fn new() -> Self {
        Self {
            epoch: rand::random(),
            first: 1,
            events: VecDeque::new(),
            by_task: HashMap::new(),
        }
    }

    /// Appends the event that `make` makes of its cursor, and trims the log to `max_events`, at least one.
    pub(super) fn append(&mut self, max_events: u64, make: impl FnOnce(EventCursor) -> Event) {
        let number = self.first + self.events.len() as u64;
        let event = make(self.cursor(number));
        self.by_task.entry(event.task).or_default().push_back(number);
        self.events.push_back(event);
        while self.events.len() as u64 > max_events.max(1) {
            self.trim_one();
        }
    }

    fn trim_one(&mut self) {
        let Some(trimmed) = self.events.pop_front() else { return };
        self.first += 1;
        if let Some(numbers) = self.by_task.get_mut(&trimmed.task) {
            numbers.pop_front();
            if numbers.is_empty() {
                self.by_task.remove(&trimmed.task);
            }
        }
    }

    /// Reads what `query` asks for; empty when there is nothing yet.
    pub(super) fn read(&self, query: &EventQuery) -> Result<EventPage, BrokerError> {
        let last = self.first + self.events.len() as u64 - 1;
        let after = match query.after.as_ref().map(parse).transpose()? {
            None => self.first - 1,
            Some((epoch, number)) if epoch != self.epoch || number < self.first - 1 => {
                return Ok(EventPage::Gap {
                    resume: self.cursor(self.first - 1),
                });
            }
            Some((_, number)) if number > last => return Err(BrokerError::InvalidCursor),
            Some((_, number)) => number,
        };
        let event = |number: u64| self.events.get(usize::try_from(number - self.first).ok()?);
        let limit = query.limit.clamp(1, policy::MAX_PAGE);
        let events = match query.task {
            None => (after + 1..=last).filter_map(event).take(limit).cloned().collect(),
            Some(task) => {
                let numbers = self.by_task.get(&task).into_iter().flatten().copied();
                let unread = numbers.filter(|number| *number > after);
                unread.filter_map(event).take(limit).cloned().collect()
            }
        };
        Ok(EventPage::Events(events))
    }

    fn cursor(&self, number: u64) -> EventCursor {
        EventCursor(format!("{:016x}-{number:016x}", self.epoch))
    }
}

fn parse(cursor: &EventCursor) -> Result<(u64, u64), BrokerError> {
    let well_formed = cursor.0.len() == 33 && cursor.0.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit());
    let parts = cursor.0.split_once('-').filter(|_| well_formed);
    let number = |text: &str| u64::from_str_radix(text, 16).ok();
    parts
        .and_then(|(epoch, event)| Some((number(epoch)?, number(event)?)))
        .ok_or(BrokerError::InvalidCursor)
}
