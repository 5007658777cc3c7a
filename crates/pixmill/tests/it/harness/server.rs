//! A running `pixmill serve`, `gateway` or `worker`: start, output, signals, exit.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};

use super::{Client, DataFolder, PATIENCE, eventually};

/// Which of the binary's servers.
#[derive(Debug, Clone, Copy, Default)]
enum Part {
    #[default]
    Both,
    Gateway,
    Worker,
}

impl Part {
    /// The command, the flag that says where to listen, and what stands before the address in what it prints then.
    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Both => ("serve", "--listen", "listening on http://"),
            Self::Gateway => ("gateway", "--listen", "listening on http://"),
            Self::Worker => ("worker", "--metrics-listen", "health and metrics on http://"),
        }
    }
}

/// How to start a server.
#[derive(Debug, Clone, Default)]
pub(crate) struct ServerOptions {
    part: Part,
    wrapper: Vec<OsString>,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
}

impl ServerOptions {
    /// The settings of a fresh installation.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A gateway without workers.
    pub(crate) fn gateway() -> Self {
        Self {
            part: Part::Gateway,
            ..Self::default()
        }
    }

    /// A worker without a gateway: what its [`Client`] reaches is its address for probes.
    pub(crate) fn worker() -> Self {
        Self {
            part: Part::Worker,
            ..Self::default()
        }
    }

    /// Adds arguments to `pixmill serve`, such as `["--slots", "1"]`.
    pub(crate) fn args<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.arguments
            .extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Sets an environment variable of the process, such as `FAILPOINTS`.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.into(), value.as_ref().to_owned()));
        self
    }

    /// Runs the binary under a program that replaces itself with it and so keeps the process id, such as `prlimit
    /// --fsize=…` or `strace -D …`.
    pub(crate) fn under<S: AsRef<OsStr>>(mut self, wrapper: impl IntoIterator<Item = S>) -> Self {
        self.wrapper = wrapper.into_iter().map(|part| part.as_ref().to_owned()).collect();
        self
    }

    /// Starts the server on a free port of the loopback interface and returns when it listens.
    pub(crate) fn start(self, data: &DataFolder) -> Server {
        self.start_at(data, "127.0.0.1:0")
    }

    /// As [`ServerOptions::start`] of a server that may die before it listens; all it printed when it did.
    pub(crate) fn try_start(self, data: &DataFolder) -> Result<Server, String> {
        Server::spawn(self, data, "127.0.0.1:0")
    }

    /// Starts the server on this address, such as that of one that is gone.
    pub(crate) fn start_at(self, data: &DataFolder, address: &str) -> Server {
        Server::spawn(self, data, address).unwrap_or_else(|output| panic!("the server did not start:\n{output}"))
    }

    /// Starts a server on an address that it must refuse; returns its exit status and all it printed.
    pub(crate) fn start_refused(self, data: &DataFolder, address: &str) -> (ExitStatus, String) {
        let mut child = self.command(data, address).spawn().unwrap();
        let output = Output::collect(&mut child);
        let status = wait(&mut child, &output);
        output.wait_for_end();
        (status, output.all())
    }

    fn command(&self, data: &DataFolder, address: &str) -> Command {
        let (part, listen, _) = self.part.words();
        let mut words = self.wrapper.clone();
        words.push(env!("CARGO_BIN_EXE_pixmill").into());
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .args([part, listen, address, "--data"])
            .arg(data.path())
            .args(&self.arguments)
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

/// A running server; killed when it goes out of scope.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    output: Output,
    address: SocketAddr,
}

impl Server {
    /// Starts a server as a fresh installation would.
    pub(crate) fn start(data: &DataFolder) -> Self {
        ServerOptions::new().start(data)
    }

