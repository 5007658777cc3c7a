//! Reads that span partitions: the listing, the counts and the event log.

use pixmill_types::{Event, IdempotencyKey, QueueName, Task, TaskId, TaskState, Timestamp};
use redis::{Value, cmd};

use std::collections::{BTreeMap, HashMap};

use super::RedisBroker;
use super::cursor::{Arrival, Place, parse_event_cursor, to_event_cursor};
use super::record::{Record, corrupt, optional_timestamp, parse, timestamp};
use super::script;
use super::submit::value;
use crate::{BrokerError, EndedQuery, EventPage, EventQuery, ListQuery, Page, QueueStats, Stats, event_kind, policy};

impl RedisBroker {
    /// Reads one record as it is stored.
    pub(super) async fn find(&self, task: TaskId) -> Result<Record, BrokerError> {
        let mut read = cmd("HGETALL");
        read.arg(format!("{}:task:{task}", self.roots[self.partition_of(task)]));
        let record: Record = self.link.command(&read).await?;
        if record.is_missing() {
            return Err(BrokerError::NotFound(task));
        }
        Ok(record)
    }

    /// Which of `tasks` have a record.
    pub(super) async fn which_are_known(&self, tasks: &[TaskId]) -> Result<Vec<bool>, BrokerError> {
        let mut known = Vec::with_capacity(tasks.len());
        for task in tasks {
            let mut ask = cmd("EXISTS");
            ask.arg(format!("{}:task:{task}", self.roots[self.partition_of(*task)]));
            known.push(self.link.command(&ask).await?);
        }
        Ok(known)
    }

    /// Whether a client's key stands for a task that has a record.
    pub(super) async fn is_key_used(&self, key: &IdempotencyKey) -> Result<bool, BrokerError> {
        let call = self.call(&script::USED, self.partition_of_key(key)).arg(key.as_str());
        let answer: Vec<String> = self.link.read(&call).await?;
        match answer.first() {
            Some(task) => Ok(self.which_are_known(&[parse("task", task)?]).await? == [true]),
            None => Ok(false),
        }
    }

    /// Lists records, newest first.
    pub(super) async fn list_tasks(&self, query: &ListQuery) -> Result<Page, BrokerError> {
        let limit = query.limit.clamp(1, policy::MAX_PAGE);
        let after = query.after.as_ref().map(Arrival::parse).transpose()?;
        let mut newest = Vec::new();
        for partition in 0..self.partitions() {
            let below = after.map_or_else(|| "+inf".to_owned(), |place| place.bound_in(partition));
            let call = self
                .call(&script::LIST, partition)
                .arg(query.queue.as_ref().map_or("", QueueName::as_str))
                .arg(query.state.map_or("", TaskState::as_str))
                .arg(below)
                // One more than the page tells whether there is a next one.
                .arg(limit + 1)
                .arg(&TaskState::ALL.map(TaskState::as_str)[..]);
            let answer: Vec<Value> = self.link.read(&call).await?;
            let mut answer = answer.into_iter();
            while let Some(number) = answer.next() {
                let place = Arrival {
                    number: parse("arrival", &value::<String>(Some(number))?)?,
                    partition,
                };
                newest.push((place, value::<Record>(answer.next())?));
            }
        }
        newest.sort_by_key(|(place, _)| std::cmp::Reverse(*place));
        let has_more = newest.len() > limit;
        newest.truncate(limit);
        let next = newest.last().filter(|_| has_more).map(|(place, _)| place.to_cursor());
        let tasks = newest.into_iter().map(|(_, record)| record.into_task());
        Ok(Page {
            tasks: tasks.collect::<Result<_, _>>()?,
            next,
        })
    }

