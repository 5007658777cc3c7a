//! Identifiers and their one text form each. A malformed one never becomes a value.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The text is not an identifier of the kind asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a {kind}: expected {expected}")]
pub struct InvalidId {
    kind: &'static str,
    expected: &'static str,
}

/// Names one task for ever. A UUID of version 7 (RFC 9562), so that ids sort by creation time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TaskId(Uuid);

impl TaskId {
    /// Makes a fresh id from the system clock and random bits.
    #[must_use]
    pub fn generate() -> Self {
        Self(Uuid::now_v7())
    }

    /// The 16 bytes, most significant first.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// The id of these 16 bytes, most significant first; `None` when they are not a UUID of version 7.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Option<Self> {
        let uuid = Uuid::from_bytes(bytes);
        (uuid.get_version_num() == 7).then_some(Self(uuid))
    }

    /// This id, changed so that it lies where that of `other` does: both in one folder of [`TaskId::shard`] and, in brokers
    /// that spread tasks over several places by that byte, in one place. Always the same for the same two.
    #[must_use]
    pub fn beside(self, other: Self) -> Self {
        let mut bytes = *self.as_bytes();
        bytes[15] = other.as_bytes()[15];
        Self(Uuid::from_bytes(bytes))
    }

    /// Two hexadecimal digits taken from the random part: a folder name that spreads tasks over 256 folders.
    #[must_use]
    pub fn shard(&self) -> String {
        format!("{:02x}", self.0.as_bytes()[15])
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for TaskId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = InvalidId {
            kind: "task id",
            expected: "a UUID of version 7, lower case, with hyphens",
        };
        let Ok(uuid) = Uuid::try_parse(text) else {
            return Err(invalid);
        };
        // One text form only: what is printed is what is accepted, so an id is never spelt two ways in a URL.
        if uuid.get_version_num() == 7 && uuid.hyphenated().to_string() == text {
            Ok(Self(uuid))
        } else {
            Err(invalid)
        }
    }
}

/// Says that a broker and a storage belong together. Random, made once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstallationId(Uuid);

impl InstallationId {
    /// Makes a fresh id from the system clock and random bits.
    #[must_use]
    pub fn generate() -> Self {
        Self(Uuid::now_v7())
    }
}

impl fmt::Display for InstallationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for InstallationId {
    type Err = InvalidId;

    /// Line ends around it do no harm: people copy the file that holds it.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Uuid::try_parse(text.trim()).map(Self).map_err(|_| InvalidId {
            kind: "installation id",
            expected: "a UUID",
        })
    }
}

/// Identifiers of 64 random bits, written as 16 hexadecimal digits.
macro_rules! random_bits {
    ($($(#[$attribute:meta])* $name:ident: $kind:literal;)+) => {$(
        $(#[$attribute])*
        #[serde(try_from = "String", into = "String")]
        pub struct $name(u64);

        impl $name {
            #[doc = concat!("Makes a ", $kind, " from 64 random bits.")]
            #[must_use]
            pub const fn from_bits(bits: u64) -> Self {
                Self(bits)
            }

            /// The 64 bits.
            #[must_use]
            pub const fn bits(self) -> u64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:016x}", self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let invalid = InvalidId {
                    kind: $kind,
                    expected: "16 lower-case hexadecimal digits",
                };
                parse_lower_hex::<8>(text)
                    .map(|bytes| Self(u64::from_be_bytes(bytes)))
                    .ok_or(invalid)
            }
        }
    )+};
}

random_bits! {
    /// The fence of one claim: random, never reused. Whoever holds it may finish the task; anyone else is refused.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    LeaseId: "lease id";
    /// Names one call to the broker, so that a call whose reply was lost can be asked again and gets the same answer.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
    RequestId: "request id";
}

/// BLAKE3 of some bytes: the ETag of a file, the name of a recipe, the fingerprint of a request.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ContentHash([u8; 32]);

impl ContentHash {
    /// Hashes `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// Takes a finished BLAKE3 hash.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentHash({self})")
    }
}

impl FromStr for ContentHash {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = InvalidId {
            kind: "content hash",
            expected: "64 lower-case hexadecimal digits",
        };
        parse_lower_hex::<32>(text).map(Self).ok_or(invalid)
    }
}

/// One worker process for as long as it runs: host, process id and a random part.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WorkerId(String);

impl WorkerId {
    /// The longest accepted id, bytes.
    pub const MAX_LEN: usize = 128;

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for WorkerId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let fits = (1..=Self::MAX_LEN).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidId {
                kind: "worker id",
                expected: "1 to 128 ASCII letters, digits, '.', '_' or '-'",
            })
        }
    }
}

/// serde goes through the one text form of each identifier.
macro_rules! text_form {
    ($($name:ty),+) => {$(
        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }
        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }
    )+};
}

text_form!(TaskId, LeaseId, ContentHash, WorkerId, RequestId);

fn parse_lower_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn task_ids_have_one_text_form() {
        let id = TaskId::generate();
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(TaskId::from_bytes(*id.as_bytes()), Some(id));
        assert_eq!(TaskId::from_bytes([0; 16]), None);
        for wrong in [
            "",
            "1",
            "../../etc/passwd",
            &id.to_string().to_uppercase(),
            &id.to_string().replace('-', ""),
            &format!("{{{id}}}"),
            "00000000-0000-0000-0000-000000000000",
            "f47ac10b-58cc-4372-a567-0e02b2c3d479", // version 4
        ] {
            assert!(wrong.parse::<TaskId>().is_err(), "{wrong:?} was accepted");
        }
    }

    #[test]
    fn task_ids_sort_by_creation() {
        let ids: Vec<_> = (0..100).map(|_| TaskId::generate()).collect();
        assert!(ids.is_sorted());
        assert_eq!(ids[0].shard(), ids[0].to_string()[34..]);
    }

    #[test]
    fn an_id_beside_another_shares_its_folder_and_nothing_else() {
        let (id, other) = (TaskId::generate(), TaskId::generate());
        let beside = id.beside(other);
        assert_eq!(beside.shard(), other.shard());
        assert_eq!(beside.as_bytes()[..15], id.as_bytes()[..15]);
        assert_eq!(beside.beside(other), beside);
        assert_eq!(beside.to_string().parse(), Ok(beside));
    }

    #[test]
    fn hexadecimal_identifiers_round_trip() {
        let lease = LeaseId::from_bits(0x0123_4567_89ab_cdef);
        assert_eq!(lease.to_string(), "0123456789abcdef");
        assert_eq!("0123456789abcdef".parse(), Ok(lease));
        assert!("0123456789ABCDEF".parse::<LeaseId>().is_err());
        assert!("123".parse::<LeaseId>().is_err());
        let hash = ContentHash::of(b"pixmill");
        assert_eq!(hash.to_string().parse(), Ok(hash));
    }
}
