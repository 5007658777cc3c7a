//! What this machine, or the container around us, has to give.

use std::fs;

use pixmill_types::{InvalidId, WorkerId};

/// Assumed when the system does not say, bytes.
const UNKNOWN_MEMORY: u64 = 2 << 30;

/// Cores this process may use.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Memory of the machine or, when it is smaller, of the container, bytes.
pub(crate) fn memory_bytes() -> u64 {
    let machine = fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| total_of(&text));
    let container = fs::read_to_string("/sys/fs/cgroup/memory.max")
        .ok()
        .and_then(|text| text.trim().parse().ok());
    [machine, container]
        .into_iter()
        .flatten()
        .min()
        .unwrap_or(UNKNOWN_MEMORY)
}

/// The name of this machine or container.
pub(crate) fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// A name for a worker of this process: host, process id and random bits.
///
/// # Errors
/// Never in practice: the host's name is cleaned first.
pub(crate) fn worker_id() -> Result<WorkerId, InvalidId> {
    let host: String = host()
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' || c == '.' {
                c
            } else {
                '_'
            }
        })
        .take(64)
        .collect();
    format!("{host}-{}-{:08x}", std::process::id(), rand::random::<u32>()).parse()
}

fn total_of(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_in_kibibytes() {
        assert_eq!(
            total_of("MemTotal:       24576000 kB\nMemFree: 1 kB\n"),
            Some(24_576_000 * 1024)
        );
        assert_eq!(total_of("nothing"), None);
    }

    #[test]
    fn worker_ids_differ() {
        assert_ne!(worker_id().unwrap(), worker_id().unwrap());
    }
}
