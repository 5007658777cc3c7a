//! Opens a store in a bucket of S3 or of anything that speaks its protocol, and signs links to what lies there.
//!
//! Patience is short: whoever uploads waits for the answer, and a worker tries again by itself.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::signer::{Method, SignedUrlOptions, Signer};
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};

use crate::credentials::CredentialsFile;
use crate::{BlobError, BlobKey};

/// How long the other side may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long one request may take, the 8 MiB of a part included.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// After that nothing is tried again.
const RETRY_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_RETRIES: usize = 4;

/// The variables of the environment that say who we are, by the names every tool for AWS gives them.
const CREDENTIAL_VARIABLES: &[&str] = &[
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_ENDPOINT_URL_STS",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_METADATA_ENDPOINT",
];

/// Where a bucket is and how it is asked.
#[derive(Debug, Clone)]
pub struct S3Options {
    /// The bucket's name.
    pub bucket: String,
    /// What stands before every key, without a slash at either end; may be empty.
    pub prefix: String,
    /// `http://` or `https://`, host and port; `None` for that of AWS in the region.
    pub endpoint: Option<String>,
    /// The same for links that are given to clients, when these reach the store by another name.
    pub link_endpoint: Option<String>,
    /// The region.
    pub region: String,
    /// Whether the bucket stands in the path rather than in the host's name.
    pub path_style: bool,
    /// Who we are there.
    pub credentials: S3Credentials,
}

/// Where the credentials come from.
#[derive(Clone)]
pub enum S3Credentials {
    /// From these variables of the environment, of which [`S3Credentials::variables`] are looked at: a key and its
    /// secret, a web identity, a container's role. Without any of them from the machine's own role.
    Environment(Vec<(String, String)>),
    /// From a file in the format of `~/.aws/credentials`, which is read again every minute.
    File {
        /// The file.
        path: PathBuf,
        /// The section in it.
        profile: String,
    },
}

impl S3Credentials {
    /// The variables that [`S3Credentials::Environment`] may hold.
    #[must_use]
    pub const fn variables() -> &'static [&'static str] {
        CREDENTIAL_VARIABLES
    }

    /// Whether nobody has to be asked for them.
    fn are_at_hand(&self) -> bool {
        match self {
            Self::Environment(variables) => variables.iter().any(|(name, _)| name == "AWS_ACCESS_KEY_ID"),
            Self::File { .. } => true,
        }
    }
}

impl std::fmt::Debug for S3Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            // The values are secret.
            Self::Environment(variables) => f.debug_list().entries(variables.iter().map(|(name, _)| name)).finish(),
            Self::File { path, profile } => f
                .debug_struct("File")
                .field("path", path)
                .field("profile", profile)
                .finish(),
        }
    }
}

/// A bucket, or what lies below a prefix of it.
pub(crate) fn open(options: &S3Options) -> Result<(Arc<dyn ObjectStore>, Links), BlobError> {
    // Whoever came first has installed the same one, or knows what it does.
    let _installed_before = rustls::crypto::ring::default_provider().install_default();
    let store = bucket(options, options.endpoint.as_deref())?;
    let signer = match &options.link_endpoint {
        Some(endpoint) => bucket(options, Some(endpoint))?,
        None => store.clone(),
    };
    let prefix = Path::from(options.prefix.as_str());
    let links = Links {
        signer: Arc::new(signer),
        prefix: prefix.clone(),
    };
    let store: Arc<dyn ObjectStore> = if options.prefix.is_empty() {
        Arc::new(store)
    } else {
        Arc::new(PrefixStore::new(store, prefix))
    };
    Ok((store, links))
}

fn bucket(options: &S3Options, endpoint: Option<&str>) -> Result<AmazonS3, BlobError> {
    let mut client = ClientOptions::new()
        .with_connect_timeout(CONNECT_TIMEOUT)
        .with_timeout(REQUEST_TIMEOUT);
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&options.bucket)
        .with_region(&options.region)
        .with_virtual_hosted_style_request(!options.path_style)
        .with_retry(RetryConfig {
            backoff: BackoffConfig {
                init_backoff: Duration::from_millis(100),
                max_backoff: Duration::from_secs(1),
                base: 2.0,
            },
            max_retries: MAX_RETRIES,
            retry_timeout: RETRY_TIMEOUT,
        });
    if let Some(endpoint) = endpoint {
        let is_plain = endpoint.starts_with("http://");
        client = client
            .with_allow_http(is_plain)
            // Certificates are asked for even where nothing is encrypted, and a small container may have none.
            .with_no_system_certificates(is_plain && options.credentials.are_at_hand());
        builder = builder.with_endpoint(if options.path_style {
            endpoint.to_owned()
        } else {
            endpoint.replacen("://", &format!("://{}.", options.bucket), 1)
        });
    }
    builder = builder.with_client_options(client);
    builder = match &options.credentials {
        S3Credentials::File { path, profile } => {
            builder.with_credentials(Arc::new(CredentialsFile::new(path.clone(), profile.clone())))
        }
        S3Credentials::Environment(variables) => with_variables(builder, variables)?,
    };
    Ok(builder.build()?)
}

fn with_variables(mut builder: AmazonS3Builder, variables: &[(String, String)]) -> Result<AmazonS3Builder, BlobError> {
    for (name, value) in variables {
        if CREDENTIAL_VARIABLES.contains(&name.as_str()) {
            let key: AmazonS3ConfigKey = name.to_ascii_lowercase().parse()?;
            builder = builder.with_config(key, value);
        }
    }
    Ok(builder)
}

/// Signs links.
#[derive(Debug, Clone)]
pub(crate) struct Links {
    signer: Arc<dyn Signer>,
    prefix: Path,
}

impl Links {
    /// A link under which anybody can fetch the blob for as long as `valid_for`, served as `media_type` and with
    /// `disposition`.
    pub(crate) async fn link(
        &self,
        key: &BlobKey,
        media_type: &str,
        disposition: &str,
        valid_for: Duration,
    ) -> Result<String, BlobError> {
        let path: Path = self.prefix.parts().chain(Path::from(key.as_str()).parts()).collect();
        let options = SignedUrlOptions::new().with_query([
            ("response-content-type", media_type),
            ("response-content-disposition", disposition),
        ]);
        let url = self
            .signer
            .signed_url_opts(Method::GET, &path, valid_for, &options)
            .await?;
        Ok(url.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_is_understood() {
        for name in CREDENTIAL_VARIABLES {
            assert!(name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>().is_ok(), "{name}");
        }
    }
}
