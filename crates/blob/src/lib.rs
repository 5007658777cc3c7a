//! Where the bytes of uploads and outputs lie: one store over the local disk or over `object_store`. And where assets do: a
//! folder.
//!
//! Owns keys, atomic publication and deletion. Knows nothing of tasks' states, images or HTTP.

mod assets;
mod azure;
mod bucket;
mod credentials;
mod error;
mod google;
mod key;
mod local;
mod object;
mod read;
mod s3;
mod store;
mod upload;
mod variables;

pub use assets::{AssetError, AssetFolder, AssetNames};
pub use azure::AzureOptions;
pub use bucket::{BucketOptions, Service};
pub use error::BlobError;
pub use google::GoogleOptions;
pub use key::BlobKey;
pub use read::BlobRead;
pub use s3::{S3Credentials, S3Options};
pub use store::BlobStore;
pub use upload::{Stored, Upload};
pub use variables::Variables;