    fn spawn(options: ServerOptions, data: &DataFolder, address: &str) -> Result<Self, String> {
        let (_, _, announced) = options.part.words();
        let mut child = options
            .command(data, address)
            .spawn()
            .map_err(|error| error.to_string())?;
        let output = Output::collect(&mut child);
        let Some(line) = output.wait_for(announced) else {
            let _ = child.kill();
            let _ = child.wait();
            return Err(output.all());
        };
        let address = line
            .split("http://")
            .nth(1)
            .and_then(|rest| rest.split_whitespace().next())
            .and_then(|address| address.trim_end_matches('/').parse().ok())
            .ok_or_else(|| output.all())?;
        Ok(Self { child, output, address })
    }

    /// `http://127.0.0.1:PORT` followed by `path`.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The address it listens on.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// A client of this server.
    pub(crate) fn client(&self) -> Client {
        Client::new(self.address)
    }

    /// The process id.
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// All it has printed so far, both streams.
    pub(crate) fn output(&self) -> String {
        self.output.all()
    }

    /// Waits until it has printed a line that contains `text`, and returns that line.
    pub(crate) fn wait_for_line(&self, text: &str) -> String {
        self.output
            .wait_for(text)
            .unwrap_or_else(|| panic!("it never printed {text:?}:\n{}", self.output.all()))
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// `kill -9`, and waits until the process is gone.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until the process ends by itself.
    pub(crate) fn wait_for_exit(&mut self) -> ExitStatus {
        wait(&mut self.child, &self.output)
    }

    /// SIGTERM, then waits for the end, which must be a success.
    pub(crate) fn stop(mut self) {
        self.signal(Signal::TERM);
        let status = self.wait_for_exit();
        assert!(status.success(), "{status} after SIGTERM:\n{}", self.output());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- the server printed:\n{}---", self.output.all());
        }
    }
}

fn wait(child: &mut Child, output: &Output) -> ExitStatus {
    let deadline = Instant::now() + PATIENCE;
    eventually("the end of the process", || match child.try_wait().unwrap() {
        None if Instant::now() >= deadline => {
            let _ = child.kill();
            panic!("the process did not end:\n{}", output.all())
        }
        status => status,
    })
}

/// What a process prints, gathered by one thread a stream so that it never blocks on a full pipe.
#[derive(Debug, Clone, Default)]
struct Output(Arc<(Mutex<Printed>, Condvar)>);

#[derive(Debug, Default)]
struct Printed {
    lines: Vec<String>,
    open_streams: usize,
}

impl Output {
    fn collect(child: &mut Child) -> Self {
        let output = Self::default();
        let streams: [Option<Box<dyn Read + Send>>; 2] = [
            child.stdout.take().map(|stream| Box::new(stream) as _),
            child.stderr.take().map(|stream| Box::new(stream) as _),
        ];
        for stream in streams.into_iter().flatten() {
            output.0.0.lock().unwrap().open_streams += 1;
            let shared = output.clone();
            // Ends with the stream, at the latest when the process does.
            std::thread::spawn(move || shared.drain(stream));
        }
        output
    }

    fn drain(&self, stream: impl Read) {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).into_owned();
            self.0.0.lock().unwrap().lines.push(line);
            self.0.1.notify_all();
        }
        self.0.0.lock().unwrap().open_streams -= 1;
        self.0.1.notify_all();
    }

    /// The first line with `text` in it; `None` when the process closed its streams or patience ran out before.
    fn wait_for(&self, text: &str) -> Option<String> {
        let find = |printed: &Printed| printed.lines.iter().find(|line| line.contains(text)).cloned();
        let (printed, _) = self
            .0
            .1
            .wait_timeout_while(self.0.0.lock().unwrap(), PATIENCE, |printed| {
                find(printed).is_none() && printed.open_streams > 0
            })
            .unwrap();
        find(&printed)
    }

    /// Waits until all that the process printed has been read: it may have ended before.
    fn wait_for_end(&self) {
        let printed = self.0.0.lock().unwrap();
        let open = |printed: &mut Printed| printed.open_streams > 0;
        let (_printed, waited) = self.0.1.wait_timeout_while(printed, PATIENCE, open).unwrap();
        assert!(!waited.timed_out(), "somebody holds its streams open");
    }

    fn all(&self) -> String {
        let mut text = self.0.0.lock().unwrap().lines.join("\n");
        text.push('\n');
        text
    }
}
