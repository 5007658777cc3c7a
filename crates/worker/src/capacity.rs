//! How much a worker may take on: slots, tasks in hand and bytes of memory. Knows nothing of tasks but their cost.
//!
//! A *slot* is taken from the claim until the milling is over; the memory until the outputs are delivered. So the next
//! image is milled while the outputs of the last one are written, and slow storage stops the claiming, not the heap.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::metrics::Metrics;

/// Tasks in hand for each slot: one being milled, two being delivered.
const TASKS_PER_SLOT: usize = 3;

/// The bounds and what is in use of them.
pub(crate) struct Capacity {
    slots: usize,
    budget_bytes: u64,
    used: Mutex<Used>,
    changed: Notify,
    metrics: Arc<Metrics>,
}

#[derive(Default)]
struct Used {
    slots: usize,
    tasks: usize,
    /// Wide enough that no sum of costs, which are whatever a record says, overflows.
    bytes: u128,
}

/// What could be taken on at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Free {
    /// Tasks.
    pub(crate) tasks: usize,
    /// Memory, bytes.
    pub(crate) bytes: u64,
    /// Whether nothing at all is in hand.
    pub(crate) idle: bool,
}

impl Capacity {
    pub(crate) fn new(slots: usize, budget_bytes: u64, metrics: Arc<Metrics>) -> Self {
        metrics.slots.set(slots as f64);
        metrics.busy_slots.set(0.0);
        metrics.memory_budget.set(budget_bytes as f64);
        metrics.memory.set(0.0);
        Self {
            slots,
            budget_bytes,
            used: Mutex::default(),
            changed: Notify::new(),
            metrics,
        }
    }

    pub(crate) fn free(&self) -> Free {
        let used = self.lock();
        let in_hand = (self.slots * TASKS_PER_SLOT).saturating_sub(used.tasks);
        Free {
            tasks: self.slots.saturating_sub(used.slots).min(in_hand),
            bytes: self
                .budget_bytes
                .saturating_sub(u64::try_from(used.bytes).unwrap_or(u64::MAX)),
            idle: used.tasks == 0,
        }
    }

    /// Slots that are taken now.
    pub(crate) fn busy_slots(&self) -> usize {
        self.lock().slots
    }

    /// Waits until `enough` holds. For one waiter at a time: the claim loop.
    pub(crate) async fn until(&self, enough: impl Fn(&Free) -> bool) -> Free {
        loop {
            let free = self.free();
            if enough(&free) {
                return free;
            }
            self.changed.notified().await;
        }
    }

    /// Takes a slot and `bytes` of memory, whether or not they are free: the broker has already handed the task out.
    pub(crate) fn take(self: &Arc<Self>, bytes: u64) -> (SlotPermit, MemoryPermit) {
        self.update(|used| {
            used.slots += 1;
            used.tasks += 1;
            used.bytes += u128::from(bytes);
        });
        let memory = MemoryPermit {
            capacity: Arc::clone(self),
            bytes,
        };
        (SlotPermit(Arc::clone(self)), memory)
    }

    fn update(&self, change: impl FnOnce(&mut Used)) {
        let mut used = self.lock();
        change(&mut used);
        self.metrics.busy_slots.set(used.slots as f64);
        self.metrics.memory.set(used.bytes as f64);
    }

    fn give_back(&self, change: impl FnOnce(&mut Used)) {
        self.update(change);
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A slot that is taken; dropping it frees the slot.
pub(crate) struct SlotPermit(Arc<Capacity>);

impl Drop for SlotPermit {
    fn drop(&mut self) {
        self.0.give_back(|used| used.slots -= 1);
    }
}

/// Memory that is taken by one task in hand; dropping it frees both.
pub(crate) struct MemoryPermit {
    capacity: Arc<Capacity>,
    bytes: u64,
}

impl MemoryPermit {
    /// Gives back all but `bytes`.
    pub(crate) fn shrink_to(&mut self, bytes: u64) {
        let Some(freed @ 1..) = self.bytes.checked_sub(bytes) else {
            return;
        };
        self.bytes = bytes;
        self.capacity.give_back(|used| used.bytes -= u128::from(freed));
    }
}

impl Drop for MemoryPermit {
    fn drop(&mut self) {
        self.capacity.give_back(|used| {
            used.tasks -= 1;
            used.bytes -= u128::from(self.bytes);
        });
    }
}
