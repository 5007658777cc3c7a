//! Credentials of S3 from a file in the format of `~/.aws/credentials`. Read again from time to time, so that a key can
//! be changed under a running process.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use object_store::CredentialProvider;
use object_store::aws::AwsCredential;

/// What was read longer ago is read again.
const MAX_AGE: Duration = Duration::from_secs(60);

/// A file with credentials, and what was read from it last.
pub(crate) struct CredentialsFile {
    path: PathBuf,
    profile: String,
    last: Mutex<Option<(Instant, Arc<AwsCredential>)>>,
}

/// The file is of no use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CredentialsError {
    #[error("cannot read the credentials file {}: {problem}", path.display())]
    Unreadable { path: PathBuf, problem: std::io::Error },
    #[error("the credentials file {} has no {missing} in its section [{profile}]", path.display())]
    Incomplete {
        path: PathBuf,
        profile: String,
        missing: &'static str,
    },
}

impl fmt::Debug for CredentialsFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialsFile")
            .field("path", &self.path)
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}

impl CredentialsFile {
    pub(crate) fn new(path: PathBuf, profile: String) -> Self {
        Self {
            path,
            profile,
            last: Mutex::new(None),
        }
    }

    fn fresh(&self) -> Option<Arc<AwsCredential>> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (read, credential) = last.as_ref()?;
        (read.elapsed() < MAX_AGE).then(|| Arc::clone(credential))
    }
}

#[async_trait]
impl CredentialProvider for CredentialsFile {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        if let Some(credential) = self.fresh() {
            return Ok(credential);
        }
        let failed = |error| object_store::Error::Generic {
            store: "S3",
            source: Box::new(error),
        };
        let text = tokio::fs::read_to_string(&self.path).await.map_err(|problem| {
            failed(CredentialsError::Unreadable {
                path: self.path.clone(),
                problem,
            })
        })?;
        let credential = Arc::new(parse(&text, &self.path, &self.profile).map_err(failed)?);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some((Instant::now(), Arc::clone(&credential)));
        Ok(credential)
    }
}

/// Reads one section of an INI file; keys and section names are those of the AWS tools.
fn parse(text: &str, path: &Path, profile: &str) -> Result<AwsCredential, CredentialsError> {
    let mut within = false;
    let (mut key_id, mut secret_key, mut token) = (None, None, None);
    for line in text.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            within = section.trim() == profile;
        } else if within && let Some((name, value)) = line.split_once('=') {
            let value = Some(value.trim().to_owned());
            match name.trim() {
                "aws_access_key_id" => key_id = value,
                "aws_secret_access_key" => secret_key = value,
                "aws_session_token" => token = value,
                // Comments, and settings of other tools.
                _ => {}
            }
        }
    }
    let incomplete = |missing| CredentialsError::Incomplete {
        path: path.to_owned(),
        profile: profile.to_owned(),
        missing,
    };
    Ok(AwsCredential {
        key_id: key_id.ok_or_else(|| incomplete("aws_access_key_id"))?,
        secret_key: secret_key.ok_or_else(|| incomplete("aws_secret_access_key"))?,
        token,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
# keys
[default]
aws_access_key_id = first
aws_secret_access_key=one=1
[other]
  aws_access_key_id = second
  aws_secret_access_key = two
  aws_session_token = three
  region = nowhere
[half]
aws_access_key_id = fourth
";

    #[test]
    fn one_section_counts() {
        let read = |profile| {
            let read = parse(FILE, Path::new("keys"), profile).map_err(|error| error.to_string())?;
            Ok::<_, String>((read.key_id, read.secret_key, read.token))
        };
        let owned = |text: &str| text.to_owned();
        assert_eq!(read("default"), Ok((owned("first"), owned("one=1"), None)));
        assert_eq!(read("other"), Ok((owned("second"), owned("two"), Some(owned("three")))));
        assert_eq!(
            read("half"),
            Err(owned(
                "the credentials file keys has no aws_secret_access_key in its section [half]"
            ))
        );
        assert_eq!(
            read("none"),
            Err(owned(
                "the credentials file keys has no aws_access_key_id in its section [none]"
            ))
        );
    }
}
