//! Hears of what others did, and wakes those of this process who wait for it.
//!
//! Two tasks a partition, each with a connection of its own that may block: one pops the wake lists of the queues and
//! workers that somebody here waits for, one follows the log while somebody waits for events. A token in a list wakes
//! one process; inside it, all who wait look.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use pixmill_types::TaskId;
use redis::{Cmd, RedisError, Value, cmd};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use super::address::{Connection, Purpose};
use super::link::Link;
use crate::changes::Changes;
use crate::hub::{Hub, Topic};

/// How long one blocking command waits; then it is sent again.
const BLOCK: Duration = Duration::from_secs(10);
/// A server that says nothing for so long after that is gone.
const SILENCE: Duration = Duration::from_secs(15);
/// Pause after an error.
const PAUSE: Duration = Duration::from_millis(200);
/// Events read at once.
const MAX_EVENTS: usize = 500;

/// The tasks; they end when this is dropped.
#[derive(Debug)]
pub(super) struct Wakers(Vec<AbortHandle>);

impl Wakers {
    /// Starts them for the partitions of these roots.
    pub(super) fn start(link: &Arc<Link>, hub: &Arc<Hub>, roots: &[String]) -> Self {
        let wakers = roots.iter().flat_map(|root| {
            let waker = Waker {
                link: Arc::clone(link),
                hub: Arc::clone(hub),
                root: root.clone(),
                interest: hub.interest(),
                connection: None,
            };
            let nudge = format!("{root}:nudge:{:016x}", rand::random::<u64>());
            let tokens = tokio::spawn(waker.clone().follow_lists(nudge)).abort_handle();
            let events = tokio::spawn(waker.follow_log()).abort_handle();
            [tokens, events]
        });
        Self(wakers.collect())
    }
}

impl Drop for Wakers {
    fn drop(&mut self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}

#[derive(Clone)]
struct Waker {
    link: Arc<Link>,
    hub: Arc<Hub>,
    root: String,
    interest: watch::Receiver<()>,
    connection: Option<Connection>,
}

impl Waker {
    /// Pops the wake lists of what is waited for, for ever.
    async fn follow_lists(mut self, nudge: String) {
        loop {
            self.interest.borrow_and_update();
            let lists = self.lists();
            if lists.is_empty() {
                // The hub lives as long as this task.
                let _ = self.interest.changed().await;
                continue;
            }
            if let Err(error) = self.pop(&lists, &nudge).await {
                self.rest(&error).await;
            }
        }
    }

    async fn pop(&mut self, lists: &HashMap<String, Topic>, nudge: &str) -> Result<(), RedisError> {
        let mut pop = cmd("BLPOP");
        pop.arg(nudge);
        lists.keys().for_each(|list| {
            pop.arg(list);
        });
        pop.arg(BLOCK.as_secs());
        let mut connection = self.connected().await?;
        let popping = send(&mut connection, &pop);
        tokio::pin!(popping);
        let answer = loop {
            tokio::select! {
                answer = &mut popping => break answer?,
                _ = self.interest.changed() => {
                    // A pop that was given up could swallow a token: it is ended through a list of its own.
                    if self.lists().keys().any(|list| !lists.contains_key(list)) {
                        self.nudge(nudge).await;
                    }
                }
            }
        };
        let popped: Option<(String, String)> = redis::from_redis_value(answer)?;
        if let Some((list, _)) = popped
            && let Some(topic) = lists.get(&list)
        {
            self.tell(&list, topic).await;
        }
        Ok(())
    }

    async fn tell(&self, list: &str, topic: &Topic) {
        if !self.hub.awaited().contains(topic) {
            // Whoever waited here has gone: the token is another process's.
            let mut give_back = cmd("RPUSH");
            give_back.arg(list).arg(1);
            if let Err(error) = self.link.command::<i64>(&give_back).await {
                tracing::debug!(%error, "a wake token was lost: others look again soon");
            }
            return;
        }
        let mut changes = Changes::default();
        match topic {
            Topic::Queue(queue) => changes.queue(queue),
            Topic::Worker(worker) => changes.worker(worker),
            Topic::Task(_) | Topic::AllTasks => {}
        }
        self.hub.publish(&changes);
    }

