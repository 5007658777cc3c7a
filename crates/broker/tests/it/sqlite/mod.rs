//! The SQLite broker: the conformance suite in three settings, and what is its own.

mod alternating;
mod backend;
mod backups;
mod child;
mod commits;
mod crashes;
mod disk_full;
mod files;
mod neighbours;
mod purge;

use backend::{CrashingBackend, ReopeningBackend, SharedBackend};

broker_conformance!(reopened, ReopeningBackend::new);
broker_conformance!(crashed, CrashingBackend::new);
broker_conformance!(shared, SharedBackend::new);