    /// Reads failed and cancelled tasks by when they ended.
    pub(super) async fn list_ended(&self, query: &EndedQuery) -> Result<Vec<Task>, BrokerError> {
        let limit = query.limit.clamp(1, policy::MAX_PAGE);
        let since = format!("{:016}", query.since.as_millis());
        let from = match query.after {
            Some(task) => format!("({since}:{task}"),
            None => format!("[{since}"),
        };
        let mut ended = Vec::new();
        for partition in 0..self.partitions() {
            let call = self
                .call(&script::ENDED, partition)
                .arg(query.queue.as_str())
                .arg(&from)
                .arg(limit);
            let records: Vec<Record> = self.link.read(&call).await?;
            for record in records {
                ended.push(record.into_task()?);
            }
        }
        ended.sort_by_key(|task| (task.finished_at, task.id));
        ended.truncate(limit);
        Ok(ended)
    }

    /// Counts.
    pub(super) async fn count(&self) -> Result<Stats, BrokerError> {
        let mut queues: BTreeMap<QueueName, QueueStats> = BTreeMap::new();
        let mut pending_deletions = 0;
        let mut now = Timestamp::from_millis(0);
        for partition in 0..self.partitions() {
            let call = self
                .call(&script::STATS, partition)
                .arg(&TaskState::ALL.map(TaskState::as_str)[..]);
            let answer: Vec<Value> = self.link.read(&call).await?;
            let mut answer = answer.into_iter();
            now = now.max(timestamp("now", &value::<String>(answer.next())?)?);
            pending_deletions += value::<u64>(answer.next())?;
            for row in answer {
                let row = queue_stats(value(Some(row))?, now)?;
                match queues.entry(row.queue.clone()) {
                    std::collections::btree_map::Entry::Vacant(place) => {
                        place.insert(row);
                    }
                    std::collections::btree_map::Entry::Occupied(mut place) => add(place.get_mut(), &row),
                }
            }
        }
        let has_tasks =
            |row: &QueueStats| row.ready + row.delayed + row.running + row.completed + row.failed + row.cancelled > 0;
        Ok(Stats {
            now,
            queues: queues.into_values().filter(has_tasks).collect(),
            pending_deletions,
        })
    }

    /// Reads the event log once.
    pub(super) async fn read_events(&self, query: &EventQuery) -> Result<EventPage, BrokerError> {
        let partitions = self.partitions();
        let mut places = match &query.after {
            Some(cursor) => parse_event_cursor(cursor, partitions)?,
            None => vec![Place::OLDEST; partitions],
        };
        let wanted = match query.task {
            Some(task) => self.partition_of(task)..self.partition_of(task) + 1,
            None => 0..partitions,
        };
        let limit = query.limit.clamp(1, policy::MAX_PAGE);
        let mut found: Vec<(usize, Place, RawEvent)> = Vec::new();
        let mut is_gap = false;
        for partition in wanted {
            let log = self.read_log(partition, places[partition], limit, query.task).await?;
            match log {
                Log::Gap(resume) => {
                    is_gap = true;
                    places[partition] = resume;
                }
                Log::Events(events) => found.extend(events.into_iter().map(|(place, raw)| (partition, place, raw))),
            }
        }
        if is_gap {
            return Ok(EventPage::Gap {
                resume: to_event_cursor(&places),
            });
        }
        // Stable: those of one partition keep their order whatever its clock says.
        if partitions > 1 {
            found.sort_by_key(|(_, _, raw)| raw.at);
        }
        let mut events = Vec::new();
        for (partition, place, raw) in found.into_iter().take(limit) {
            places[partition] = place;
            events.push(raw.into_event(&places)?);
        }
        Ok(EventPage::Events(events))
    }

