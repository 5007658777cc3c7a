//! Stands for Google Cloud Storage: the S3 server of `s3_server` behind a gate that checks tokens and links as Google
//! documents them. No emulator that can be had speaks the XML API with its uploads in parts, so what only the real
//! service does is not tried. `openssl` makes the key of the service account and checks what is signed with it.
//!
//! Other test binaries include this file.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use http::Uri;
use http::header::AUTHORIZATION;
use tempfile::TempDir;

use crate::s3_server::S3Server;

pub(crate) const ACCOUNT: &str = "miller@pictures.iam.gserviceaccount.com";
/// The host that links are signed for, whichever endpoint `object_store` is given.
const SIGNED_HOST: &str = "storage.googleapis.com";
/// What the machine's own identity is good for, beside the service account.
pub(crate) const MACHINE_TOKEN: &str = "token-of-the-machine";

/// The server while it runs.
pub(crate) struct GoogleServer {
    server: S3Server,
    key: Arc<ServiceAccountKey>,
}

impl GoogleServer {
    /// Serves the bucket in `root` on any free port, for the service account and the machine.
    pub(crate) fn start(root: &Path) -> Self {
        let key = Arc::new(ServiceAccountKey::generate());
        let asked = Arc::clone(&key);
        let known = Mutex::new(vec![MACHINE_TOKEN.to_owned()]);
        let gate = move |request: &mut http::Request<hyper::body::Incoming>| {
            if let Some(header) = request.headers_mut().remove(AUTHORIZATION) {
                let Some(token) = header.to_str().unwrap().strip_prefix("Bearer ") else {
                    return false;
                };
                let mut known = known.lock().unwrap();
                let is_known = known.iter().any(|known| known == token) || asked.has_signed_token(token);
                if is_known {
                    known.push(token.to_owned());
                }
                return is_known;
            }
            let is_signed = asked.has_signed_link(request.uri());
            *request.uri_mut() = without_signature(request.uri());
            is_signed
        };
        Self {
            server: S3Server::start_behind(root, Arc::new(gate)),
            key,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The key of the service account, as Google hands it out.
    pub(crate) fn key(&self) -> String {
        self.key.document()
    }
}

/// The key of a service account.
pub(crate) struct ServiceAccountKey {
    folder: TempDir,
}

impl ServiceAccountKey {
    pub(crate) fn generate() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = Self { folder };
        let (private, public) = (key.private().display().to_string(), key.public().display().to_string());
        openssl(&["genpkey", "-algorithm", "RSA", "-quiet", "-out", &private], b"").unwrap();
        openssl(&["pkey", "-in", &private, "-pubout", "-out", &public], b"").unwrap();
        key
    }

    fn private(&self) -> PathBuf {
        self.folder.path().join("private.pem")
    }

    fn public(&self) -> PathBuf {
        self.folder.path().join("public.pem")
    }

    pub(crate) fn document(&self) -> String {
        let pem = std::fs::read_to_string(self.private()).unwrap().replace('\n', "\\n");
        format!(r#"{{"type":"service_account","client_email":"{ACCOUNT}","private_key_id":"1","private_key":"{pem}"}}"#)
    }

    /// Whether a token was signed with the key: <https://google.aip.dev/auth/4111>.
    fn has_signed_token(&self, token: &str) -> bool {
        let Some((message, signature)) = token.rsplit_once('.') else {
            return false;
        };
        let padded = signature.replace('-', "+").replace('_', "/") + &"=".repeat((4 - signature.len() % 4) % 4);
        let signature = openssl(&["base64", "-d", "-A"], padded.as_bytes());
        signature.is_some_and(|signature| self.has_signed(message.as_bytes(), &signature))
    }

    /// Whether a link was, by the rules of <https://cloud.google.com/storage/docs/authentication/canonical-requests>.
    fn has_signed_link(&self, uri: &Uri) -> bool {
        let mut pairs: Vec<&str> = uri.query().unwrap_or_default().split('&').collect();
        pairs.sort_unstable();
        let value_of = |name: &str| pairs.iter().find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let (Some(signature), Some(date), Some(credential)) = (
            value_of("X-Goog-Signature"),
            value_of("X-Goog-Date"),
            value_of("X-Goog-Credential"),
        ) else {
            return false;
        };
        let signed: Vec<&str> = pairs
            .iter()
            .copied()
            .filter(|pair| !pair.starts_with("X-Goog-Signature="))
            .collect();
        let request = format!(
            "GET\n{}\n{}\nhost:{SIGNED_HOST}\n\nhost\nUNSIGNED-PAYLOAD",
            uri.path(),
            signed.join("&")
        );
        let hash = openssl(&["dgst", "-sha256", "-r"], request.as_bytes()).unwrap();
        let hash = std::str::from_utf8(&hash[..64]).unwrap();
        let Some((account, scope)) = credential.split_once("%2F") else {
            return false;
        };
        let message = format!("GOOG4-RSA-SHA256\n{date}\n{}\n{hash}", scope.replace("%2F", "/"));
        let bytes: Option<Vec<u8>> = (0..signature.len() / 2)
            .map(|at| u8::from_str_radix(signature.get(2 * at..2 * at + 2)?, 16).ok())
            .collect();
        account.replace("%40", "@") == ACCOUNT
            && bytes.is_some_and(|signature| self.has_signed(message.as_bytes(), &signature))
    }

    fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(signature).unwrap();
        let (public, file) = (self.public().display().to_string(), file.path().display().to_string());
        openssl(&["dgst", "-sha256", "-verify", &public, "-signature", &file], message).is_some()
    }
}

/// What the S3 server is to see of a link.
fn without_signature(uri: &Uri) -> Uri {
    let query = uri.query().unwrap_or_default().split('&');
    let rest: Vec<&str> = query.filter(|pair| !pair.starts_with("X-Goog-")).collect();
    format!("{}?{}", uri.path(), rest.join("&")).parse().unwrap()
}

/// Runs openssl over `input`; `None` when it fails.
fn openssl(arguments: &[&str], input: &[u8]) -> Option<Vec<u8>> {
    let mut process = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("openssl cannot be started: scripts/setup installs it");
    // One that reads nothing closes its end.
    let _ = process.stdin.take().unwrap().write_all(input);
    let output = process.wait_with_output().unwrap();
    output.status.success().then_some(output.stdout)
}
