//! An authority that signs certificates of servers, made for each test.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// An authority and the certificate of a server that it has signed.
pub(super) struct Authority {
    folder: TempDir,
}

impl Authority {
    /// Makes an authority that has signed a certificate for 127.0.0.1.
    pub(super) fn new() -> Self {
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

    /// What a server is told to show the certificate, and to believe others by.
    pub(super) fn settings(&self) -> Vec<String> {
        let files = [
            ("--tls-cert-file", "server.pem"),
            ("--tls-key-file", "server.key"),
            ("--tls-ca-cert-file", "ca.pem"),
        ];
        let files = files.map(|(setting, name)| [setting.to_owned(), self.file(name).display().to_string()]);
        let mut settings = files.concat();
        settings.extend(["--tls-auth-clients", "no"].map(str::to_owned));
        settings
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
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
