//! The places where files may lie, and the servers that have them, each with its one written form.

use std::fmt;

use super::value::Value;

/// Where uploads and results lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the data folder.
    Local,
    /// In the bucket of that name, below a prefix without slashes at its ends, which may be empty.
    Bucket(Cloud, String, String),
}

/// The services that have buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cloud {
    S3,
    Google,
    Azure,
}

impl Cloud {
    const ALL: [Self; 3] = [Self::S3, Self::Google, Self::Azure];

    /// What the address of a bucket begins with.
    pub(crate) const fn scheme(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Google => "gs",
            Self::Azure => "az",
        }
    }

    fn may_name_a_bucket(self, name: &str) -> bool {
        let special = match self {
            Self::S3 => ".-",
            Self::Google => ".-_",
            Self::Azure => "-",
        };
        (3..=63).contains(&name.len())
            && name
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || special.contains(c))
            && name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.ends_with(|c: char| c.is_ascii_alphanumeric())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => f.write_str("local"),
            Self::Bucket(cloud, bucket, prefix) if prefix.is_empty() => write!(f, "{}://{bucket}", cloud.scheme()),
            Self::Bucket(cloud, bucket, prefix) => write!(f, "{}://{bucket}/{prefix}", cloud.scheme()),
        }
    }
}

/// Scheme, host and port of a server; no path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint(pub(crate) String);

/// The same, and perhaps a path, without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EndpointPath(pub(crate) String);

impl Value for Place {
    const ACCEPTS: &str = "local, or s3://BUCKET, gs://BUCKET or az://CONTAINER, each perhaps with /PREFIX, where a \
                           bucket has 3 to 63 lower-case letters, digits, dots and hyphens (on Azure no dots, at Google \
                           also '_'), and the parts of a prefix letters, digits, '.', '_' and '-'";
    const PLACEHOLDER: &str = "PLACE";
    const IS_ADDRESS: bool = true;

    fn parse(text: &str) -> Option<Self> {
        if text == "local" {
            return Some(Self::Local);
        }
        let (scheme, rest) = text.split_once("://")?;
        let cloud = Cloud::ALL.into_iter().find(|cloud| cloud.scheme() == scheme)?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let is_part = |part: &str| {
            let named = part.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
            named && !part.is_empty() && !part.chars().all(|c| c == '.')
        };
        // A key has 1,024 bytes at most in all of them, and the rest of ours takes less than half of that.
        let is_prefix = prefix.is_empty() || (prefix.len() <= 512 && prefix.split('/').all(is_part));
        (cloud.may_name_a_bucket(bucket) && is_prefix)
            .then(|| Self::Bucket(cloud, bucket.to_owned(), prefix.to_owned()))
    }
}

impl Value for Option<Endpoint> {
    const ACCEPTS: &str = "http:// or https://, a host and perhaps a port, such as http://minio:9000, or none";
    const PLACEHOLDER: &str = "URL";
    const IS_ADDRESS: bool = true;

    fn parse(text: &str) -> Option<Self> {
        if text == "none" {
            return Some(None);
        }
        let (server, path) = server_and_path(text)?;
        path.is_empty().then_some(Some(Endpoint(server)))
    }
}

impl Value for Option<EndpointPath> {
    const ACCEPTS: &str = "http:// or https://, a host, perhaps a port and a path, such as \
                           http://localhost:10000/devstoreaccount1, or none";
    const PLACEHOLDER: &str = "URL";
    const IS_ADDRESS: bool = true;

    fn parse(text: &str) -> Option<Self> {
        if text == "none" {
            return Some(None);
        }
        let (server, path) = server_and_path(text)?;
        Some(Some(EndpointPath(format!("{server}{path}"))))
    }
}

/// Scheme, host and port of a server, and what follows without a slash at its end; no user and no query.
fn server_and_path(text: &str) -> Option<(String, String)> {
    let uri: http::Uri = text.parse().ok()?;
    let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'))?;
    match uri.scheme_str() {
        Some(scheme @ ("http" | "https")) if uri.query().is_none() => Some((
            format!("{scheme}://{authority}"),
            uri.path().trim_end_matches('/').to_owned(),
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_written_one_way() {
        for (text, read) in [
            ("local", Some("local")),
            ("s3://pictures.of.mine/a/b/", Some("s3://pictures.of.mine/a/b")),
            ("gs://pictures_of.mine", Some("gs://pictures_of.mine")),
            ("az://pictures-of-mine/shop", Some("az://pictures-of-mine/shop")),
            ("s3://pictures_of_mine", None),
            ("az://pictures.of.mine", None),
            ("gs://pictures/../other", None),
            ("gs://pictures//a", None),
            ("gs://-pictures", None),
            ("az://me", None),
            ("file:///pictures", None),
            ("pictures", None),
        ] {
            assert_eq!(
                Place::parse(text).map(|place| place.to_string()).as_deref(),
                read,
                "{text}"
            );
        }
    }

    #[test]
    fn endpoints_may_have_a_path_where_a_service_wants_one() {
        for (text, bare, with_path) in [
            ("none", Some(None), Some(None)),
            (
                "http://minio:9000/",
                Some(Some("http://minio:9000")),
                Some(Some("http://minio:9000")),
            ),
            (
                "http://[::1]:10000/account/",
                None,
                Some(Some("http://[::1]:10000/account")),
            ),
            ("https://host/?sig=1", None, None),
            ("https://me:secret@host", None, None),
            ("ftp://host", None, None),
            ("host:9000", None, None),
        ] {
            let read = Option::<Endpoint>::parse(text);
            let read = read
                .as_ref()
                .map(|read| read.as_ref().map(|endpoint| endpoint.0.as_str()));
            assert_eq!(read, bare, "{text}");
            let read = Option::<EndpointPath>::parse(text);
            let read = read
                .as_ref()
                .map(|read| read.as_ref().map(|endpoint| endpoint.0.as_str()));
            assert_eq!(read, with_path, "{text}");
        }
    }
}
