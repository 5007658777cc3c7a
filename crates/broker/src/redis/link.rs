//! The way to Redis: one shared connection, made anew when it breaks; bounded in time whatever happens.

use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::aio::ConnectionLike as _;
use redis::cluster_routing::{MultipleNodeRoutingInfo, Route, RoutingInfo, SingleNodeRoutingInfo, Slot, SlotAddr};
use redis::{Cmd, ErrorKind, FromRedisValue, RedisError, ServerErrorKind, Value, cmd};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::address::{Address, Connection, Purpose};
use super::error::{broker_error, ends_connection};
use super::script::Call;
use crate::BrokerError;

/// Longest time to wait for a connection that somebody else, or this call, makes.
const CONNECT_PATIENCE: Duration = Duration::from_millis(2_500);
/// For so long after a failed attempt to connect nobody tries again: calls fail at once, for the same reason.
const REST: Duration = Duration::from_millis(200);

/// Whether a call may be sent once more when the connection broke under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// The second time it has the effect of the first.
    Harmless,
    /// The second time it would find its own effect and misread it.
    Never,
}

/// How many replicas must have a write before it is acknowledged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Replicas {
    pub(super) count: u32,
    pub(super) timeout: Duration,
}

#[derive(Default)]
struct Current {
    connection: Option<Connection>,
    generation: u64,
    /// The last attempt to connect, when it failed.
    failed: Option<(Instant, RedisError)>,
}

/// The connection that all calls share.
pub(super) struct Link {
    address: Arc<Address>,
    replicas: Replicas,
    current: Mutex<Current>,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Connection {
    /// Sends one command; in a cluster to the node that holds its first key.
    pub(super) async fn send(&mut self, command: &Cmd) -> Result<Value, RedisError> {
        match self {
            Self::One(connection) => connection.req_packed_command(command).await,
            Self::Cluster(connection) => connection.req_packed_command(command).await,
        }
        .and_then(Value::extract_error)
    }

    /// Sends a command that names no key to the node of `key`.
    async fn send_beside(&mut self, command: Cmd, key: &str) -> Result<Value, RedisError> {
        match self {
            Self::One(connection) => connection.req_packed_command(&command).await,
            Self::Cluster(connection) => {
                let route = Route::with_slot(Slot::for_key(key), SlotAddr::Master);
                let node = SingleNodeRoutingInfo::SpecificNode(route);
                connection.route_command(command, RoutingInfo::SingleNode(node)).await
            }
        }
        .and_then(Value::extract_error)
    }

    /// Sends a command to every node that takes writes; one answer each.
    pub(super) async fn send_to_all(&mut self, command: Cmd) -> Result<Vec<Value>, RedisError> {
        match self {
            Self::One(connection) => {
                let answer = connection.req_packed_command(&command).await?;
                Ok(vec![answer.extract_error()?])
            }
            Self::Cluster(connection) => {
                let nodes = RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None));
                match connection.route_command(command, nodes).await? {
                    Value::Map(answers) => Ok(answers.into_iter().map(|(_, answer)| answer).collect()),
                    other => Ok(vec![other]),
                }
            }
        }
    }
}

impl Link {
    /// A link that is not connected yet.
    pub(super) fn new(address: Arc<Address>, replicas: Replicas) -> Self {
        Self {
            address,
            replicas,
            current: Mutex::default(),
        }
    }

    /// Calls a script that changes nothing.
    pub(super) async fn read<T: FromRedisValue>(&self, call: &Call) -> Result<T, BrokerError> {
        let (answer, _) = self.call(call, Repeat::Harmless).await.map_err(broker_error)?;
        redis::from_redis_value(answer).map_err(|error| broker_error(error.into()))
    }

    /// Calls a script, and returns when what it wrote is as safe as the settings ask for.
    pub(super) async fn write<T: FromRedisValue>(&self, call: &Call, repeat: Repeat) -> Result<T, BrokerError> {
        let (answer, connection) = self.call(call, repeat).await.map_err(broker_error)?;
        if self.replicas.count > 0 {
            self.replicated(call, connection).await?;
        }
        redis::from_redis_value(answer).map_err(|error| broker_error(error.into()))
    }

    /// Sends a plain command that names a key and may be repeated.
    pub(super) async fn command<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, BrokerError> {
        let answer = match self
            .once(|mut connection| async move { connection.send(command).await })
            .await
        {
            Err(error) if error.is_connection_dropped() => {
                self.once(|mut connection| async move { connection.send(command).await })
                    .await
            }
            other => other,
        };
        let (answer, _) = answer.map_err(broker_error)?;
        redis::from_redis_value(answer).map_err(|error| broker_error(error.into()))
    }

    /// A connection of the caller's own.
    pub(super) async fn connect(&self, purpose: Purpose) -> Result<Connection, RedisError> {
        match timeout(CONNECT_PATIENCE, self.address.connect(purpose)).await {
            Ok(connected) => connected,
            Err(_) => Err(RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut))),
        }
    }

    async fn call(&self, call: &Call, repeat: Repeat) -> Result<(Value, Connection), RedisError> {
        let first = self.once(|connection| run(connection, call)).await;
        match first {
            // The server was restarted, most likely: the connection was dead before the call.
            Err(error) if repeat == Repeat::Harmless && error.is_connection_dropped() => {
                self.once(|connection| run(connection, call)).await
            }
            other => other,
        }
    }

    async fn replicated(&self, call: &Call, mut connection: Connection) -> Result<(), BrokerError> {
        let millis = u64::try_from(self.replicas.timeout.as_millis()).unwrap_or(u64::MAX);
        let mut wait = cmd("WAIT");
        wait.arg(self.replicas.count).arg(millis);
        let answer = connection.send_beside(wait, call.root()).await.map_err(broker_error)?;
        let reached: u32 = redis::from_redis_value(answer).map_err(|error| broker_error(error.into()))?;
        if reached < self.replicas.count {
            let wanted = self.replicas.count;
            return Err(BrokerError::Unavailable(
                format!("{reached} replicas of {wanted} have the write after {millis} ms").into(),
            ));
        }
        Ok(())
    }

    async fn once<F>(&self, send: impl FnOnce(Connection) -> F) -> Result<(Value, Connection), RedisError>
    where
        F: Future<Output = Result<Value, RedisError>>,
    {
        let (connection, generation) = self.connection().await?;
        match send(connection.clone()).await {
            Ok(answer) => Ok((answer, connection)),
            Err(error) => {
                if ends_connection(&error) {
                    let mut current = self.current.lock().await;
                    if current.generation == generation {
                        current.connection = None;
                    }
                }
                Err(error)
            }
        }
    }

    /// The shared connection; makes it when there is none.
    async fn connection(&self) -> Result<(Connection, u64), RedisError> {
        let mut current = self.current.lock().await;
        if let Some(connection) = &current.connection {
            return Ok((connection.clone(), current.generation));
        }
        if let Some((at, error)) = &current.failed
            && at.elapsed() < REST
        {
            return Err(error.clone());
        }
        match self.connect(Purpose::Calls).await {
            Ok(connection) => {
                current.connection = Some(connection.clone());
                current.generation += 1;
                current.failed = None;
                Ok((connection, current.generation))
            }
            Err(error) => {
                current.failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }
}

/// Calls a script by its hash, and by its text when the server does not know it: it was restarted, or was told to
/// forget.
async fn run(mut connection: Connection, call: &Call) -> Result<Value, RedisError> {
    match connection.send(&call.by_hash()).await {
        Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
            connection.send(&call.by_text()).await
        }
        other => other,
    }
}
