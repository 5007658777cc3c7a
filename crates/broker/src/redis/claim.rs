//! Workers take tasks.

use std::sync::atomic::Ordering;
use std::time::Duration;

use pixmill_types::Timestamp;
use redis::{Value, cmd};

use super::RedisBroker;
use super::link::Repeat;
use super::record::{Record, lease_id, optional_timestamp, timestamp};
use super::script;
use super::submit::value;
use crate::hub::{Topic, Waiting};
use crate::{BrokerError, ClaimRequest, Claimed, Lease, policy};

/// How often a waiting claim looks although nothing woke it: a token may have woken a process that could not use it.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);
/// Leases one script grants at most: its arguments are bounded.
const MAX_LEASES: usize = 256;

/// What one look at one partition brought.
struct Look {
    now: Timestamp,
    claimed: Claimed,
}

impl RedisBroker {
    /// Leases what fits, and waits for it while there is nothing.
    pub(super) async fn claim_tasks(&self, request: ClaimRequest) -> Result<Claimed, BrokerError> {
        let topic = Topic::Queue(request.queue.clone());
        let mut waiting = Waiting::new(self.hub.subscribe(topic), request.wait);
        loop {
            let Look { now, claimed } = self.look(&request).await?;
            if !claimed.leases.is_empty() {
                return Ok(claimed);
            }
            let due_in = claimed.next_due.map_or(LOOK_INTERVAL, |due| due.since(now));
            let pause = due_in.clamp(Duration::from_millis(1), LOOK_INTERVAL);
            if waiting.is_over_within(pause).await {
                return Ok(claimed);
            }
        }
    }

    /// Asks one partition after the other, each time beginning with the next, until all slots are filled.
    async fn look(&self, request: &ClaimRequest) -> Result<Look, BrokerError> {
        let partitions = self.partitions();
        let first = self.turn.fetch_add(1, Ordering::Relaxed) % partitions;
        let mut order: Vec<usize> = (0..partitions).map(|step| (first + step) % partitions).collect();
        if partitions > 1 {
            let granted = self.granted_before(request).await?;
            if !granted.is_empty() {
                order = granted;
            }
        }
        let mut left = request.clone();
        let mut all: Option<Look> = None;
        for partition in order {
            let look = self.look_into(&left, partition).await?;
            for lease in &look.claimed.leases {
                left.max_tasks = left.max_tasks.saturating_sub(1);
                left.max_bytes = left.max_bytes.saturating_sub(lease.task.cost_bytes);
                left.idle = false;
            }
            all = Some(match all {
                None => look,
                Some(before) => before.join(look),
            });
            if left.max_tasks == 0 {
                break;
            }
        }
        all.ok_or_else(|| BrokerError::Corrupt("there is no partition".to_owned()))
    }

    /// The partitions in which the same request was granted something before.
    async fn granted_before(&self, request: &ClaimRequest) -> Result<Vec<usize>, BrokerError> {
        let mut granted = Vec::new();
        for (partition, root) in self.roots.iter().enumerate() {
            let mut ask = cmd("HEXISTS");
            ask.arg(format!("{root}:asked:{}", request.worker))
                .arg(request.request.to_string());
            if self.link.command::<bool>(&ask).await? {
                granted.push(partition);
            }
        }
        Ok(granted)
    }

    async fn look_into(&self, request: &ClaimRequest, partition: usize) -> Result<Look, BrokerError> {
        let slots = request.max_tasks.min(MAX_LEASES);
        let mut call = self
            .call(&script::CLAIM, partition)
            .arg(request.queue.as_str())
            .arg(request.worker.as_str())
            .arg(request.request.to_string())
            .arg(slots)
            .arg(request.max_bytes)
            .arg(u8::from(request.idle))
            .arg(policy::MAX_PASSED_OVER);
        for _ in 0..slots {
            call = call.arg(self.fresh_lease(partition).to_string());
        }
        let answer: Vec<Value> = self.link.write(&call, Repeat::Harmless).await?;
        let mut answer = answer.into_iter();
        let now = timestamp("now", &value::<String>(answer.next())?)?;
        let next_due = optional_timestamp("ready", &value::<String>(answer.next())?)?;
        let mut leases = Vec::new();
        while let Some(lease) = answer.next() {
            leases.push(Lease {
                id: lease_id(&value::<String>(Some(lease))?)?,
                expires_at: timestamp("expires", &value::<String>(answer.next())?)?,
                task: value::<Record>(answer.next())?.into_task()?,
                duration: self.options.lease,
            });
        }
        Ok(Look {
            now,
            claimed: Claimed { leases, next_due },
        })
    }
}

impl Look {
    fn join(mut self, later: Self) -> Self {
        self.claimed.leases.extend(later.claimed.leases);
        let both = [self.claimed.next_due, later.claimed.next_due];
        self.claimed.next_due = both.into_iter().flatten().min();
        self
    }
}
