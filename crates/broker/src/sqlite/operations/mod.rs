//! What the broker does, one file a subject. Each function is one request inside the writer's transaction, or one
//! read on a reader's connection.

pub(super) mod claim;
pub(super) mod finish;
pub(super) mod leases;
pub(super) mod manage;
pub(super) mod purge;
pub(super) mod read;
pub(super) mod reap;
pub(super) mod registry;
pub(super) mod submit;
