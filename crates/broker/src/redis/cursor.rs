//! Cursors into a log and a listing that lie in several partitions: a place in each.

use pixmill_types::EventCursor;

use crate::{BrokerError, ListCursor};

/// A place in one partition's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Tells this log from one that was lost with its server.
    pub(super) epoch: u64,
    /// The event's number; 0 is before the first.
    pub(super) number: u64,
}

impl Place {
    /// Before the oldest event that is kept, whichever that is: nothing is missed from here.
    pub(super) const OLDEST: Self = Self { epoch: 0, number: 0 };

    /// Whether it is that place.
    pub(super) fn is_oldest(self) -> bool {
        self == Self::OLDEST
    }
}

/// Writes a place in each partition.
pub(super) fn to_event_cursor(places: &[Place]) -> EventCursor {
    let texts: Vec<String> = places
        .iter()
        .map(|place| format!("{:x}-{}", place.epoch, place.number))
        .collect();
    EventCursor(texts.join("."))
}

/// Reads what [`to_event_cursor`] wrote.
pub(super) fn parse_event_cursor(cursor: &EventCursor, partitions: usize) -> Result<Vec<Place>, BrokerError> {
    let place = |text: &str| {
        let (epoch, number) = text.split_once('-')?;
        Some(Place {
            epoch: u64::from_str_radix(epoch, 16).ok()?,
            number: number.parse().ok()?,
        })
    };
    let places: Option<Vec<Place>> = cursor.0.split('.').map(place).collect();
    places
        .filter(|places| places.len() == partitions && to_event_cursor(places) == *cursor)
        .ok_or(BrokerError::InvalidCursor)
}

/// A place in a listing: the order of arrival, and the partition among those of equal arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Arrival {
    pub(super) number: u64,
    pub(super) partition: usize,
}

impl Arrival {
    /// As callers see it.
    pub(super) fn to_cursor(self) -> ListCursor {
        ListCursor(format!("{:x}.{}", self.number, self.partition))
    }

    /// Reads what [`Arrival::to_cursor`] wrote.
    pub(super) fn parse(cursor: &ListCursor) -> Result<Self, BrokerError> {
        let parse = || {
            let (number, partition) = cursor.0.split_once('.')?;
            Some(Self {
                number: u64::from_str_radix(number, 16).ok()?,
                partition: partition.parse().ok()?,
            })
        };
        parse()
            .filter(|place| place.to_cursor() == *cursor)
            .ok_or(BrokerError::InvalidCursor)
    }

    /// The bound below which `partition` goes on, in the manner of ZREVRANGEBYSCORE.
    pub(super) fn bound_in(self, partition: usize) -> String {
        if partition < self.partition {
            self.number.to_string()
        } else {
            format!("({}", self.number)
        }
    }
}
