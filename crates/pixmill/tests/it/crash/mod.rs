//! A server that dies at the worst moment: what it acknowledged ends once, and nothing stray stays behind.
//!
//! The moments are fail points that abort the process, each at a hit drawn from a seed, and kills at random times. The
//! seed is printed; `PIXMILL_TEST_SEED` repeats a run.

mod fleet;
mod ledger;
mod load;

use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rustix::process::Signal;

use ledger::Ledger;
use load::Load;

use crate::harness::{DataFolder, Server, ServerOptions, testdata};

/// Attempts a task gets.
const MAX_ATTEMPTS: u64 = 3;

/// The server of all these tests. Its leases outlast every test: whoever waits for one to run out fails.
fn server() -> ServerOptions {
    settings(ServerOptions::new())
}

fn settings(options: ServerOptions) -> ServerOptions {
    options.args([
        "--lease=1h",
        "--backoff-base=10ms",
        "--backoff-cap=50ms",
        &format!("--max-attempts={MAX_ATTEMPTS}"),
    ])
}

/// Kills the process at a hit of fail point `name` after letting `hits` pass; none of the server's fail points
/// returns, they abort.
fn dying_at(name: &str, hits: u32) -> ServerOptions {
    server().env("FAILPOINTS", format!("{name}={hits}*off->return"))
}

fn seeded() -> StdRng {
    let given = std::env::var("PIXMILL_TEST_SEED").ok();
    let seed: u64 = given.map_or_else(rand::random, |seed| seed.parse().unwrap());
    eprintln!("PIXMILL_TEST_SEED={seed}");
    StdRng::seed_from_u64(seed)
}

fn assert_aborted(server: &mut Server) {
    let status = server.wait_for_exit();
    let aborted = Some(Signal::ABORT.as_raw());
    assert_eq!(status.signal(), aborted, "{status}:\n{}", server.output());
}

/// A server that listens and dies at `point`, after so many hits or a few more: idle workers claim as well, at once, and it
/// may die of that before it listens.
fn doomed(point: &str, hits: u32, data: &DataFolder) -> Server {
    let mut output = String::new();
    for hits in hits..hits + 8 {
        eprintln!("dies at hit {} of {point}", hits + 1);
        match dying_at(point, hits).try_start(data) {
            Ok(server) => return server,
            Err(printed) => output = printed,
        }
    }
    panic!("the server did not start:\n{output}")
}

/// Uploads until the server dies at `point`, then lets another one finish the work.
fn survives_a_death_at(point: &str) {
    let mut random = seeded();
    let hits = random.random_range(0..8);
    let data = DataFolder::new();
    let mut doomed = doomed(point, hits, &data);
    let load = Load::start(doomed.client(), 4, 12, &mut random);
    let mut ledger = Ledger::new(MAX_ATTEMPTS);
    ledger.acknowledged(load.join());
    assert_aborted(&mut doomed);
    ledger.settle(&data, &server());
}

macro_rules! survives_a_death_at {
    ($($test:ident: $point:literal,)+) => {$(
        #[test]
        fn $test() {
            survives_a_death_at($point);
        }
    )+};
}

survives_a_death_at! {
    a_blob_staged: "blob.staged",
    a_blob_synced: "blob.synced",
    a_blob_renamed: "blob.renamed",
    a_blob_published: "blob.published",
    a_task_about_to_be_submitted: "gateway.before_submit",
    a_task_about_to_be_committed: "broker.submit.before_commit",
    a_task_committed: "broker.submit.after_commit",
    a_task_about_to_be_acknowledged: "gateway.after_submit",
    a_claim_about_to_be_committed: "broker.claim.before_commit",
    a_claim_committed: "broker.claim.after_commit",
    a_task_claimed: "worker.claimed",
    a_task_half_milled: "worker.mid_milling",
    an_output_written: "worker.output_written",
    a_task_about_to_be_completed: "worker.before_complete",
    a_completion_about_to_be_committed: "broker.complete.before_commit",
    a_completion_committed: "broker.complete.after_commit",
    a_task_completed: "worker.after_complete",
}

/// An image that kills its worker every time: it may do so as often as it has attempts, and no more.
#[test]
fn a_poison_image_fails_after_its_last_attempt() {
    let data = DataFolder::new();
    let mut ledger = Ledger::new(MAX_ATTEMPTS);
    let gateway = server().args(["--slots=0"]).start(&data);
    let poison = gateway
        .client()
        .upload("poison.png", &testdata("pngsuite/basn2c08.png"));
    gateway.stop();
    ledger.acknowledged(vec![poison.clone()]);
    for _ in 0..MAX_ATTEMPTS {
        // It may die before it has told where it listens.
        let (status, output) = dying_at("worker.mid_milling", 0).start_refused(&data, "127.0.0.1:0");
        assert_eq!(status.signal(), Some(Signal::ABORT.as_raw()), "{status}:\n{output}");
    }
    // Still deadly, but nobody touches the image again.
    let survivor = dying_at("worker.mid_milling", 0).start(&data);
    let record = survivor.client().wait_until_final(&poison);
    assert_eq!(record["state"], "failed", "{record:#}");
    assert_eq!(record["failure"]["code"], "crashed", "{record:#}");
    assert_eq!(record["attempt"], MAX_ATTEMPTS, "{record:#}");
    survivor.stop();
    ledger.settle(&data, &server());
}

/// `kill -9`, again and again, at no particular moment, while clients upload and workers mill.
#[test]
fn kills_at_random_moments_lose_nothing() {
    let mut random = seeded();
    let data = DataFolder::new();
    let mut ledger = Ledger::new(MAX_ATTEMPTS);
    for _ in 0..8 {
        let victim = server().start(&data);
        let load = Load::start(victim.client(), 4, 100, &mut random);
        load.wait_for(random.random_range(0..40));
        // Not a wait for something: the moment itself is what is drawn.
        std::thread::sleep(Duration::from_micros(random.random_range(0..30_000)));
        victim.kill();
        ledger.acknowledged(load.join());
    }
    ledger.settle(&data, &server());
}