    async fn nudge(&self, nudge: &str) {
        let mut push = cmd("RPUSH");
        push.arg(nudge).arg(1);
        let mut forget = cmd("PEXPIRE");
        forget.arg(nudge).arg(60_000);
        for command in [push, forget] {
            if let Err(error) = self.link.command::<i64>(&command).await {
                tracing::debug!(%error, "what is newly waited for is heard of a little late");
            }
        }
    }

    fn lists(&self) -> HashMap<String, Topic> {
        let list = |topic: Topic| {
            let name = match &topic {
                Topic::Queue(queue) => format!("{}:wake:q:{queue}", self.root),
                Topic::Worker(worker) => format!("{}:wake:w:{worker}", self.root),
                Topic::Task(_) | Topic::AllTasks => return None,
            };
            Some((name, topic))
        };
        self.hub.awaited().into_iter().filter_map(list).collect()
    }

    /// Reads the log's end while somebody waits for events, for ever.
    async fn follow_log(mut self) {
        let mut seen = None;
        loop {
            self.interest.borrow_and_update();
            if !self.events_are_awaited() {
                seen = None;
                // The hub lives as long as this task.
                let _ = self.interest.changed().await;
                continue;
            }
            if let Err(error) = self.read_log(&mut seen).await {
                seen = None;
                self.rest(&error).await;
            }
        }
    }

    async fn read_log(&mut self, seen: &mut Option<String>) -> Result<(), RedisError> {
        let mut connection = self.connected().await?;
        let after = match seen.take() {
            Some(last) => last,
            None => {
                let mut ask = cmd("HGET");
                ask.arg(&self.root).arg("event");
                let last: Option<String> = redis::from_redis_value(send(&mut connection, &ask).await?)?;
                // Whoever looked before this moment looks again.
                self.hub.publish(&Changes::everything());
                format!("{}-0", last.unwrap_or_else(|| "0".to_owned()))
            }
        };
        let mut read = cmd("XREAD");
        read.arg("BLOCK")
            .arg(BLOCK.as_millis() as u64)
            .arg("COUNT")
            .arg(MAX_EVENTS);
        read.arg("STREAMS").arg(format!("{}:events", self.root)).arg(&after);
        type Streams = Option<Vec<(String, Vec<(String, HashMap<String, String>)>)>>;
        let streams: Streams = redis::from_redis_value(send(&mut connection, &read).await?)?;
        let entries: Vec<_> = streams.into_iter().flatten().flat_map(|(_, entries)| entries).collect();
        let mut changes = Changes::default();
        for (_, event) in &entries {
            if let Some(task) = event.get("task").and_then(|id| id.parse::<TaskId>().ok()) {
                changes.task(task);
            }
        }
        self.hub.publish(&changes);
        // When nothing came, the end is looked up anew: the log of a server that was emptied begins at one.
        *seen = entries.into_iter().next_back().map(|(id, _)| id);
        Ok(())
    }

    fn events_are_awaited(&self) -> bool {
        let is_event = |topic: &Topic| matches!(topic, Topic::Task(_) | Topic::AllTasks);
        self.hub.awaited().iter().any(is_event)
    }

    async fn connected(&mut self) -> Result<Connection, RedisError> {
        if let Some(connection) = &self.connection {
            return Ok(connection.clone());
        }
        let connection = self.link.connect(Purpose::Waiting).await?;
        self.connection = Some(connection.clone());
        // Something may have happened while nobody listened.
        self.hub.publish(&Changes::everything());
        Ok(connection)
    }

    async fn rest(&mut self, error: &RedisError) {
        tracing::debug!(%error, "cannot hear what others do");
        self.connection = None;
        sleep(PAUSE).await;
    }
}

async fn send(connection: &mut Connection, command: &Cmd) -> Result<Value, RedisError> {
    match timeout(BLOCK + SILENCE, connection.send(command)).await {
        Ok(answer) => answer,
        Err(_) => Err(RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut))),
    }
}
