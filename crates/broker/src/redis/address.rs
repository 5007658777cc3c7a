//! Addresses: `redis://`, `rediss://`, `redis+unix:`, `redis+cluster://` and `redis+sentinel://`, and what they open.

use std::time::Duration;

use pixmill_types::without_secrets;
use redis::aio::MultiplexedConnection;
use redis::cluster::{ClusterClient, ClusterClientBuilder};
use redis::cluster_async::ClusterConnection;
use redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, IntoConnectionInfo as _, RedisError, TlsCertificates, TlsMode,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tokio::sync::Mutex;

use super::error::RedisOpenError;

/// Longest time a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Longest time an answer may take that does not wait for something to happen.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Calls that are answered at once.
    Calls,
    /// One call at a time that is answered when something happens.
    Waiting,
}

/// A connection, whatever kind of server it leads to.
#[derive(Clone)]
pub(super) enum Connection {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

/// Where the broker's Redis is.
pub(super) struct Address {
    /// As it was written, without its user and password.
    pub(super) shown: String,
    target: Target,
}

enum Target {
    One(Box<Client>),
    Cluster(Box<ClusterClients>),
    // Asking the sentinels changes the client: it remembers who answered.
    Sentinel(Box<Mutex<SentinelClient>>),
}

/// One client a purpose: how long an answer may take is the client's business.
struct ClusterClients {
    calls: ClusterClient,
    waiting: ClusterClient,
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown)
    }
}

impl Address {
    /// Reads an address; opens nothing. With `authorities`, certificates in PEM, a server is believed when one of them
    /// has signed its certificate, and otherwise when one of the system's has.
    pub(super) fn parse(address: &str, authorities: Option<Vec<u8>>) -> Result<Self, RedisOpenError> {
        let shown = without_secrets(address);
        let target = target(address, authorities).map_err(|reason| RedisOpenError::Address {
            address: shown.clone(),
            reason,
        })?;
        Ok(Self { shown, target })
    }

    /// Opens a connection, to the server that is the master now.
    pub(super) async fn connect(&self, purpose: Purpose) -> Result<Connection, RedisError> {
        let answer_timeout = (purpose == Purpose::Calls).then_some(ANSWER_TIMEOUT);
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(answer_timeout);
        match &self.target {
            Target::One(client) => {
                let connecting = client.get_multiplexed_async_connection_with_config(&config);
                Ok(Connection::One(connecting.await?))
            }
            Target::Cluster(clients) => {
                let client = match purpose {
                    Purpose::Calls => &clients.calls,
                    Purpose::Waiting => &clients.waiting,
                };
                Ok(Connection::Cluster(client.get_async_connection().await?))
            }
            Target::Sentinel(client) => {
                let master = client.lock().await.async_get_client().await?;
                let connecting = master.get_multiplexed_async_connection_with_config(&config);
                Ok(Connection::One(connecting.await?))
            }
        }
    }
}

fn target(address: &str, authorities: Option<Vec<u8>>) -> Result<Target, String> {
    // An address ends there for whoever parses it: the rest of a password, and the host behind it, would be left out.
    if address.contains('#') {
        return Err("it has a #: in a user or password # is written %23, / is %2F, ? is %3F and @ is %40".to_owned());
    }
    if address.starts_with("rediss") {
        // Fails when the process has chosen a provider already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    } else if authorities.is_some() {
        return Err("certificates are given, and it is an address without TLS: expected rediss://".to_owned());
    }
    if authorities
        .as_deref()
        .is_some_and(|pem| CertificateDer::pem_slice_iter(pem).next().is_none())
    {
        return Err("no certificate in PEM is in the file that was given".to_owned());
    }
    let certificates = authorities.map(|pem| TlsCertificates {
        client_tls: None,
        root_cert: Some(pem),
    });
    if let Some(rest) = scheme(address, "cluster") {
        return cluster(&rest, certificates);
    }
    if let Some(rest) = scheme(address, "sentinel") {
        let client = sentinel(&rest, certificates)?;
        return Ok(Target::Sentinel(Box::new(Mutex::new(client))));
    }
    let client = match certificates {
        Some(certificates) => Client::build_with_tls(address, certificates),
        None => Client::open(address),
    };
    client
        .map(|client| Target::One(Box::new(client)))
        .map_err(|error| error.to_string())
}

/// The comma-separated nodes of `redis+kind://…` or `rediss+kind://…`, as an ordinary address.
fn scheme(address: &str, kind: &str) -> Option<String> {
    ["redis", "rediss"].into_iter().find_map(|plain| {
        let rest = address.strip_prefix(&format!("{plain}+{kind}://"))?;
        Some(format!("{plain}://{rest}"))
    })
}

