//! Settings of a bucket, put together with who we are there.

use std::time::Duration;

use pixmill_blob::{S3Credentials, S3Options};

use super::sections::{S3, Storage};
use super::setting::ConfigError;
use super::value::{Auto, Place};

/// The longest a signed link may last: a rule of S3's signatures.
const LONGEST_LINK: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Where S3 is when nobody says.
const DEFAULT_REGION: &str = "us-east-1";

/// How the bucket is asked; `None` when files lie on the local disk.
pub(super) fn options(
    storage: &Storage,
    s3: &S3,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Option<S3Options>, ConfigError> {
    let Place::S3 { bucket, prefix } = &storage.storage else {
        return match s3.s3_redirect {
            Some(_) => Err(ConfigError::Invalid(
                "s3_redirect is set and storage is local, expected storage s3://BUCKET, or s3_redirect none".to_owned(),
            )),
            None => Ok(None),
        };
    };
    if let Some(valid_for) = s3.s3_redirect
        && !(Duration::from_secs(1)..=LONGEST_LINK).contains(&valid_for)
    {
        return Err(ConfigError::Invalid(format!(
            "s3_redirect is {}, expected 1s to 7d, or none",
            humantime::format_duration(valid_for)
        )));
    }
    let region = match &s3.s3_region {
        Auto::Given(region) => region.clone(),
        Auto::Auto => ["AWS_REGION", "AWS_DEFAULT_REGION"]
            .into_iter()
            .find_map(&environment)
            .unwrap_or_else(|| DEFAULT_REGION.to_owned()),
    };
    let credentials = match &s3.s3_credentials_file {
        Some(path) => S3Credentials::File {
            path: path.clone(),
            profile: s3.s3_profile.clone(),
        },
        None => {
            let read = |name: &&str| environment(name).map(|value| ((*name).to_owned(), value));
            S3Credentials::Environment(S3Credentials::variables().iter().filter_map(read).collect())
        }
    };
    Ok(Some(S3Options {
        bucket: bucket.clone(),
        prefix: prefix.clone(),
        endpoint: s3.s3_endpoint.as_ref().map(|endpoint| endpoint.0.clone()),
        link_endpoint: s3.s3_redirect_endpoint.as_ref().map(|endpoint| endpoint.0.clone()),
        region,
        path_style: match s3.s3_path_style {
            Auto::Given(path_style) => path_style,
            Auto::Auto => s3.s3_endpoint.is_some(),
        },
        credentials,
    }))
}
