//! The kinds of values settings take, each with its one written form.

use std::path::PathBuf;
use std::time::Duration;

use pixmill_types::{DiskSync, QueueName};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// A value of a setting.
pub(crate) trait Value: Sized {
    /// The accepted form, for errors and docs.
    const ACCEPTS: &str;
    /// What stands for the value in the help.
    const PLACEHOLDER: &str;
    const IS_SWITCH: bool = false;
    const IS_QUOTED: bool = true;
    const IS_QUANTITY: bool = false;
    const IS_ADDRESS: bool = false;

    /// The value `text` writes; `None` when it is not of the accepted form.
    fn parse(text: &str) -> Option<Self>;
}

/// An address to listen on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListenAddress(pub(crate) std::net::SocketAddr);

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bytes(pub(crate) u64);

/// A value that pixmill works out itself unless told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Auto<T> {
    Auto,
    Given(T),
}

/// Which broker keeps the tasks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BrokerKind {
    Sqlite,
    Memory,
    /// The one at this address.
    Redis(String),
}

/// Which log lines are written, as tracing's filter takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogFilter(pub(crate) String);

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

impl Value for ListenAddress {
    const ACCEPTS: &str = "an IP address and a port, such as 127.0.0.1:8000 or [::1]:8000; port 0 takes any free one";
    const PLACEHOLDER: &str = "ADDRESS";

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

impl Value for bool {
    const ACCEPTS: &str = "true or false";
    const PLACEHOLDER: &str = "BOOL";
    const IS_SWITCH: bool = true;
    const IS_QUOTED: bool = false;

    fn parse(text: &str) -> Option<Self> {
        match text {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }
    }
}

impl Value for u32 {
    const ACCEPTS: &str = "a whole number up to 4294967295";
    const PLACEHOLDER: &str = "N";
    const IS_QUOTED: bool = false;
    const IS_QUANTITY: bool = true;

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Value for u64 {
    const ACCEPTS: &str = "a whole number";
    const PLACEHOLDER: &str = "N";
    const IS_QUOTED: bool = false;
    const IS_QUANTITY: bool = true;

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Value for PathBuf {
    const ACCEPTS: &str = "a path";
    const PLACEHOLDER: &str = "PATH";

    fn parse(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self::from(text))
    }
}

impl Value for String {
    const ACCEPTS: &str = "text";
    const PLACEHOLDER: &str = "TEXT";

