//! Opens a store in a bucket, whichever service has it, and signs links to what lies there. Holds what is the same for
//! all services; what each wants of its own is in `s3`, `google` and `azure`.
//!
//! Patience is short: whoever uploads waits for the answer, and a worker tries again by itself.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::signer::{Method, SignedUrlOptions, Signer};
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};

use crate::{AzureOptions, BlobError, GoogleOptions, S3Options, azure, google, s3};

/// How long the other side may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long one request may take, the 8 MiB of a part included.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// After that nothing is tried again.
const RETRY_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_RETRIES: usize = 4;

/// Where a bucket is and how it is asked.
#[derive(Debug, Clone)]
pub struct BucketOptions {
    /// The bucket's name; the container's on Azure.
    pub bucket: String,
    /// What stands before every key, without a slash at either end; may be empty.
    pub prefix: String,
    /// `http://` or `https://`, host and port, on Azure perhaps a path; `None` for that of the vendor.
    pub endpoint: Option<String>,
    /// The same for links that are given to clients, when these reach the store by another name.
    pub link_endpoint: Option<String>,
    /// Whose bucket it is.
    pub service: Service,
}

/// The services that have buckets, with what is said to one alone.
#[derive(Debug, Clone)]
pub enum Service {
    /// S3 of AWS, or whatever speaks its protocol.
    S3(S3Options),
    /// Google Cloud Storage.
    Google(GoogleOptions),
    /// Azure Blob Storage.
    Azure(AzureOptions),
}

impl BucketOptions {
    /// The settings that would say who we are, where none is set and the machine itself has to be known to the service.
    #[must_use]
    pub fn missing_credentials(&self) -> Option<&'static str> {
        match &self.service {
            Service::S3(own) => own.credentials.missing(),
            Service::Google(own) => google::missing(own),
            Service::Azure(own) => azure::missing(own),
        }
    }
}

impl fmt::Display for BucketOptions {
    /// The server that is asked.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.endpoint, &self.service) {
            (Some(endpoint), _) => f.write_str(endpoint),
            (None, Service::S3(_)) => f.write_str("AWS"),
            (None, Service::Google(_)) => f.write_str("Google Cloud"),
            (None, Service::Azure(azure)) => f.write_str(&azure::own_endpoint(&azure.account)),
        }
    }
}

/// A bucket, or what lies below a prefix of it.
pub(crate) fn open(options: &BucketOptions) -> Result<(Arc<dyn ObjectStore>, Links), BlobError> {
    // Whoever came first has installed the same one, or knows what it does.
    let _installed_before = rustls::crypto::ring::default_provider().install_default();
    match &options.service {
        Service::S3(own) => with_links(options, |endpoint| s3::bucket(options, own, endpoint)),
        Service::Google(own) => with_links(options, |endpoint| google::bucket(options, own, endpoint)),
        Service::Azure(own) => {
            let store = azure::container(options, own, options.endpoint.as_deref())?;
            let signed_at = azure::signed_at(options, own);
            let links = Links {
                signer: Arc::new(azure::container(options, own, Some(&signed_at))?),
                prefix: Path::from(options.prefix.as_str()),
                may_say_how: false,
                moved: Some(azure::moved(options, own, &signed_at)?),
            };
            Ok((below_prefix(options, store), links))
        }
    }
}

/// With links that are signed for where they lead, and may say how the blob is to be served. Those to Google are signed for
/// its own host wherever they lead.
fn with_links<S: ObjectStore + Signer>(
    options: &BucketOptions,
    bucket_at: impl Fn(Option<&str>) -> Result<S, BlobError>,
) -> Result<(Arc<dyn ObjectStore>, Links), BlobError> {
    let store = bucket_at(options.endpoint.as_deref())?;
    let link_endpoint = options.link_endpoint.as_ref().or(options.endpoint.as_ref());
    let links = Links {
        signer: Arc::new(bucket_at(link_endpoint.map(String::as_str))?),
        prefix: Path::from(options.prefix.as_str()),
        may_say_how: true,
        moved: None,
    };
    Ok((below_prefix(options, store), links))
}

fn below_prefix(options: &BucketOptions, store: impl ObjectStore) -> Arc<dyn ObjectStore> {
    if options.prefix.is_empty() {
        Arc::new(store)
    } else {
        Arc::new(PrefixStore::new(store, options.prefix.as_str()))
    }
}

/// How the server at `endpoint` is talked to. No system's certificates are asked for where `has_credentials_at_hand`
/// and nothing is encrypted, for a small container may have none.
pub(crate) fn client(endpoint: Option<&str>, has_credentials_at_hand: bool) -> ClientOptions {
    let is_plain = endpoint.is_some_and(|endpoint| endpoint.starts_with("http://"));
    ClientOptions::new()
        .with_connect_timeout(CONNECT_TIMEOUT)
        .with_timeout(REQUEST_TIMEOUT)
        .with_allow_http(is_plain)
        .with_no_system_certificates(is_plain && has_credentials_at_hand)
}

pub(crate) fn retry() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(1),
            base: 2.0,
        },
        max_retries: MAX_RETRIES,
        retry_timeout: RETRY_TIMEOUT,
    }
}

/// Signs links.
#[derive(Debug, Clone)]
pub(crate) struct Links {
    signer: Arc<dyn Signer>,
    prefix: Path,
    /// Whether a link may say as what the blob is to be served.
    may_say_how: bool,
    /// What a signed link begins with, and what it is to begin with, where the host is not part of the signature.
    moved: Option<(String, String)>,
}

impl Links {
    /// A link under which anybody can fetch what lies at `key` for as long as `valid_for`, served as `media_type` and
    /// with `disposition` where the service lets a link say so.
    pub(crate) async fn link(
        &self,
        key: &str,
        media_type: &str,
        disposition: &str,
        valid_for: Duration,
    ) -> Result<String, BlobError> {
        let path: Path = self.prefix.parts().chain(Path::from(key).parts()).collect();
        let options = if self.may_say_how {
            SignedUrlOptions::new().with_query([
                ("response-content-type", media_type),
                ("response-content-disposition", disposition),
            ])
        } else {
            SignedUrlOptions::new()
        };
        let url = self
            .signer
            .signed_url_opts(Method::GET, &path, valid_for, &options)
            .await?;
        let Some((from, to)) = &self.moved else {
            return Ok(url.into());
        };
        let below = url.as_str().strip_prefix(from.as_str());
        let below =
            below.ok_or_else(|| BlobError::unavailable(format!("a link was signed that is not below {from}")))?;
        Ok(format!("{to}{below}"))
    }
}
