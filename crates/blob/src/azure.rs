//! A container of Azure Blob Storage.
//!
//! A link there cannot say as what a blob is served (`object_store` signs no such field), so each blob carries the media
//! type of its extension from the start.

use object_store::ClientOptions;
use object_store::azure::{AzureAccessKey, AzureConfigKey, MicrosoftAzure, MicrosoftAzureBuilder};
use object_store::signer::Url;
use pixmill_types::ImageFormat;

use crate::bucket::{client, retry};
use crate::{BlobError, BucketOptions, Variables};

/// By the names of the az tool, of Azure's libraries and of what Kubernetes and App Service set. Without any of them the
/// identity of the machine counts.
const VARIABLES: &[(&str, AzureConfigKey)] = &[
    ("AZURE_STORAGE_KEY", AzureConfigKey::AccessKey),
    ("AZURE_STORAGE_ACCOUNT_KEY", AzureConfigKey::AccessKey),
    ("AZURE_STORAGE_ACCESS_KEY", AzureConfigKey::AccessKey),
    ("AZURE_STORAGE_SAS_TOKEN", AzureConfigKey::SasKey),
    ("AZURE_TENANT_ID", AzureConfigKey::AuthorityId),
    ("AZURE_CLIENT_ID", AzureConfigKey::ClientId),
    ("AZURE_CLIENT_SECRET", AzureConfigKey::ClientSecret),
    ("AZURE_FEDERATED_TOKEN_FILE", AzureConfigKey::FederatedTokenFile),
    ("AZURE_AUTHORITY_HOST", AzureConfigKey::AuthorityHost),
    ("IDENTITY_ENDPOINT", AzureConfigKey::MsiEndpoint),
];
/// Those that nobody else has to be asked about.
const AT_HAND: &[&str] = &[
    "AZURE_STORAGE_KEY",
    "AZURE_STORAGE_ACCOUNT_KEY",
    "AZURE_STORAGE_ACCESS_KEY",
    "AZURE_STORAGE_SAS_TOKEN",
];

/// What is said to Azure alone.
#[derive(Debug, Clone)]
pub struct AzureOptions {
    /// The storage account the container is in.
    pub account: String,
    /// Who we are there.
    pub credentials: Variables,
}

impl AzureOptions {
    /// Takes the credentials from the variables that `lookup` knows: a key of the account, an identity with a token in a
    /// file or with a secret, a shared access signature, and where to ask for the identity of the machine.
    #[must_use]
    pub fn from_environment(account: String, lookup: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            account,
            credentials: Variables::collect(VARIABLES, lookup),
        }
    }
}

/// What could have been set where nothing says who we are: then the identity of the machine is asked for.
pub(crate) fn missing(own: &AzureOptions) -> Option<&'static str> {
    let is_given = own.credentials.has_any_of(AT_HAND)
        || own
            .credentials
            .has_any_of(&["AZURE_CLIENT_SECRET", "AZURE_FEDERATED_TOKEN_FILE", "IDENTITY_ENDPOINT"]);
    (!is_given).then_some("AZURE_STORAGE_KEY")
}

/// Where Azure has the account.
pub(crate) fn own_endpoint(account: &str) -> String {
    format!("https://{account}.blob.core.windows.net")
}

pub(crate) fn container(
    options: &BucketOptions,
    own: &AzureOptions,
    endpoint: Option<&str>,
) -> Result<MicrosoftAzure, BlobError> {
    if let Some(name) = own.credentials.find(VARIABLES, is_no_access_key) {
        let wrong = format!("{name} is not base64, expected an access key of the storage account as Azure shows it");
        return Err(BlobError::unavailable(wrong));
    }
    let client = client(endpoint, own.credentials.has_any_of(AT_HAND));
    let mut builder = MicrosoftAzureBuilder::new()
        .with_account(&own.account)
        .with_container_name(&options.bucket)
        .with_retry(retry())
        .with_client_options(with_media_types(client));
    if let Some(endpoint) = endpoint {
        builder = builder.with_endpoint(endpoint.to_owned());
    }
    let builder = own
        .credentials
        .tell(VARIABLES, builder, MicrosoftAzureBuilder::with_config);
    Ok(builder.build()?)
}

/// `object_store` would tell of the symbol that is wrong, not of the variable that it is in.
fn is_no_access_key(key: AzureConfigKey, value: &str) -> bool {
    matches!(key, AzureConfigKey::AccessKey) && AzureAccessKey::try_new(value).is_err()
}

/// Has uploads say what they are by their extension. Names keep the case that their clients gave them.
fn with_media_types(client: ClientOptions) -> ClientOptions {
    let of = |format: ImageFormat| {
        format
            .extensions()
            .iter()
            .map(move |extension| (*extension, format.media_type()))
    };
    let typed = ImageFormat::ALL.into_iter().flat_map(of);
    typed.fold(client, |client, (extension, media_type)| {
        client
            .with_content_type_for_suffix(extension, media_type)
            .with_content_type_for_suffix(extension.to_uppercase(), media_type)
    })
}

/// The endpoint that links are signed at. The account's name, and no host, is part of a signature, and `object_store`
/// reads the name from the endpoint: one under a domain of one's own does not show it.
pub(crate) fn signed_at(options: &BucketOptions, own: &AzureOptions) -> String {
    let tells_account = |endpoint: &&String| {
        let (_, rest) = endpoint.split_once("://").unwrap_or(("", endpoint));
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        host.split('.').next() == Some(own.account.as_str()) || path.trim_end_matches('/') == own.account
    };
    let told = options.endpoint.as_ref().filter(tells_account);
    told.cloned().unwrap_or_else(|| own_endpoint(&own.account))
}

/// What links that are signed at `signed_at` begin with, and what they are to begin with.
pub(crate) fn moved(
    options: &BucketOptions,
    own: &AzureOptions,
    signed_at: &str,
) -> Result<(String, String), BlobError> {
    let own_endpoint = own_endpoint(&own.account);
    let given = options.link_endpoint.as_ref().or(options.endpoint.as_ref());
    let to = given.unwrap_or(&own_endpoint).trim_end_matches('/').to_owned();
    let from = Url::parse(signed_at).map_err(BlobError::unavailable)?;
    Ok((from.as_str().trim_end_matches('/').to_owned(), to))
}