/// An address of several nodes, taken apart: one address each, with the same user and database.
fn nodes(address: &str) -> Result<(Vec<String>, String), String> {
    let (scheme, rest) = address.split_once("://").ok_or("it has no scheme")?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, hosts) = authority
        .rsplit_once('@')
        .map_or(("", authority), |(user, hosts)| (user, hosts));
    let at = if user.is_empty() {
        String::new()
    } else {
        format!("{user}@")
    };
    let nodes = hosts.split(',').map(|host| format!("{scheme}://{at}{host}")).collect();
    Ok((nodes, path.to_owned()))
}

fn cluster(address: &str, certificates: Option<TlsCertificates>) -> Result<Target, String> {
    let (nodes, path) = nodes(address)?;
    if !path.is_empty() && path != "0" {
        return Err("a cluster has no database but 0".to_owned());
    }
    let build = |answer_timeout: Duration| {
        let mut builder = ClusterClientBuilder::new(nodes.iter().map(String::as_str))
            .connection_timeout(CONNECT_TIMEOUT)
            .response_timeout(answer_timeout)
            .retries(3);
        if let Some(certificates) = &certificates {
            builder = builder.certs(certificates.clone());
        }
        builder.build().map_err(|error| error.to_string())
    };
    Ok(Target::Cluster(Box::new(ClusterClients {
        calls: build(ANSWER_TIMEOUT)?,
        // Longer than any wait: a cluster's connection cannot do without.
        waiting: build(Duration::from_secs(60))?,
    })))
}

/// `redis://[user:password@]sentinel:26379,…/master[/database]`; user and password are the master's.
fn sentinel(address: &str, certificates: Option<TlsCertificates>) -> Result<SentinelClient, String> {
    let (nodes, path) = nodes(address)?;
    let (master, database) = path.split_once('/').unwrap_or((&path, "0"));
    if master.is_empty() {
        return Err("the name of the master is missing: redis+sentinel://host:26379/name/0".to_owned());
    }
    let database: i64 = database
        .parse()
        .map_err(|_| "the database is not a number".to_owned())?;
    let text = |error: RedisError| error.to_string();
    let infos = nodes
        .iter()
        .map(|node| node.as_str().into_connection_info().map_err(text))
        .collect::<Result<Vec<_>, _>>()?;
    let addresses: Vec<ConnectionAddr> = infos.iter().map(|info| info.addr().clone()).collect();
    let mut builder = SentinelClientBuilder::new(addresses, master, SentinelServerType::Master)
        .map_err(text)?
        .set_client_to_redis_db(database);
    if let Some(first) = infos.first() {
        if let Some(user) = first.redis_settings().username() {
            builder = builder.set_client_to_redis_username(user);
        }
        if let Some(password) = first.redis_settings().password() {
            builder = builder.set_client_to_redis_password(password);
        }
    }
    if address.starts_with("rediss") {
        builder = builder.set_client_to_redis_tls_mode(TlsMode::Secure);
    }
    if let Some(certificates) = certificates {
        builder = builder
            .set_client_to_sentinel_certificates(certificates.clone())
            .set_client_to_redis_certificates(certificates);
    }
    builder.build().map_err(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_passwords_never_shown() {
        for (address, shown) in [
            ("redis://127.0.0.1:6379/2", "redis://127.0.0.1:6379/2"),
            ("rediss://user:secret@host/0", "rediss://…@host/0"),
            ("redis+unix:///run/redis.sock", "redis+unix:///run/redis.sock"),
            ("redis+unix:///run/redis.sock?pass=p", "redis+unix:///run/redis.sock?…"),
            ("redis+cluster://u:p@a:1,b:2", "redis+cluster://…@a:1,b:2"),
            (
                "redis+sentinel://:p@a:1,b:2/main/3",
                "redis+sentinel://…@a:1,b:2/main/3",
            ),
        ] {
            assert_eq!(Address::parse(address, None).unwrap().shown, shown);
        }
        for wrong in [
            "",
            "http://host",
            "redis+cluster://a:1/3",
            "redis+sentinel://a:1",
            "redis+sentinel://a:1/main/x",
            "redis://host/0#1",
        ] {
            assert!(Address::parse(wrong, None).is_err(), "{wrong:?} was accepted");
        }
        assert!(
            Address::parse("redis://host", Some(Vec::new())).is_err(),
            "certificates without TLS"
        );
        for wrong in [
            "redis:/:secret@host",
            "me:secret@host",
            "valkey://me:secret@host",
            "redis://:se?cret@host",
            "redis://:secret#1@host",
        ] {
            let error = format!("{:?}", Address::parse(wrong, None).map(drop));
            assert!(!error.contains("secret") && !error.contains("cret@"), "{error}");
        }
    }
}
