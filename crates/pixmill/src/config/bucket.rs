//! Settings of a bucket, put together with who we are there.

use std::time::Duration;

use pixmill_blob::{AzureOptions, BucketOptions, GoogleOptions, S3Credentials, S3Options, Service};

use super::bounds::refused;
use super::place::{Cloud, Place};
use super::sections::{Azure, Gcs, S3, Storage};
use super::setting::{ConfigError, Layers};
use super::value::Auto;

/// The longest a signed link may last: a rule of the services' signatures.
const LONGEST_LINK: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Where S3 is when nobody says.
const DEFAULT_REGION: &str = "us-east-1";

/// The bucket that files lie in.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    pub(crate) options: BucketOptions,
    /// Downloads are sent there by links that are good for so long.
    pub(crate) redirect: Option<Duration>,
}

/// What a section says about the bucket, whichever service it is of.
struct Said {
    service: Service,
    endpoint: Option<String>,
    link_endpoint: Option<String>,
    redirect: Option<Duration>,
}

/// How the bucket is asked; `None` when files lie on the local disk.
pub(super) fn read(
    layers: &Layers,
    storage: &Storage,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Option<Bucket>, ConfigError> {
    let (s3, gcs, azure) = (S3::read(layers)?, Gcs::read(layers)?, Azure::read(layers)?);
    for (name, redirect, cloud) in [
        ("s3_redirect", s3.s3_redirect, Cloud::S3),
        ("gcs_redirect", gcs.gcs_redirect, Cloud::Google),
        ("azure_redirect", azure.azure_redirect, Cloud::Azure),
    ] {
        if let Some(valid_for) = redirect {
            check_redirect(name, valid_for, cloud, storage, layers)?;
        }
    }
    let Place::Bucket(cloud, bucket, prefix) = &storage.storage else {
        return Ok(None);
    };
    let said = match cloud {
        Cloud::S3 => of_s3(s3, environment),
        Cloud::Google => of_google(gcs, environment),
        Cloud::Azure => of_azure(azure, environment)?,
    };
    Ok(Some(Bucket {
        options: BucketOptions {
            bucket: bucket.clone(),
            prefix: prefix.clone(),
            endpoint: said.endpoint,
            link_endpoint: said.link_endpoint,
            service: said.service,
        },
        redirect: said.redirect,
    }))
}

fn check_redirect(
    name: &str,
    valid_for: Duration,
    cloud: Cloud,
    storage: &Storage,
    layers: &Layers,
) -> Result<(), ConfigError> {
    if !matches!(&storage.storage, Place::Bucket(used, ..) if *used == cloud) {
        return Err(ConfigError::Invalid(format!(
            "{name} is set and storage is {}, expected storage {}://BUCKET, or {name} none",
            storage.storage,
            cloud.scheme()
        )));
    }
    if !(Duration::from_secs(1)..=LONGEST_LINK).contains(&valid_for) {
        return Err(refused(layers, name, "1s to 7d, or none"));
    }
    Ok(())
}

/// What is written, or the first of the `variables` that is set.
fn given_or(written: Auto<String>, variables: &[&str], environment: impl Fn(&str) -> Option<String>) -> Option<String> {
    match written {
        Auto::Given(text) => Some(text),
        Auto::Auto => variables.iter().find_map(|name| environment(name)),
    }
}

fn of_s3(s3: S3, environment: impl Fn(&str) -> Option<String>) -> Said {
    let region = given_or(s3.s3_region, &["AWS_REGION", "AWS_DEFAULT_REGION"], &environment);
    let credentials = match s3.s3_credentials_file {
        Some(path) => S3Credentials::File {
            path,
            profile: s3.s3_profile,
        },
        None => S3Credentials::from_environment(environment),
    };
    Said {
        service: Service::S3(S3Options {
            region: region.unwrap_or_else(|| DEFAULT_REGION.to_owned()),
            path_style: match s3.s3_path_style {
                Auto::Given(path_style) => path_style,
                Auto::Auto => s3.s3_endpoint.is_some(),
            },
            credentials,
        }),
        endpoint: s3.s3_endpoint.map(|endpoint| endpoint.0),
        link_endpoint: s3.s3_redirect_endpoint.map(|endpoint| endpoint.0),
        redirect: s3.s3_redirect,
    }
}

fn of_google(gcs: Gcs, environment: impl Fn(&str) -> Option<String>) -> Said {
    Said {
        service: Service::Google(GoogleOptions::from_environment(environment)),
        endpoint: gcs.gcs_endpoint.map(|endpoint| endpoint.0),
        link_endpoint: gcs.gcs_redirect_endpoint.map(|endpoint| endpoint.0),
        redirect: gcs.gcs_redirect,
    }
}

fn of_azure(azure: Azure, environment: impl Fn(&str) -> Option<String>) -> Result<Said, ConfigError> {
    let named = ["AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_ACCOUNT_NAME"];
    let account = given_or(azure.azure_account, &named, &environment).unwrap_or_default();
    let is_in_account = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if !(3..=24).contains(&account.len()) || !account.chars().all(is_in_account) {
        return Err(ConfigError::Invalid(format!(
            "azure_account is {account:?}, expected the storage account of the container, 3 to 24 lower-case letters and \
             digits, there or in AZURE_STORAGE_ACCOUNT"
        )));
    }
    Ok(Said {
        service: Service::Azure(AzureOptions::from_environment(account, environment)),
        endpoint: azure.azure_endpoint.map(|endpoint| endpoint.0),
        link_endpoint: azure.azure_redirect_endpoint.map(|endpoint| endpoint.0),
        redirect: azure.azure_redirect,
    })
}

#[cfg(test)]
mod tests {
    use crate::config::tests::resolve;

    use super::*;

    fn bucket(flags: &[(&str, &str)], environment: &[(&str, &str)], file: &str) -> Bucket {
        resolve(flags, environment, file).unwrap().bucket.unwrap()
    }

    #[test]
    fn s3_is_asked_as_the_settings_say() {
        let environment = [
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "me"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_PAGER", "less"),
        ];
        let amazon = bucket(&[("storage", "s3://pictures")], &environment, "");
        let options = &amazon.options;
        assert_eq!((options.bucket.as_str(), options.prefix.as_str()), ("pictures", ""));
        assert_eq!(options.to_string(), "AWS");
        let Service::S3(own) = &options.service else {
            panic!("{options:?}")
        };
        assert_eq!((own.region.as_str(), own.path_style), ("eu-central-1", false));
        let printed = format!("{amazon:?}");
        assert!(
            printed.contains("AWS_SECRET_ACCESS_KEY") && !printed.contains("\"secret\""),
            "{printed}"
        );

        let file = "[storage]\nstorage = 's3://pictures/a/b/'\n[s3]\ns3_endpoint = 'http://minio:9000/'\n\
                    s3_credentials_file = '/run/secrets/s3'\n";
        let other = bucket(&[], &environment[1..], file).options;
        assert_eq!(
            (other.prefix.as_str(), other.endpoint.as_deref()),
            ("a/b", Some("http://minio:9000"))
        );
        let Service::S3(own) = &other.service else {
            panic!("{other:?}")
        };
        assert_eq!((own.region.as_str(), own.path_style), ("us-east-1", true));
        assert!(matches!(own.credentials, S3Credentials::File { .. }));
        assert!(resolve(&[], &environment, "").unwrap().bucket.is_none());
    }

    #[test]
    fn google_is_asked_as_the_settings_say() {
        let environment = [
            ("GOOGLE_SERVICE_ACCOUNT_KEY", "secret"),
            ("PIXMILL_GCS_REDIRECT", "10m"),
        ];
        let google = bucket(&[("storage", "gs://my_pictures/shop")], &environment, "");
        assert_eq!(google.redirect, Some(Duration::from_secs(600)));
        assert_eq!(google.options.to_string(), "Google Cloud");
        let printed = format!("{google:?}");
        assert!(
            printed.contains("GOOGLE_SERVICE_ACCOUNT_KEY") && !printed.contains("\"secret\""),
            "{printed}"
        );
    }

    #[test]
    fn azure_is_asked_as_the_settings_say() {
        let environment = [
            ("AZURE_STORAGE_ACCOUNT", "shop"),
            ("AZURE_STORAGE_KEY", "secret"),
            ("AZURE_STORAGE_SAS_TOKEN", ""),
        ];
        let flags = [("storage", "az://pictures")];
        let azure = bucket(&flags, &environment, "");
        assert_eq!(azure.options.to_string(), "https://shop.blob.core.windows.net");
        let printed = format!("{azure:?}");
        let shown = [r#"account: "shop""#, r#"credentials: ["AZURE_STORAGE_KEY"]"#];
        assert!(shown.iter().all(|part| printed.contains(part)), "{printed}");

        let file = "[azure]\nazure_account = 'other'\nazure_endpoint = 'http://127.0.0.1:10000/other/'\n";
        let emulator = bucket(&flags, &environment, file).options;
        assert_eq!(emulator.to_string(), "http://127.0.0.1:10000/other");
        assert!(matches!(emulator.service, Service::Azure(own) if own.account == "other"));
    }
}
