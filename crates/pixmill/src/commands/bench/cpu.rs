//! CPU time and memory of processes, from `/proc`.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use anyhow::Context as _;

/// CPU time of the threads of process `pid` so far, summed by thread name.
pub(super) fn by_thread_name(pid: u32) -> anyhow::Result<BTreeMap<String, Duration>> {
    let mut times = BTreeMap::new();
    let folder = format!("/proc/{pid}/task");
    for thread in fs::read_dir(&folder).with_context(|| format!("cannot read {folder}"))? {
        let folder = thread?.path();
        // A thread may end between the listing and the reading.
        let (Ok(name), Ok(schedule)) = (
            fs::read_to_string(folder.join("comm")),
            fs::read_to_string(folder.join("schedstat")),
        ) else {
            continue;
        };
        let nanos: u64 = schedule
            .split(' ')
            .next()
            .and_then(|text| text.parse().ok())
            .unwrap_or_default();
        let part = name
            .trim()
            .trim_end_matches(|c: char| c.is_ascii_digit() || c == '-')
            .to_owned();
        *times.entry(part).or_insert(Duration::ZERO) += Duration::from_nanos(nanos);
    }
    Ok(times)
}

/// CPU time of this process so far.
pub(super) fn of_this_process() -> Duration {
    of_clock(rustix::time::ClockId::ProcessCPUTime)
}

/// CPU time of this thread so far.
pub(super) fn of_this_thread() -> Duration {
    of_clock(rustix::time::ClockId::ThreadCPUTime)
}

fn of_clock(clock: rustix::time::ClockId) -> Duration {
    let time = rustix::time::clock_gettime(clock);
    Duration::new(
        time.tv_sec.unsigned_abs(),
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    )
}

/// A line of `/proc/<pid>/status` in KiB, as bytes: `VmRSS`, `VmHWM`.
pub(super) fn status_bytes(pid: u32, line: &str) -> anyhow::Result<u64> {
    let path = format!("/proc/{pid}/status");
    let status = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let value = status
        .lines()
        .find_map(|text| text.strip_prefix(line)?.strip_prefix(':'));
    let kibibytes: u64 = value
        .and_then(|value| value.trim().strip_suffix("kB")?.trim().parse().ok())
        .with_context(|| format!("{path} has no {line}"))?;
    Ok(kibibytes * 1024)
}

/// Makes `VmHWM` of process `pid` count from now on.
pub(super) fn reset_peak_memory(pid: u32) -> anyhow::Result<()> {
    let path = format!("/proc/{pid}/clear_refs");
    fs::write(&path, "5").with_context(|| format!("cannot write {path}"))
}
