//! Gateway and workers in processes of their own, killed one after the other under load.

use std::time::Duration;

use rand::RngExt;

use super::ledger::Ledger;
use super::load::Load;
use super::{MAX_ATTEMPTS, seeded, server, settings};
use crate::harness::{DataFolder, ServerOptions};

/// A moment that nothing else decides: this is no wait for something.
fn pass(random: &mut impl RngExt) {
    std::thread::sleep(Duration::from_micros(random.random_range(0..60_000)));
}

#[test]
fn a_fleet_whose_processes_are_killed_in_turn_loses_nothing() {
    let mut random = seeded();
    let data = DataFolder::new();
    let mut ledger = Ledger::new(MAX_ATTEMPTS);
    let gateway = || settings(ServerOptions::gateway()).args(["--reap-interval=100ms"]);
    let worker = || settings(ServerOptions::worker()).args(["--slots=1", "--reap-interval=100ms"]);

    let mut intake = gateway().start(&data);
    let mut millers = [worker().start(&data), worker().start(&data)];
    for round in 0..4 {
        let load = Load::start(intake.client(), 3, 40, &mut random);
        load.wait_for(random.random_range(1..30));
        pass(&mut random);
        let miller = &mut millers[round % 2];
        std::mem::replace(miller, worker().start(&data)).kill();
        pass(&mut random);
        let address = intake.address().to_string();
        intake.kill();
        ledger.acknowledged(load.join());
        intake = gateway().start_at(&data, &address);
    }
    intake.stop();
    // Killed and not stopped: a drain may give back what was claimed just then, an attempt that does not count.
    for miller in millers {
        miller.kill();
    }
    ledger.settle(&data, &server());
}
