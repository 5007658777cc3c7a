//! The claim loop: asks for as many tasks as there are free slots and memory for, and starts them. No prefetch.
//!
//! It waits at the broker, which wakes it. Two things call it back from there: more memory (or an idle worker, which
//! may take a task of any size) can make a task fit that was passed over, and a drain. A further free slot does not: a
//! wait means that nothing fitted into the one slot offered, and the next task ends the wait at once.
//!
//! A call that was cut short may have taken leases whose reply nobody read. Until one reply was read, every further
//! call therefore carries the same [`RequestId`]: it brings these leases, or is a claim like any other.

use std::sync::Arc;
use std::time::Duration;

use pixmill_broker::{BrokerError, ClaimRequest, Claimed, Lease};
use pixmill_types::RequestId;

use crate::attempt::{self, Holding};
use crate::backoff::{Backoff, LONGEST, Outage};
use crate::capacity::Free;
use crate::context::Context;
use crate::{settle, store};

/// How long one call waits at the broker. Long, since waiting costs nothing; not for ever, since connections die
/// without a sign.
const WAIT: Duration = Duration::from_secs(30);
/// Tries to learn in a drain what a claim that was cut short brought.
const LAST_TRIES: usize = 3;

/// Claims until the drain begins.
pub(crate) async fn run(context: Arc<Context>) {
    let mut claims = Claims {
        context: &context,
        request: fresh(),
        unread: false,
        outage: Outage::new("claim loop: broker"),
        backoff: Backoff::up_to(LONGEST),
    };
    claims.until_drain().await;
    if claims.unread {
        claims.give_back_unread().await;
    }
}

struct Claims<'a> {
    context: &'a Arc<Context>,
    /// Names the claim under way.
    request: RequestId,
    /// Whether a call of this name was made and no reply to it read.
    unread: bool,
    outage: Outage,
    backoff: Backoff,
}

impl Claims<'_> {
    async fn until_drain(&mut self) {
        let context = self.context;
        loop {
            tokio::select! {
                biased;
                () = context.draining.cancelled() => return,
                () = store::until_usable(context) => {}
            }
            let free = tokio::select! {
                biased;
                () = context.draining.cancelled() => return,
                free = context.capacity.until(|free| free.tasks > 0 && (free.bytes > 0 || free.idle)) => free,
            };
            let call = self.call(free, WAIT);
            self.unread = true;
            let reply = tokio::select! {
                biased;
                reply = call => reply,
                () = context.draining.cancelled() => return,
                _ = context.capacity.until(|now| self.is_worth_asking_again(free, *now)) => continue,
            };
            match reply {
                Ok(claimed) => self.start(claimed).await,
                Err(error) => {
                    self.outage.report(&error);
                    tokio::select! {
                        () = context.draining.cancelled() => return,
                        () = tokio::time::sleep(self.backoff.next_delay()) => {}
                    }
                }
            }
        }
    }

    fn call(&self, free: Free, wait: Duration) -> impl Future<Output = Result<Claimed, BrokerError>> + use<> {
        let broker = Arc::clone(&self.context.broker);
        let request = ClaimRequest {
            queue: self.context.options.queue.clone(),
            worker: self.context.options.id.clone(),
            request: self.request,
            max_tasks: free.tasks,
            max_bytes: free.bytes,
            idle: free.idle,
            wait,
        };
        async move { broker.claim(request).await }
    }

    /// Whether a task that did not fit into what was offered may fit now.
    fn is_worth_asking_again(&self, offered: Free, now: Free) -> bool {
        let largest_task = self.context.options.limits.max_task_memory_bytes;
        (now.idle && !offered.idle) || (now.bytes > offered.bytes && offered.bytes < largest_task)
    }

    async fn start(&mut self, claimed: Claimed) {
        self.outage.over();
        self.backoff.reset();
        self.request = fresh();
        self.unread = false;
        for lease in claimed.leases {
            if self.context.draining.is_cancelled() {
                give_back(self.context, lease).await;
            } else {
                start(self.context, lease);
            }
        }
    }

    async fn give_back_unread(&mut self) {
        let free = Free {
            tasks: 1,
            bytes: 0,
            idle: false,
        };
        for _ in 0..LAST_TRIES {
            match self.call(free, Duration::ZERO).await {
                Ok(claimed) => {
                    for lease in claimed.leases {
                        give_back(self.context, lease).await;
                    }
                    return;
                }
                Err(error) => self.outage.report(&error),
            }
            tokio::select! {
                () = self.context.giving_up.cancelled() => return,
                () = tokio::time::sleep(self.backoff.next_delay()) => {}
            }
        }
    }
}

fn start(context: &Arc<Context>, lease: Lease) {
    let (slot, memory) = context.capacity.take(lease.task.cost_bytes);
    let Some(registration) = context.running.enter(lease) else {
        return;
    };
    let holding = Holding {
        registration,
        slot,
        memory,
    };
    context.attempts.spawn(attempt::run(Arc::clone(context), holding));
}

async fn give_back(context: &Context, lease: Lease) {
    if let Some(registration) = context.running.enter(lease) {
        settle::release(context, registration.attempt()).await;
    }
}

fn fresh() -> RequestId {
    RequestId::from_bits(rand::random())
}
