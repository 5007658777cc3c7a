//! What is acknowledged has reached the disk: the system calls of an upload, in their order, as strace sees them.
//!
//! Written → synced → renamed → folders synced → journal written and synced → 202. A promise to a power cut cannot be
//! tried by killing a process, so the calls themselves are looked at; and the look is tried on a trace that lacks
//! one of them, for each of them.

mod calls;
mod promise;

use std::path::Path;

use calls::{Call, parse};
use promise::{Step, Upload, check};

use crate::harness::{DataFolder, ServerOptions, eventually, testdata};

/// Calls that the promise is about; a leading `?` lets an architecture lack one.
const TRACED: &str = "trace=?open,openat,?mkdir,mkdirat,write,writev,pwrite64,pwritev,sendto,sendmsg,fsync,fdatasync,\
     ?rename,?renameat,renameat2";

/// Uploads one photo to a server under strace; the calls the server made, and the path of the stored photo.
fn traced_upload(photo: &str, settings: &[&str]) -> (Vec<Call>, Upload) {
    let data = DataFolder::new();
    let traces = tempfile::tempdir().unwrap();
    let trace = traces.path().join("trace");
    let strace = ["strace", "-D", "-f", "-y", "-s", "32", "-e", TRACED, "-o"];
    let server = ServerOptions::new()
        .under(strace.map(Path::new).into_iter().chain([trace.as_path()]))
        // No worker: whatever is written after the upload is written for it.
        .args(["--slots", "0"])
        .args(settings.iter().copied())
        .start(&data);
    let task = server.client().upload("photo.jpg", &testdata(photo));
    // strace pads process ids to five columns.
    let ended = format!("{:<5} +++ exited", server.pid());
    server.stop();
    let calls = eventually("the end of the trace", || {
        let text = std::fs::read_to_string(&trace).unwrap();
        text.contains(&ended).then(|| parse(&text))
    });
    let root = data.path().canonicalize().unwrap();
    let stored = data.task_files();
    let stored = match &stored[..] {
        [only] if only.contains(&task) => root.join(only),
        other => panic!("expected one file of task {task}, found {other:?}"),
    };
    (calls, Upload::new(&root, &stored))
}

fn check_promise(photo: &str) {
    let (calls, upload) = traced_upload(photo, &[]);
    if let Err(broken) = check(&calls, &upload) {
        panic!("{broken}\n{}", relevant(&calls, &upload));
    }
    for step in upload.steps() {
        let (taken_out, rest): (Vec<Call>, Vec<Call>) = calls.iter().cloned().partition(|call| step.matches(call));
        assert!(!taken_out.is_empty(), "no call is {}", step.name());
        assert!(
            check(&rest, &upload).is_err(),
            "nobody would notice if it were left out: {}",
            step.name()
        );
        if step.is_last() {
            continue;
        }
        let too_late = put_off(rest, taken_out);
        assert!(
            check(&too_late, &upload).is_err(),
            "nobody would notice if it came after the answer: {}",
            step.name()
        );
    }
}

/// `calls`, followed by `late` ones.
fn put_off(mut calls: Vec<Call>, late: Vec<Call>) -> Vec<Call> {
    let mut now = calls.iter().map(|call| call.ended).max().unwrap_or(0);
    calls.extend(late.into_iter().map(|call| {
        now += 2;
        Call {
            began: now,
            ended: now + 1,
            ..call
        }
    }));
    calls
}

fn relevant(calls: &[Call], upload: &Upload) -> String {
    let of_upload = |call: &&Call| upload.steps().iter().any(|step| step.matches(call));
    let lines = calls.iter().filter(of_upload).map(ToString::to_string);
    lines.collect::<Vec<_>>().join("\n")
}

/// Small enough to be written and published in one go.
#[test]
fn a_small_upload_is_durable_before_it_is_acknowledged() {
    check_promise("bench/photo_0.3mp.jpg");
}

/// Written in several pieces.
#[test]
fn a_large_upload_is_durable_before_it_is_acknowledged() {
    check_promise("bench/photo_2mp_444.jpg");
}

/// Asked to, nothing of an upload waits for the disk; all else is as it was.
#[test]
fn with_sync_never_an_upload_is_written_and_not_synced() {
    let (calls, upload) = traced_upload("bench/photo_0.3mp.jpg", &["--sync", "never"]);
    let steps = upload.steps();
    let first = |step: &Step| calls.iter().find(|call| step.matches(call)).map(|call| call.began);
    // What the start syncs, the folders and the head of an empty log, comes before the upload.
    let (began, answered) = (first(&steps[0]).unwrap(), first(&Step::Answer).unwrap());
    for step in &steps {
        let is_sync = matches!(
            step,
            Step::SyncFile { .. } | Step::SyncFolder { .. } | Step::SyncLog { .. }
        );
        let taken = calls
            .iter()
            .any(|call| step.matches(call) && (began..=answered).contains(&call.began));
        assert_eq!(taken, !is_sync, "{}\n{}", step.name(), relevant(&calls, &upload));
    }
}
