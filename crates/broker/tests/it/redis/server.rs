//! Real servers, of Redis unless Valkey is asked for, each with a folder of its own, killed when dropped. A missing
//! program fails the test.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Longer than a server needs to start.
const PATIENCE: Duration = Duration::from_secs(20);

/// Settings under which what is acknowledged is on the disk.
pub(crate) const DURABLE: &[&str] = &["--appendonly", "yes", "--appendfsync", "always"];

/// Which server is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Redis,
    Valkey,
}

impl Engine {
    /// The program: Debian's of Redis, and of Valkey the one that `scripts/setup` puts below `target/`.
    fn program(self) -> PathBuf {
        match self {
            Self::Redis => "redis-server".into(),
            Self::Valkey => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/python/bin/valkey-server"),
        }
    }
}

/// A server on a socket in its own folder.
pub(crate) struct Server {
    engine: Engine,
    folder: TempDir,
    settings: Vec<String>,
    password: Option<String>,
    process: Option<Child>,
}

impl Server {
    /// Starts a server that loses nothing.
    pub(crate) fn start() -> Self {
        Self::start_with(DURABLE)
    }

    /// Starts a server with these settings.
    pub(crate) fn start_with(settings: &[&str]) -> Self {
        Self::new(Engine::Redis, settings, None)
    }

    /// Starts a server of Valkey that loses nothing.
    pub(crate) fn start_valkey() -> Self {
        Self::new(Engine::Valkey, DURABLE, None)
    }

    /// Starts a server with these settings, which ask for this password.
    pub(crate) fn start_with_password(settings: &[&str], password: &str) -> Self {
        Self::new(Engine::Redis, settings, Some(password.to_owned()))
    }

    fn new(engine: Engine, settings: &[&str], password: Option<String>) -> Self {
        let mut server = Self {
            engine,
            folder: tempfile::tempdir().unwrap(),
            settings: settings.iter().map(|&setting| setting.to_owned()).collect(),
            password,
            process: None,
        };
        server.restart();
        server
    }

    /// The address for the broker.
    pub(crate) fn address(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    /// Kills the server where it is.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Kills the server and starts it again over what it left.
    pub(crate) fn restart(&mut self) {
        self.kill();
        // What a killed server leaves of its socket would look like an answer.
        let _ = std::fs::remove_file(self.socket());
        self.process = Some(start_engine(self.engine, self.folder.path(), &self.own_settings()));
        self.wait_until_ready();
    }

    /// Sends one command and returns the raw answer.
    pub(crate) fn command(&self, command: &[&str]) -> String {
        ask(&self.socket(), command).unwrap()
    }

    /// Sends commands over one connection and returns the raw answer to the last.
    pub(crate) fn commands(&self, commands: &[&[&str]]) -> String {
        let mut stream = UnixStream::connect(self.socket()).unwrap();
        let answers = commands.iter().map(|command| converse(&mut stream, command).unwrap());
        answers.last().unwrap_or_default()
    }

    /// The id of the process.
    pub(crate) fn pid(&self) -> u32 {
        self.process.as_ref().unwrap().id()
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("redis.sock")
    }

    fn own_settings(&self) -> Vec<String> {
        let socket = self.socket().display().to_string();
        let own = ["--port", "0", "--unixsocket", &socket, "--save", ""];
        let own = own.into_iter().map(str::to_owned);
        own.chain(self.settings.iter().cloned()).collect()
    }

    fn wait_until_ready(&self) {
        wait_until("redis-server answers", || {
            let greeting = match &self.password {
                Some(password) => ask(&self.socket(), &["AUTH", password]),
                None => ask(&self.socket(), &["PING"]),
            };
            greeting.is_ok_and(|answer| answer.starts_with('+'))
        });
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Starts a process of Redis that writes below `folder`.
pub(crate) fn start_process(folder: &Path, settings: &[String]) -> Child {
    start_engine(Engine::Redis, folder, settings)
}

fn start_engine(engine: Engine, folder: &Path, settings: &[String]) -> Child {
    let program = engine.program();
    Command::new(&program)
        .args(settings)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("{} ({error}): scripts/setup installs it", program.display()))
}

/// Looks until `is_so`, and fails when that takes too long.
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn ask(socket: &Path, command: &[&str]) -> std::io::Result<String> {
    let mut stream = UnixStream::connect(socket)?;
    converse(&mut stream, command)
}

/// Sends one command over a connection, and returns what comes back at once.
pub(crate) fn converse(stream: &mut (impl Read + Write), command: &[&str]) -> std::io::Result<String> {
    let mut text = format!("*{}\r\n", command.len());
    for word in command {
        text.push_str(&format!("${}\r\n{word}\r\n", word.len()));
    }
    stream.write_all(text.as_bytes())?;
    let mut answer = vec![0; 64 * 1024];
    let length = stream.read(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer[..length]).into_owned())
}
