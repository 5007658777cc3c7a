//! Ports for servers that must know each other's before they start.

use std::fs::File;
use std::net::TcpListener;

/// Ports of one block.
const BLOCK: u16 = 8;
/// Below those that the kernel hands out to whoever asks for any.
const FIRST: u16 = 12_000;
const BLOCKS: u16 = 2_000;

/// A block of ports that no other test uses, in this process or another, for as long as this lives.
pub(crate) struct Ports {
    first: u16,
    // Held for its lock.
    _claim: File,
}

impl Ports {
    /// Claims a block whose ports are all free.
    pub(crate) fn claim() -> Self {
        let folder = std::env::temp_dir().join("pixmill-test-ports");
        std::fs::create_dir_all(&folder).unwrap();
        for block in 0..BLOCKS {
            let claim = File::create(folder.join(block.to_string())).unwrap();
            let first = FIRST + block * BLOCK;
            let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
            if claim.try_lock().is_ok() && (first..first + BLOCK).all(is_free) {
                return Self { first, _claim: claim };
            }
        }
        panic!("all ports are in use");
    }

    /// The port of that number, 0 to 7.
    pub(crate) fn get(&self, index: u16) -> u16 {
        assert!(index < BLOCK);
        self.first + index
    }
}