    async fn read_log(
        &self,
        partition: usize,
        after: Place,
        limit: usize,
        task: Option<TaskId>,
    ) -> Result<Log, BrokerError> {
        let number = if after.is_oldest() {
            String::new()
        } else {
            after.number.to_string()
        };
        let call = self
            .call(&script::EVENTS, partition)
            .arg(number)
            .arg(limit)
            .arg(task.map_or_else(String::new, |task| task.to_string()))
            .arg(format!("{:x}", rand::random::<u64>() | 1));
        let answer: Vec<Value> = self.link.read(&call).await?;
        let mut answer = answer.into_iter();
        let epoch: String = value(answer.next())?;
        let epoch = u64::from_str_radix(&epoch, 16).map_err(|_| corrupt("the log's epoch is not a number"))?;
        let before_first: u64 = parse("event", &value::<String>(answer.next())?)?;
        let last: u64 = parse("event", &value::<String>(answer.next())?)?;
        let is_lost = after.epoch != epoch || after.number < before_first || after.number > last;
        if !after.is_oldest() && is_lost {
            return Ok(Log::Gap(Place {
                epoch,
                number: before_first,
            }));
        }
        let mut events = Vec::new();
        for row in answer {
            let (number, fields): (String, HashMap<String, String>) = value(Some(row))?;
            let place = Place {
                epoch,
                number: parse("event", &number)?,
            };
            events.push((place, RawEvent::read(fields)?));
        }
        Ok(Log::Events(events))
    }
}

/// What one partition's log has to say.
enum Log {
    Events(Vec<(Place, RawEvent)>),
    Gap(Place),
}

/// An event without its cursor.
struct RawEvent {
    at: Timestamp,
    fields: HashMap<String, String>,
}

impl RawEvent {
    fn read(fields: HashMap<String, String>) -> Result<Self, BrokerError> {
        let at = fields.get("at").ok_or_else(|| corrupt("an event has no time"))?;
        Ok(Self {
            at: timestamp("at", at)?,
            fields,
        })
    }

    fn into_event(self, places: &[Place]) -> Result<Event, BrokerError> {
        let field = |name: &str| {
            let text = self.fields.get(name).map(String::as_str);
            text.ok_or_else(|| corrupt(format!("an event has no field {name}")))
        };
        let code = Some(field("code")?).filter(|code| !code.is_empty());
        let kind = field("kind")?;
        Ok(Event {
            cursor: to_event_cursor(places),
            at: self.at,
            task: parse("task", field("task")?)?,
            queue: parse("queue", field("queue")?)?,
            attempt: parse("attempt", field("attempt")?)?,
            kind: event_kind::parse(kind, code)
                .ok_or_else(|| corrupt(format!("an event's kind {kind:?} is unknown")))?,
        })
    }
}

fn queue_stats(row: Vec<Value>, now: Timestamp) -> Result<QueueStats, BrokerError> {
    let mut row = row.into_iter();
    let queue = parse("queue", &value::<String>(row.next())?)?;
    let due: u64 = value(row.next())?;
    let delayed: u64 = value(row.next())?;
    let oldest_waiting = optional_timestamp("the oldest that waits", &value::<String>(row.next())?)?;
    let oldest_due = optional_timestamp("the oldest that is due", &value::<String>(row.next())?)?;
    let oldest_running = optional_timestamp("the oldest that runs", &value::<String>(row.next())?)?;
    let counts: Vec<u64> = row.map(|count| value(Some(count))).collect::<Result<_, _>>()?;
    let count = |state: TaskState| counts.get(state as usize).copied().unwrap_or(0);
    Ok(QueueStats {
        queue,
        ready: count(TaskState::Queued).saturating_sub(delayed) + due,
        delayed: delayed - due,
        running: count(TaskState::Running),
        completed: count(TaskState::Completed),
        failed: count(TaskState::Failed),
        cancelled: count(TaskState::Cancelled),
        oldest_ready: [oldest_waiting, oldest_due.filter(|due| *due <= now)]
            .into_iter()
            .flatten()
            .min(),
        oldest_running,
    })
}

/// Adds the counts of another partition.
fn add(sum: &mut QueueStats, row: &QueueStats) {
    let earlier = |left: Option<Timestamp>, right: Option<Timestamp>| [left, right].into_iter().flatten().min();
    sum.ready += row.ready;
    sum.delayed += row.delayed;
    sum.running += row.running;
    sum.completed += row.completed;
    sum.failed += row.failed;
    sum.cancelled += row.cancelled;
    sum.oldest_ready = earlier(sum.oldest_ready, row.oldest_ready);
    sum.oldest_running = earlier(sum.oldest_running, row.oldest_running);
}
