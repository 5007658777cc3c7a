//! The milling threads: one a slot, at low priority, each doing one piece of work after the other. Knows nothing of
//! what the work is.

use std::collections::VecDeque;
use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;

/// Added to the nice value of a milling thread, so that the threads that answer requests and write to the disk come
/// first whenever both want the processor.
#[cfg(target_os = "linux")]
const NICER_BY: i32 = 10;

type Work = Box<dyn FnOnce() + Send>;

/// Hands work to the threads.
#[derive(Clone)]
pub(crate) struct Slots {
    queue: Arc<Queue>,
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    /// Bounded by the slots that the claim loop gives out.
    work: VecDeque<Work>,
    closed: bool,
}

/// The work did not end: it panicked, or the threads are gone.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unfinished;

impl Slots {
    /// Starts `count` threads, each of which counts in `alive` as long as it lives.
    ///
    /// # Errors
    /// The operating system's, when it refuses a thread; those that started end again.
    pub(crate) fn start(count: usize, alive: &TaskTracker) -> io::Result<(Self, Vec<JoinHandle<()>>)> {
        let slots = Self { queue: Arc::default() };
        let threads = (0..count)
            .map(|number| {
                let queue = Arc::clone(&slots.queue);
                let token = alive.token();
                thread::Builder::new()
                    .name(format!("pixmill-mill-{number}"))
                    .spawn(move || {
                        let _token = token;
                        run(&queue);
                    })
            })
            .collect::<io::Result<Vec<_>>>()
            .inspect_err(|_| slots.close())?;
        Ok((slots, threads))
    }

    /// Has a thread do `work`, and waits for what it brings.
    ///
    /// # Cancel safety
    /// Dropping the future does not stop the work; what it brings is dropped.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Unfinished> {
        let (sender, receiver) = oneshot::channel();
        self.queue.push(Box::new(move || {
            // Nobody waits any more when the attempt was called off meanwhile.
            drop(sender.send(work()));
        }));
        // A panic drops the sender while it unwinds.
        receiver.await.map_err(|_| Unfinished)
    }

    /// Ends the threads, each when what it does is done. Work that waits is dropped.
    pub(crate) fn close(&self) {
        let dropped = {
            let mut waiting = self.queue.lock();
            waiting.closed = true;
            std::mem::take(&mut waiting.work)
        };
        drop(dropped);
        self.queue.changed.notify_all();
    }
}

impl Queue {
    fn push(&self, work: Work) {
        {
            let mut waiting = self.lock();
            if waiting.closed {
                return;
            }
            waiting.work.push_back(work);
        }
        self.changed.notify_one();
    }

    /// The next work; `None` when there will be none.
    fn next(&self) -> Option<Work> {
        let mut waiting = self.lock();
        loop {
            if let Some(work) = waiting.work.pop_front() {
                return Some(work);
            }
            if waiting.closed {
                return None;
            }
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn run(queue: &Queue) {
    lower_priority();
    while let Some(work) = queue.next() {
        // The panic hook has reported it; the owner of the work learns of it by its closed channel.
        drop(std::panic::catch_unwind(AssertUnwindSafe(work)));
    }
}

#[cfg(target_os = "linux")]
fn lower_priority() {
    // On Linux the nice value belongs to the thread, whatever POSIX says.
    if let Err(error) = rustix::process::nice(NICER_BY) {
        tracing::debug!(%error, "a milling thread keeps its priority");
    }
}

/// Elsewhere the nice value is the whole process's: lowering it would gain nothing.
#[cfg(not(target_os = "linux"))]
fn lower_priority() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_told_and_the_thread_survives() {
        let (slots, threads) = Slots::start(1, &TaskTracker::new()).unwrap();
        assert_eq!(slots.run(|| -> u8 { panic!("of the test") }).await, Err(Unfinished));
        assert_eq!(slots.run(|| 7).await, Ok(7));
        slots.close();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(slots.run(|| 7).await, Err(Unfinished), "after the end");
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn only_milling_threads_are_nicer() {
        let nice = || rustix::process::getpriority_process(None).unwrap();
        let before = nice();
        let (slots, _threads) = Slots::start(1, &TaskTracker::new()).unwrap();
        assert_eq!(slots.run(nice).await, Ok((before + NICER_BY).min(19)));
        assert_eq!(nice(), before);
        slots.close();
    }
}
