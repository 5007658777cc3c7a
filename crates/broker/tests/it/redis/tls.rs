//! Redis behind TLS, with a user of its own and a database other than the first: certificates are made for each test.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use pixmill_broker::{Broker, BrokerOptions, ClaimRequest, RedisBroker, RedisOpenError, RedisOptions};
use tempfile::TempDir;

use super::ports::Ports;
use super::server::{DURABLE, Server};
use crate::conformance::tasks::{claim_up_to, completion, submission, task};

/// An authority and the certificate of a server that it has signed.
struct Authority {
    folder: TempDir,
}

impl Authority {
    /// Makes an authority that has signed a certificate for 127.0.0.1.
    fn new() -> Self {
        let authority = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        openssl(
            authority.folder.path(),
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=authority \
             -keyout ca.key -out ca.pem",
        );
        openssl(
            authority.folder.path(),
            "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=redis -keyout server.key -out server.csr",
        );
        std::fs::write(authority.file("names"), "subjectAltName = IP:127.0.0.1\n").unwrap();
        openssl(
            authority.folder.path(),
            "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem",
        );
        authority
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

fn openssl(folder: &Path, arguments: &str) {
    let done = Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .output()
        .expect("openssl cannot be started: scripts/setup installs it");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// A server that lets in nobody but over TLS, or through its socket.
struct Guarded {
    authority: Authority,
    ports: Ports,
    server: Server,
}

impl Guarded {
    fn start() -> Self {
        let (authority, ports) = (Authority::new(), Ports::claim());
        let [port, certificate, key, ca] = [
            ports.get(0).to_string(),
            authority.file("server.pem").display().to_string(),
            authority.file("server.key").display().to_string(),
            authority.file("ca.pem").display().to_string(),
        ];
        let tls = [
            "--tls-port",
            &port,
            "--bind",
            "127.0.0.1",
            "--tls-cert-file",
            &certificate,
            "--tls-key-file",
            &key,
            "--tls-ca-cert-file",
            &ca,
            "--tls-auth-clients",
            "no",
        ];
        // What a user of Redis needs who may touch nothing but the keys of pixmill.
        let user = [
            "--user",
            "mill",
            "on",
            ">pass-word",
            "~{pixmill:*",
            "+@all",
            "-@dangerous",
            "+info",
            "+config|get",
        ];
        let settings = [DURABLE, &tls, &user, &["--requirepass", "secret"]].concat();
        let server = Server::start_with_password(&settings, "secret");
        Self {
            authority,
            ports,
            server,
        }
    }

    async fn open(&self, user: &str, ca_file: Option<PathBuf>) -> Result<RedisBroker, RedisOpenError> {
        let address = format!("rediss://{user}@127.0.0.1:{}/5", self.ports.get(0));
        let redis = RedisOptions {
            ca_file,
            ..RedisOptions::default()
        };
        RedisBroker::open(&address, redis, BrokerOptions::default()).await
    }
}

#[tokio::test]
async fn a_life_behind_tls() {
    let guarded = Guarded::start();
    let broker = guarded
        .open("mill:pass-word", Some(guarded.authority.file("ca.pem")))
        .await
        .unwrap();
    assert_eq!(broker.warnings(), [""; 0]);
    let waiting = ClaimRequest {
        wait: Duration::from_secs(20),
        ..claim_up_to(1)
    };
    let described = task();
    // The claim hears of the task over a connection of its own, which is behind TLS as well.
    let (claimed, submitted) = tokio::join!(broker.claim(waiting), broker.submit(submission(described.clone())));
    submitted.unwrap();
    let lease = claimed.unwrap().leases.remove(0);
    let completed = broker.complete(lease.id, completion()).await.unwrap();
    assert_eq!(completed.id, described.id);

    let databases = guarded.server.commands(&[&["AUTH", "secret"], &["INFO", "keyspace"]]);
    assert!(databases.contains("db5:") && !databases.contains("db0:"), "{databases}");
}

#[tokio::test]
async fn a_server_whose_certificate_nobody_trusted_has_signed_is_refused() {
    let guarded = Guarded::start();
    let other = Authority::new();
    for (user, ca_file) in [
        ("mill:pass-word", Some(other.file("ca.pem"))),
        // Nor has any authority of the system.
        ("mill:pass-word", None),
        ("mill:wrong", Some(guarded.authority.file("ca.pem"))),
        ("nobody:pass-word", Some(guarded.authority.file("ca.pem"))),
    ] {
        let refused = guarded.open(user, ca_file.clone()).await.unwrap_err();
        assert!(
            matches!(refused, RedisOpenError::Unreachable { .. }),
            "{user} {ca_file:?}: {refused:?}"
        );
    }
    let missing = guarded
        .open("mill:pass-word", Some(other.file("none")))
        .await
        .unwrap_err();
    assert!(matches!(missing, RedisOpenError::Certificates { .. }), "{missing:?}");
    let empty = guarded
        .open("mill:pass-word", Some(other.file("ca.key")))
        .await
        .unwrap_err();
    assert!(matches!(empty, RedisOpenError::Address { .. }), "{empty:?}");
}
