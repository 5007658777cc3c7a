//! A bucket of Google Cloud Storage, through its XML API.

use object_store::gcp::{GoogleCloudStorage, GoogleCloudStorageBuilder, GoogleConfigKey};

use crate::bucket::{client, retry};
use crate::{BlobError, BucketOptions, Variables};

/// Without any of them the gcloud tool's own file counts, below the home folder, and then the identity of the machine.
const VARIABLES: &[(&str, GoogleConfigKey)] = &[
    (
        "GOOGLE_APPLICATION_CREDENTIALS",
        GoogleConfigKey::ApplicationCredentials,
    ),
    ("GOOGLE_SERVICE_ACCOUNT", GoogleConfigKey::ServiceAccount),
    ("GOOGLE_SERVICE_ACCOUNT_KEY", GoogleConfigKey::ServiceAccountKey),
];
/// Those that nobody else has to be asked about. The application's credentials may be a user's, which are.
const AT_HAND: &[&str] = &["GOOGLE_SERVICE_ACCOUNT", "GOOGLE_SERVICE_ACCOUNT_KEY"];

/// What is said to Google Cloud Storage alone.
#[derive(Debug, Clone)]
pub struct GoogleOptions {
    /// Who we are there.
    pub credentials: Variables,
}

impl GoogleOptions {
    /// Takes the credentials from the variables that `lookup` knows: the key of a service account or a file with it, or
    /// a file of the application's default credentials.
    #[must_use]
    pub fn from_environment(lookup: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            credentials: Variables::collect(VARIABLES, lookup),
        }
    }
}

/// What could have been set where nothing says who we are: then the gcloud tool's file or the identity of the machine is
/// asked for.
pub(crate) fn missing(own: &GoogleOptions) -> Option<&'static str> {
    let names: Vec<&str> = VARIABLES.iter().map(|(name, _)| *name).collect();
    (!own.credentials.has_any_of(&names)).then_some("GOOGLE_APPLICATION_CREDENTIALS")
}

pub(crate) fn bucket(
    options: &BucketOptions,
    own: &GoogleOptions,
    endpoint: Option<&str>,
) -> Result<GoogleCloudStorage, BlobError> {
    let mut builder = GoogleCloudStorageBuilder::new()
        .with_bucket_name(&options.bucket)
        .with_retry(retry())
        .with_client_options(client(endpoint, own.credentials.has_any_of(AT_HAND)));
    if let Some(endpoint) = endpoint {
        builder = builder.with_base_url(endpoint);
    }
    let builder = own
        .credentials
        .tell(VARIABLES, builder, GoogleCloudStorageBuilder::with_config);
    Ok(builder.build()?)
}
