//! A bucket of S3, or of anything that speaks its protocol.

use std::path::PathBuf;
use std::sync::Arc;

use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};

use crate::bucket::{client, retry};
use crate::credentials::CredentialsFile;
use crate::{BlobError, BucketOptions, Variables};

/// By the names that every tool for AWS gives them. Without any of them the machine's own role counts.
const VARIABLES: &[(&str, AmazonS3ConfigKey)] = &[
    ("AWS_ACCESS_KEY_ID", AmazonS3ConfigKey::AccessKeyId),
    ("AWS_SECRET_ACCESS_KEY", AmazonS3ConfigKey::SecretAccessKey),
    ("AWS_SESSION_TOKEN", AmazonS3ConfigKey::Token),
    ("AWS_WEB_IDENTITY_TOKEN_FILE", AmazonS3ConfigKey::WebIdentityTokenFile),
    ("AWS_ROLE_ARN", AmazonS3ConfigKey::RoleArn),
    ("AWS_ROLE_SESSION_NAME", AmazonS3ConfigKey::RoleSessionName),
    ("AWS_ENDPOINT_URL_STS", AmazonS3ConfigKey::StsEndpoint),
    (
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        AmazonS3ConfigKey::ContainerCredentialsRelativeUri,
    ),
    (
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        AmazonS3ConfigKey::ContainerCredentialsFullUri,
    ),
    (
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        AmazonS3ConfigKey::ContainerAuthorizationTokenFile,
    ),
    ("AWS_METADATA_ENDPOINT", AmazonS3ConfigKey::MetadataEndpoint),
];

/// Those that say who we are.
const IDENTITIES: &[&str] = &[
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
];

/// What is said to S3 alone.
#[derive(Debug, Clone)]
pub struct S3Options {
    /// The region.
    pub region: String,
    /// Whether the bucket stands in the path rather than in the host's name.
    pub path_style: bool,
    /// Who we are there.
    pub credentials: S3Credentials,
}

/// Where the credentials come from.
#[derive(Debug, Clone)]
pub enum S3Credentials {
    /// From these variables of the environment: a key and its secret, a web identity, a container's role.
    Environment(Variables),
    /// From a file in the format of `~/.aws/credentials`, which is read again every minute.
    File {
        /// The file.
        path: PathBuf,
        /// The section in it.
        profile: String,
    },
}

impl S3Credentials {
    /// Takes them from the variables that `lookup` knows.
    #[must_use]
    pub fn from_environment(lookup: impl Fn(&str) -> Option<String>) -> Self {
        Self::Environment(Variables::collect(VARIABLES, lookup))
    }

    /// What could have been set where nothing is: then the machine's own role is asked for.
    pub(crate) fn missing(&self) -> Option<&'static str> {
        let is_given = match self {
            Self::Environment(variables) => variables.has_any_of(IDENTITIES),
            Self::File { .. } => true,
        };
        (!is_given).then_some("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or s3_credentials_file,")
    }

    /// Whether nobody has to be asked for them.
    fn are_at_hand(&self) -> bool {
        match self {
            Self::Environment(variables) => variables.has_any_of(&["AWS_ACCESS_KEY_ID"]),
            Self::File { .. } => true,
        }
    }
}

pub(crate) fn bucket(options: &BucketOptions, own: &S3Options, endpoint: Option<&str>) -> Result<AmazonS3, BlobError> {
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&options.bucket)
        .with_region(&own.region)
        .with_virtual_hosted_style_request(!own.path_style)
        .with_retry(retry())
        .with_client_options(client(endpoint, own.credentials.are_at_hand()));
    if let Some(endpoint) = endpoint {
        builder = builder.with_endpoint(if own.path_style {
            endpoint.to_owned()
        } else {
            endpoint.replacen("://", &format!("://{}.", options.bucket), 1)
        });
    }
    let builder = match &own.credentials {
        S3Credentials::File { path, profile } => {
            builder.with_credentials(Arc::new(CredentialsFile::new(path.clone(), profile.clone())))
        }
        S3Credentials::Environment(variables) => variables.tell(VARIABLES, builder, AmazonS3Builder::with_config),
    };
    Ok(builder.build()?)
}
