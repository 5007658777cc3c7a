//! The values every part of pixmill speaks in: tasks, recipes, limits, events.
//!
//! Owns names, units, ranges and the legal transitions. Knows nothing of files, sockets, clocks, async or JSON:
//! serde derives let the edges parse and print, no format is chosen here.

mod causes;
mod disk_sync;
mod event;
mod failure;
mod file_format;
mod format;
mod id;
mod limits;
mod mask;
mod name;
mod recipe;
mod state;
mod task;
mod time;

pub use causes::Causes;
pub use disk_sync::DiskSync;
pub use event::{Event, EventCursor, EventKind};
pub use failure::{Failure, FailureCode};
pub use file_format::FileFormat;
pub use format::ImageFormat;
pub use id::{ContentHash, InstallationId, InvalidId, LeaseId, RequestId, TaskId, WorkerId};
pub use limits::{LimitExceeded, LimitName, Limits};
pub use mask::without_secrets;
pub use name::{DisplayName, Segment};
pub use recipe::asset::{AssetName, InvalidAssetName};
pub use recipe::color::{Color, InvalidColor};
pub use recipe::document::{OutputDocument, RecipeDocument, Scalar, StepDocument};
pub use recipe::gravity::{Focus, Gravity, InvalidFocus};
pub use recipe::length::{InvalidLength, Length};
pub use recipe::output::{Compression, Metadata, OutputFormat, OutputSpec, Subsampling, WriteOptions};
pub use recipe::parameter::{Parameter, ParameterKind, StepReference};
pub use recipe::ready::ReadyRecipe;
pub use recipe::steps::{self, Step};
pub use recipe::words::{InvalidWords, Words};
pub use recipe::{Recipe, RecipeError};
pub use state::{IllegalTransition, TaskState, Transition};
pub use task::{
    DEFAULT_MAX_ATTEMPTS, IdempotencyKey, InputImage, InvalidIdempotencyKey, InvalidPriority, InvalidQueueName, Mill,
    NewTask, OutputImage, Payload, Priority, QueueName, Success, Task,
};
pub use time::Timestamp;
