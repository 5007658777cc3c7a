//! A connection between two that can fall silent: what is sent is taken, and nothing comes back until it is let through again.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

/// Passes on what comes to its address, unless it is silent.
pub(crate) struct Proxy {
    address: SocketAddr,
    gate: Arc<Gate>,
}

#[derive(Default)]
struct Gate {
    silent: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn pass(&self) {
        drop(
            self.opened
                .wait_while(self.silent.lock().unwrap(), |silent| *silent)
                .unwrap(),
        );
    }

    fn set(&self, silent: bool) {
        *self.silent.lock().unwrap() = silent;
        self.opened.notify_all();
    }
}

impl Proxy {
    /// Listens for those who are meant to reach `target`. Its threads end with their connections, the listener with the test.
    pub(crate) fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let gate = Arc::new(Gate::default());
        let shared = Arc::clone(&gate);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(target) else {
                    continue;
                };
                for (from, to) in [(&client, &server), (&server, &client)] {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    let gate = Arc::clone(&shared);
                    thread::spawn(move || pass_on(from, to, &gate));
                }
            }
        });
        Self { address, gate }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether it is silent from here on.
    pub(crate) fn set_silent(&self, silent: bool) {
        self.gate.set(silent);
    }
}

/// Until either side closes.
fn pass_on(mut from: TcpStream, mut to: TcpStream, gate: &Gate) {
    let mut piece = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut piece) {
        gate.pass();
        if to.write_all(&piece[..count]).is_err() {
            break;
        }
    }
    // The other side may be gone already.
    let _ = to.shutdown(Shutdown::Write);
}
