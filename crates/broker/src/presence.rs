//! How a broker notices that it was away itself, so that it takes nobody's lease for that. Where the times are kept is
//! the broker's business.

use pixmill_types::Timestamp;

use crate::{BrokerOptions, policy};

/// When the broker was last seen alive, and since when it is back.
///
/// Somebody claims, renews or reaps every few seconds, so a longer silence than one heartbeat interval means that
/// nobody could, and that a lease which ran out meanwhile says nothing about its holder. A durable broker stores both
/// times and notes every claim, heartbeat and reap in the same atomic step as its effect, so that it also notices
/// across a restart. It may store `last_alive` a little late; that can only make it more patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Presence {
    /// When somebody last claimed, renewed or reaped.
    pub(crate) last_alive: Timestamp,
    /// Until then nobody loses a lease to time alone.
    pub(crate) grace_until: Timestamp,
}

impl Presence {
    /// A broker that holds no lease yet.
    pub(crate) const fn new(now: Timestamp) -> Self {
        Self {
            last_alive: now,
            grace_until: now,
        }
    }

    /// Notes a claim, a heartbeat or a reap: to be called before anything is expired.
    pub(crate) fn note(&mut self, options: &BrokerOptions, now: Timestamp) {
        let interval = policy::heartbeat_interval(options);
        if now.since(self.last_alive) > interval {
            self.grace_until = now.after(interval);
        }
        self.last_alive = now;
    }

    /// Whether a lease that lasts until `expires_at` has run out for good.
    pub(crate) fn is_expired(&self, expires_at: Timestamp, now: Timestamp) -> bool {
        expires_at <= now && self.grace_until <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    #[test]
    fn an_absence_is_noticed_once_and_gives_one_interval() {
        let options = BrokerOptions::default();
        let mut presence = Presence::new(at(0));
        presence.note(&options, at(10));
        assert!(presence.is_expired(at(10), at(10)), "ten seconds are not an absence");
        assert!(!presence.is_expired(at(11), at(10)));

        presence.note(&options, at(100));
        assert!(!presence.is_expired(at(40), at(100)));
        presence.note(&options, at(105));
        assert!(!presence.is_expired(at(40), at(109)));
        presence.note(&options, at(110));
        assert!(presence.is_expired(at(40), at(110)));
    }
}
