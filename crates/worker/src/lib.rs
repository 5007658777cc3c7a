//! Takes tasks from the broker, has the engine mill them, delivers the outputs.
//!
//! Owns the claim loop, the heartbeat, the registration, the control channel, the reaper, the janitor and the milling
//! threads, one file each. Knows nothing of HTTP, of how tasks come into being, of codecs, or of which broker and store it works on.

mod assets;
mod attempt;
mod backoff;
mod capacity;
mod claim;
mod context;
mod control;
mod heartbeat;
mod installation;
mod janitor;
mod metrics;
mod mill;
mod options;
mod reaper;
mod registration;
mod remains;
mod running;
mod settle;
mod slots;
mod store;
mod upkeep;
mod worker;

pub use assets::FolderAssets;
pub use installation::{BrokerPlace, InstallationError, check_installation};
pub use options::WorkerOptions;
pub use worker::{Worker, WorkerServices};
