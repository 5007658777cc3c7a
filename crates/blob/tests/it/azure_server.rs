//! A real server of Azure's blob protocol, `azurite`, on a loopback port, with nothing kept but in its memory. It checks
//! every signature. `scripts/setup` installs it, and the Node that runs it, below target/.
//!
//! Other test binaries include this file.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

pub(crate) const CONTAINER: &str = "pictures";
pub(crate) const ACCOUNT: &str = "shopaccount";
/// Any bytes in base64 make a key.
pub(crate) const KEY: &str = "dGhlIGtleSBvZiBhbiBhY2NvdW50IHRoYXQgbGl2ZXMgYXMgbG9uZyBhcyBhIHRlc3Q=";

/// What a test puts its files into must be there first, and `object_store` makes no containers.
const MAKE_CONTAINER: &str = r#"
const { createHmac } = require("node:crypto");
const [endpoint, account, key, container] = process.argv.slice(1);
const headers = { "x-ms-date": new Date().toUTCString(), "x-ms-version": "2023-11-03" };
const said = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`).join("");
const text = `PUT${"\n".repeat(12)}${said}/${account}/${account}/${container}\nrestype:container`;
const signature = createHmac("sha256", Buffer.from(key, "base64")).update(text).digest("base64");
headers.authorization = `SharedKey ${account}:${signature}`;
fetch(`${endpoint}/${container}?restype=container`, { method: "PUT", headers }).then(async (answer) => {
    if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
});
"#;

/// The server while it runs; dropping it kills it.
pub(crate) struct AzureServer {
    process: Child,
    address: SocketAddr,
    _folder: TempDir,
}

impl AzureServer {
    /// On any free port, with one empty container.
    pub(crate) fn start() -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap())
    }

    /// The same at an address, such as that of one that is gone.
    pub(crate) fn start_at(address: SocketAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut process = node()
            .arg(target().join("azurite/node_modules/azurite/dist/src/blob/main.js"))
            .args(["--blobHost", "127.0.0.1", "--blobPort", &address.port().to_string()])
            .args([
                "--inMemoryPersistence",
                "--skipApiVersionCheck",
                "--disableTelemetry",
                "--silent",
            ])
            .env("AZURITE_ACCOUNTS", format!("{ACCOUNT}:{KEY}"))
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("azurite cannot be started: scripts/setup installs it");
        let mut lines = BufReader::new(process.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let address = lines
            .find_map(|line| line.split_once("successfully listens on http://")?.1.parse().ok())
            .expect("azurite ended before it listened: scripts/setup installs it");
        let server = Self {
            process,
            address,
            _folder: folder,
        };
        let made = node()
            .args(["-e", MAKE_CONTAINER, &server.endpoint(), ACCOUNT, KEY, CONTAINER])
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        server
    }

    /// Where the account is.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}/{ACCOUNT}", self.address)
    }
}

impl Drop for AzureServer {
    fn drop(&mut self) {
        let _gone_before = self.process.kill();
        let _status = self.process.wait();
    }
}

fn target() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target")
}

fn node() -> Command {
    Command::new(target().join("python/bin/node"))
}
