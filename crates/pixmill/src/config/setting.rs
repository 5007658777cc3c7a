//! How a setting is declared once and read from flag, environment and file.

use std::collections::BTreeMap;
use std::fmt;

use pixmill_types::without_secrets;

use super::value::Value;

/// One setting, as its declaration says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting {
    /// The table it stands in within the file.
    pub(crate) section: &'static str,
    /// Its key in the file; the flag and the environment variable follow from it.
    pub(crate) name: &'static str,
    /// Its value when nobody says otherwise, as it would be written.
    pub(crate) default: &'static str,
    /// What it does, with the unit.
    pub(crate) about: &'static str,
    /// The accepted form.
    pub(crate) accepts: &'static str,
    /// What stands for the value in the help.
    pub(crate) placeholder: &'static str,
    /// Whether the flag may stand without a value.
    pub(crate) is_switch: bool,
    /// Whether the value is a string in the file.
    pub(crate) is_quoted: bool,
    /// Whether the value is a number or a measure, which begins with no hyphen.
    pub(crate) is_quantity: bool,
    /// Whether the value leads somewhere, and so may have a password in it.
    pub(crate) is_address: bool,
}

impl Setting {
    /// `max-pixels` of `max_pixels`.
    pub(crate) fn flag(&self) -> String {
        self.name.replace('_', "-")
    }

    /// `PIXMILL_MAX_PIXELS` of `max_pixels`.
    pub(crate) fn variable(&self) -> String {
        format!("PIXMILL_{}", self.name.to_uppercase())
    }

    /// The value as it may be printed. An address may also have come to a setting that takes none.
    pub(crate) fn shown(&self, value: &str) -> String {
        if self.is_address || value.contains("://") {
            without_secrets(value)
        } else {
            value.to_owned()
        }
    }

    /// Says that `value` is not what the setting accepts.
    pub(crate) fn refused(&self, value: &str, from: Source, accepts: impl Into<String>) -> ConfigError {
        ConfigError::Value {
            name: self.name,
            value: self.shown(value),
            from,
            accepts: accepts.into(),
        }
    }
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    Flag(String),
    Environment(String),
    File(String),
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "flag --{flag}"),
            Self::Environment(variable) => write!(f, "environment {variable}"),
            Self::File(path) => write!(f, "file {path}"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A setting that cannot be accepted. [`Setting::refused`] makes those of a value, so that no password is in them.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("{name} is {value:?} ({from}), expected {accepts}")]
    Value {
        name: &'static str,
        value: String,
        from: Source,
        accepts: String,
    },
    #[error("unknown setting {key:?} in {file}, see `pixmill config --reference` for all of them")]
    UnknownKey { key: String, file: String },
    #[error("{key:?} stands outside its section in {file}: it belongs below [{section}]")]
    MisplacedKey {
        key: String,
        section: &'static str,
        file: String,
    },
    #[error("cannot read the settings file {file}: {problem}")]
    File { file: String, problem: String },
    #[error("{0}")]
    Invalid(String),
}

/// Written values by setting name, with where they were written; flags before environment before file.
#[derive(Debug, Default)]
pub(crate) struct Layers {
    values: BTreeMap<&'static str, (String, Source)>,
}

impl Layers {
    /// Adds a value unless a stronger source has given one. Sources are added strongest first.
    pub(crate) fn add(&mut self, setting: &Setting, value: String, source: Source) {
        self.values.entry(setting.name).or_insert((value, source));
    }

    /// Whether anybody has given the setting of that name a value.
    pub(crate) fn names(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// Parses the winning value of `setting`.
    pub(crate) fn parse<T: Value>(&self, setting: &Setting) -> Result<T, ConfigError> {
        let (text, from) = self.winner(setting);
        T::parse(text).ok_or_else(|| setting.refused(text, from, setting.accepts))
    }

    /// The written form of the winning value and its source.
    pub(crate) fn winner(&self, setting: &Setting) -> (&str, Source) {
        match self.values.get(setting.name) {
            Some((value, source)) => (value, source.clone()),
            None => (setting.default, Source::Default),
        }
    }
}

/// Declares one section: a struct, its settings and how it is read.
macro_rules! section {
    (
        $(#[doc = $section_about:literal])+
        $name:ident = $section:literal {
            $($(#[doc = $about:literal])+ $field:ident: $type:ty = $default:literal,)+
        }
    ) => {
        $(#[doc = $section_about])+
        #[derive(Debug, Clone)]
        pub(crate) struct $name {
            $($(#[doc = $about])+ pub(crate) $field: $type,)+
        }

        impl $name {
            pub(crate) const SETTINGS: &[crate::config::setting::Setting] = &[$(crate::config::setting::Setting {
                section: $section,
                name: stringify!($field),
                default: $default,
                about: concat!($($about),+),
                accepts: <$type as crate::config::value::Value>::ACCEPTS,
                placeholder: <$type as crate::config::value::Value>::PLACEHOLDER,
                is_switch: <$type as crate::config::value::Value>::IS_SWITCH,
                is_quoted: <$type as crate::config::value::Value>::IS_QUOTED,
                is_quantity: <$type as crate::config::value::Value>::IS_QUANTITY,
                is_address: <$type as crate::config::value::Value>::IS_ADDRESS,
            }),+];

            pub(crate) fn read(
                layers: &crate::config::setting::Layers,
            ) -> Result<Self, crate::config::setting::ConfigError> {
                let mut settings = Self::SETTINGS.iter();
                Ok(Self {
                    $($field: match settings.next() {
                        Some(setting) => layers.parse::<$type>(setting)?,
                        None => unreachable!("one setting a field"),
                    },)+
                })
            }
        }
    };
}

pub(crate) use section;