    fn parse(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

impl Value for Vec<String> {
    const ACCEPTS: &str = "texts separated by commas; empty for none";
    const PLACEHOLDER: &str = "LIST";

    fn parse(text: &str) -> Option<Self> {
        Some(
            text.split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .collect(),
        )
    }
}

impl Value for Bytes {
    const ACCEPTS: &str = "a number of bytes, such as 1048576, 64MiB or 2GiB";
    const PLACEHOLDER: &str = "BYTES";
    const IS_QUANTITY: bool = true;

    fn parse(text: &str) -> Option<Self> {
        text.parse::<bytesize::ByteSize>().ok().map(|size| Self(size.as_u64()))
    }
}

impl Value for Duration {
    const ACCEPTS: &str = "a duration, such as 500ms, 30s, 12h or 7d";
    const PLACEHOLDER: &str = "DURATION";
    const IS_QUANTITY: bool = true;

    fn parse(text: &str) -> Option<Self> {
        humantime::parse_duration(text).ok()
    }
}

impl Value for Option<Duration> {
    const ACCEPTS: &str = "a duration, such as 12h or 7d, or none";
    const PLACEHOLDER: &str = "DURATION";
    const IS_QUANTITY: bool = true;

    fn parse(text: &str) -> Option<Self> {
        if text == "none" {
            Some(None)
        } else {
            Duration::parse(text).map(Some)
        }
    }
}

impl Value for Option<ListenAddress> {
    const ACCEPTS: &str = "an IP address and a port, such as 127.0.0.1:9000 or [::]:9000, or none";
    const PLACEHOLDER: &str = "ADDRESS";

    fn parse(text: &str) -> Option<Self> {
        if text == "none" {
            Some(None)
        } else {
            ListenAddress::parse(text).map(Some)
        }
    }
}

impl Value for QueueName {
    const ACCEPTS: &str = "1 to 64 lower-case letters, digits, - or _";
    const PLACEHOLDER: &str = "QUEUE";

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Value for Auto<u32> {
    const ACCEPTS: &str = "a whole number, or auto";
    const PLACEHOLDER: &str = "N";
    const IS_QUANTITY: bool = true;

    fn parse(text: &str) -> Option<Self> {
        if text == "auto" {
            Some(Self::Auto)
        } else {
            u32::parse(text).map(Self::Given)
        }
    }
}

impl Value for Auto<Bytes> {
    const ACCEPTS: &str = "a number of bytes, such as 512MiB or 4GiB, or auto";
    const PLACEHOLDER: &str = "BYTES";
    const IS_QUANTITY: bool = true;

    fn parse(text: &str) -> Option<Self> {
        if text == "auto" {
            Some(Self::Auto)
        } else {
            Bytes::parse(text).map(Self::Given)
        }
    }
}

impl Value for Auto<bool> {
    const ACCEPTS: &str = "true, false or auto";
    const PLACEHOLDER: &str = "BOOL";

    fn parse(text: &str) -> Option<Self> {
        if text == "auto" {
            Some(Self::Auto)
        } else {
            bool::parse(text).map(Self::Given)
        }
    }
}

impl Value for Auto<String> {
    const ACCEPTS: &str = "text, or auto";
    const PLACEHOLDER: &str = "TEXT";

    fn parse(text: &str) -> Option<Self> {
        match text {
            "" => None,
            "auto" => Some(Self::Auto),
            _ => Some(Self::Given(text.to_owned())),
        }
    }
}

impl Value for Option<PathBuf> {
    const ACCEPTS: &str = "a path, or none";
    const PLACEHOLDER: &str = "PATH";

    fn parse(text: &str) -> Option<Self> {
        if text == "none" {
            Some(None)
        } else {
            PathBuf::parse(text).map(Some)
        }
    }
}

impl Value for BrokerKind {
    const ACCEPTS: &str = "sqlite, memory, or the address of a Redis or a Valkey, which begins with redis:// or \
                           rediss:// for both, such as redis://localhost:6379/0";
    const PLACEHOLDER: &str = "BROKER";
    const IS_ADDRESS: bool = true;

    fn parse(text: &str) -> Option<Self> {
        match text {
            "sqlite" => Some(Self::Sqlite),
            "memory" => Some(Self::Memory),
            address => {
                let (scheme, _) = address.split_once("://")?;
                let (plain, kind) = scheme.split_once('+').unwrap_or((scheme, ""));
                let is_known =
                    matches!(plain, "redis" | "rediss") && matches!(kind, "" | "unix" | "cluster" | "sentinel");
                is_known.then(|| Self::Redis(address.to_owned()))
            }
        }
    }
}

impl Value for DiskSync {
    const ACCEPTS: &str = "always or never";
    const PLACEHOLDER: &str = "WHEN";

    fn parse(text: &str) -> Option<Self> {
        match text {
            "always" => Some(Self::Always),
            "never" => Some(Self::Never),
            _ => None,
        }
    }
}

impl Value for LogFilter {
    const ACCEPTS: &str = "off, error, warn, info, debug or trace, and behind commas others for modules, such as \
                           info,pixmill_broker=debug";
    const PLACEHOLDER: &str = "FILTER";

    fn parse(text: &str) -> Option<Self> {
        // The filter would take a word that is no level for a module, and write nothing of all others.
        let is_level = |part: &str| part.contains('=') || part.parse::<LevelFilter>().is_ok();
        let is_sound = text.split(',').map(str::trim).all(is_level) && EnvFilter::try_new(text).is_ok();
        is_sound.then(|| Self(text.to_owned()))
    }
}

impl Value for LogFormat {
    const ACCEPTS: &str = "text or json";
    const PLACEHOLDER: &str = "FORMAT";

    fn parse(text: &str) -> Option<Self> {
        match text {
            "text" => Some(Self::Text),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}
