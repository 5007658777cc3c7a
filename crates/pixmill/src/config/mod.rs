//! Settings: declared once in [`sections`], resolved from flags, environment and file, validated before any IO.
//!
//! The only place that reads the environment.

mod bounds;
mod bucket;
pub(crate) mod place;
pub(crate) mod print;
pub(crate) mod sections;
pub(crate) mod setting;
pub(crate) mod value;
mod variables;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use pixmill_types::Limits;

use bucket::Bucket;
use sections::{Azure, Broker, Gcs, ImageLimits, Log, Operations, S3, Server, Storage, Worker};
use setting::{ConfigError, Layers, Setting, Source};

/// The file read when it exists and no other is named.
const DEFAULT_FILE: &str = "pixmill.toml";
/// Names the settings file; the flag is `--config`.
pub(crate) const FILE_VARIABLE: &str = "PIXMILL_CONFIG";

/// All settings, resolved and validated.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) server: Server,
    pub(crate) storage: Storage,
    /// The bucket, when files lie in one.
    pub(crate) bucket: Option<Bucket>,
    pub(crate) broker: Broker,
    pub(crate) worker: Worker,
    pub(crate) operations: Operations,
    pub(crate) limits: Limits,
    pub(crate) log: Log,
}

/// What the command line says: the settings file, and values by setting name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Flags {
    pub(crate) file: Option<PathBuf>,
    pub(crate) values: Vec<(&'static Setting, String)>,
}

/// Every setting, in the order of the reference.
pub(crate) fn all_settings() -> impl Iterator<Item = &'static Setting> {
    [
        Server::SETTINGS,
        Storage::SETTINGS,
        S3::SETTINGS,
        Gcs::SETTINGS,
        Azure::SETTINGS,
        Broker::SETTINGS,
        Worker::SETTINGS,
        Operations::SETTINGS,
        ImageLimits::SETTINGS,
        Log::SETTINGS,
    ]
    .into_iter()
    .flatten()
}

/// Where the program that runs lies, to be started once more.
pub(crate) fn this_program() -> std::io::Result<PathBuf> {
    std::env::current_exe()
}

impl Config {
    /// Resolves the settings: flag before environment before file before default. Tells variables that are no setting
    /// on standard error: the log is not there yet.
    pub(crate) fn resolve(flags: &Flags) -> Result<(Self, Layers), ConfigError> {
        for warning in variables::warnings(std::env::vars_os()) {
            // There is nowhere to say that it failed.
            let _ = writeln!(io::stderr(), "pixmill: warning: {warning}");
        }
        Self::resolve_silently(flags)
    }

    /// The same without a word about variables that are no setting: for what is run again and again beside a process that
    /// has told of them.
    pub(crate) fn resolve_silently(flags: &Flags) -> Result<(Self, Layers), ConfigError> {
        Self::resolve_from(flags, |variable| std::env::var(variable).ok())
    }

    /// Checks the settings of a process that listens for clients as they say: any but a worker.
    pub(crate) fn check_listen(&self, layers: &Layers) -> Result<(), ConfigError> {
        bounds::check_listen(self, layers)
    }

    fn resolve_from(
        flags: &Flags,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<(Self, Layers), ConfigError> {
        let mut layers = Layers::default();
        for (setting, value) in &flags.values {
            layers.add(setting, value.clone(), Source::Flag(setting.flag()));
        }
        for setting in all_settings() {
            let variable = setting.variable();
            if let Some(value) = environment(&variable) {
                layers.add(setting, value, Source::Environment(variable));
            }
        }
        let named = flags
            .file
            .clone()
            .or_else(|| environment(FILE_VARIABLE).map(PathBuf::from));
        match named {
            Some(file) => add_file(&mut layers, &file)?,
            None if Path::new(DEFAULT_FILE).exists() => add_file(&mut layers, Path::new(DEFAULT_FILE))?,
            None => {}
        }
        let storage = Storage::read(&layers)?;
        let config = Self {
            server: Server::read(&layers)?,
            bucket: bucket::read(&layers, &storage, &environment)?,
            storage,
            broker: Broker::read(&layers)?,
            worker: Worker::read(&layers)?,
            operations: Operations::read(&layers)?,
            limits: to_limits(&ImageLimits::read(&layers)?),
            log: Log::read(&layers)?,
        };
        bounds::check(&config, &layers)?;
        Ok((config, layers))
    }
}

fn to_limits(section: &ImageLimits) -> Limits {
    Limits {
        max_input_bytes: section.max_input_bytes.0,
        max_pixels: section.max_pixels,
        max_width: section.max_width,
        max_height: section.max_height,
        max_frames: section.max_frames,
        max_output_pixels: section.max_output_pixels,
        max_task_memory_bytes: section.max_task_memory_bytes.0,
        task_timeout_ms: u64::try_from(section.task_timeout.as_millis()).unwrap_or(u64::MAX),
    }
}

/// Adds the values of a TOML file; every key must be one of ours.
fn add_file(layers: &mut Layers, path: &Path) -> Result<(), ConfigError> {
    let file = path.display().to_string();
    let unreadable = |problem: String| ConfigError::File {
        file: file.clone(),
        problem,
    };
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
    let document: toml::Table = toml::from_str(&text).map_err(|error| unreadable(place_and_problem(&text, &error)))?;
    for (section, table) in document {
        // Settings have names of their own, whatever section they are in.
        let unknown = |key: String, name: &str| match all_settings().find(|setting| setting.name == name) {
            Some(Setting { section, .. }) => ConfigError::MisplacedKey {
                key,
                section,
                file: file.clone(),
            },
            None => ConfigError::UnknownKey {
                key,
                file: file.clone(),
            },
        };
        let toml::Value::Table(table) = table else {
            return Err(unknown(section.clone(), &section));
        };
        for (name, value) in table {
            let setting = all_settings()
                .find(|setting| setting.section == section && setting.name == name)
                .ok_or_else(|| unknown(format!("{section}.{name}"), &name))?;
            let Some(text) = written_form(&value) else {
                return Err(setting.refused(&value.to_string(), Source::File(file.clone()), setting.accepts));
            };
            layers.add(setting, text, Source::File(file.clone()));
        }
    }
    Ok(())
}

/// Where the text is no TOML and why, without the line itself: a password may be in it.
fn place_and_problem(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    match before {
        Some(before) => {
            let line = before.split('\n').count();
            let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
            format!("line {line}, column {column}: {}", error.message())
        }
        None => error.message().to_owned(),
    }
}

/// The form in which a flag would write the value.
fn written_form(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Float(number) => Some(number.to_string()),
        toml::Value::Boolean(flag) => Some(flag.to_string()),
        toml::Value::Array(values) => values
            .iter()
            .map(written_form)
            .collect::<Option<Vec<_>>>()
            .map(|v| v.join(",")),
        toml::Value::Datetime(_) | toml::Value::Table(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    pub(super) fn resolve(flags: &[(&str, &str)], environment: &[(&str, &str)], file: &str) -> Result<Config, String> {
        layered(flags, environment, file).map(|(config, _)| config)
    }

    pub(super) fn layered(
        flags: &[(&str, &str)],
        environment: &[(&str, &str)],
        file: &str,
    ) -> Result<(Config, Layers), String> {
        let mut toml = tempfile::NamedTempFile::new().unwrap();
        toml.write_all(file.as_bytes()).unwrap();
        let setting = |name: &str| all_settings().find(|setting| setting.name == name).unwrap();
        let flags = Flags {
            file: Some(toml.path().to_owned()),
            values: flags
                .iter()
                .map(|(name, value)| (setting(name), (*value).to_owned()))
                .collect(),
        };
        let lookup = |name: &str| {
            environment
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        };
        let place = toml.path().display().to_string();
        Config::resolve_from(&flags, lookup).map_err(|error| error.to_string().replace(&place, "FILE"))
    }

    #[test]
    fn defaults_are_those_of_the_library() {
        let config = resolve(&[], &[], "").unwrap();
        assert_eq!(config.limits, Limits::default());
        let broker = pixmill_broker::BrokerOptions::default();
        assert_eq!(config.broker.lease, broker.lease);
        assert_eq!(config.broker.max_queued, broker.max_queued);
        assert_eq!(config.broker.ageing, broker.ageing);
        assert_eq!(config.broker.backoff_base, broker.backoff_base);
        assert_eq!(config.broker.backoff_cap, broker.backoff_cap);
        assert_eq!(config.broker.idempotency_ttl, broker.idempotency_ttl);
        assert_eq!(config.broker.max_events, broker.max_events);
        assert_eq!(config.storage.retention, broker.retention);
        assert_eq!(config.storage.sync, broker.sync);
        assert_eq!(config.storage.sweep_age / 2, broker.max_staging_age);
        assert_eq!(config.broker.max_attempts, pixmill_types::DEFAULT_MAX_ATTEMPTS);
        let redis = pixmill_broker::RedisOptions::default();
        assert_eq!(config.broker.redis_prefix, redis.prefix);
        assert_eq!(config.broker.redis_partitions, redis.partitions);
        assert_eq!(config.broker.redis_replicas, redis.replicas);
        assert_eq!(config.broker.redis_replica_timeout, redis.replica_timeout);
        assert_eq!(config.broker.redis_ca_file, redis.ca_file);
        let gateway = pixmill_gateway::GatewayOptions::default();
        assert_eq!(config.server.accept_tasks, gateway.accept_tasks);
        assert_eq!(config.server.max_uploads as usize, gateway.max_uploads);
        assert_eq!(config.server.max_connections as usize, gateway.max_connections);
        assert_eq!(config.server.upload_idle_timeout, gateway.upload_idle_timeout);
        assert_eq!(config.server.max_wait, gateway.max_wait);
    }

    #[test]
    fn flag_beats_environment_beats_file_beats_default() {
        let file = "[broker]\nmax_queued = 1\nmax_attempts = 1\nlease = '9s'\n";
        let environment = [("PIXMILL_MAX_QUEUED", "2"), ("PIXMILL_MAX_ATTEMPTS", "2")];
        let config = resolve(&[("max_queued", "3")], &environment, file).unwrap();
        assert_eq!(config.broker.max_queued, 3);
        assert_eq!(config.broker.max_attempts, 2);
        assert_eq!(config.broker.lease.as_secs(), 9);
        assert_eq!(config.broker.ageing.as_secs(), 60);
    }

    #[test]
    fn errors_name_key_value_source_and_accepted_form() {
        for (flags, environment, file, expected) in [
            (
                vec![("max_pixels", "many")],
                vec![],
                "",
                "max_pixels is \"many\" (flag --max-pixels), expected a whole number",
            ),
            (
                vec![],
                vec![("PIXMILL_LEASE", "soon")],
                "",
                "lease is \"soon\" (environment PIXMILL_LEASE), expected a duration, such as 500ms, 30s, 12h or 7d",
            ),
            (
                vec![],
                vec![],
                "[broker]\nbroker = 'rabbit'",
                "broker is \"rabbit\" (file FILE), expected sqlite, memory, or the address of a Redis or a Valkey, which begins \
                 with redis:// or rediss:// for both, such as redis://localhost:6379/0",
            ),
            (
                vec![],
                vec![],
                "[broker]\nshots = 2",
                "unknown setting \"broker.shots\" in FILE, see `pixmill config --reference` for all of them",
            ),
            (
                vec![],
                vec![],
                "retention = '7d'",
                "\"retention\" stands outside its section in FILE: it belongs below [storage]",
            ),
            (
                vec![],
                vec![],
                "[broker]\nretention = '7d'",
                "\"broker.retention\" stands outside its section in FILE: it belongs below [storage]",
            ),
            (
                vec![("log_level", "warning")],
                vec![],
                "",
                "log_level is \"warning\" (flag --log-level), expected off, error, warn, info, debug or trace, and behind \
                 commas others for modules, such as info,pixmill_broker=debug",
            ),
            (
                vec![("log_level", "info,pixmill_broker=debgu")],
                vec![],
                "",
                "log_level is \"info,pixmill_broker=debgu\" (flag --log-level), expected off, error, warn, info, debug or \
                 trace, and behind commas others for modules, such as info,pixmill_broker=debug",
            ),
            (
                vec![("storage", "s3://No")],
                vec![],
                "",
                "storage is \"s3://No\" (flag --storage), expected local, or s3://BUCKET, gs://BUCKET or az://CONTAINER, each \
                 perhaps with /PREFIX, where a bucket has 3 to 63 lower-case letters, digits, dots and hyphens (on Azure \
                 no dots, at Google also '_'), and the parts of a prefix letters, digits, '.', '_' and '-'",
            ),
            (
                vec![("s3_endpoint", "minio:9000")],
                vec![],
                "",
                "s3_endpoint is \"minio:9000\" (flag --s3-endpoint), expected http:// or https://, a host and perhaps a \
                 port, such as http://minio:9000, or none",
            ),
            (
                vec![("storage", "s3://pictures"), ("s3_redirect", "8d")],
                vec![],
                "",
                "s3_redirect is \"8d\" (flag --s3-redirect), expected 1s to 7d, or none",
            ),
            (
                vec![("s3_redirect", "1h")],
                vec![],
                "",
                "s3_redirect is set and storage is local, expected storage s3://BUCKET, or s3_redirect none",
            ),
            (
                vec![("storage", "gs://pictures"), ("azure_redirect", "1h")],
                vec![],
                "",
                "azure_redirect is set and storage is gs://pictures, expected storage az://BUCKET, or azure_redirect none",
            ),
            (
                vec![("storage", "az://pictures")],
                vec![],
                "",
                "azure_account is \"\", expected the storage account of the container, 3 to 24 lower-case letters and \
                 digits, there or in AZURE_STORAGE_ACCOUNT",
            ),
            (
                vec![("azure_endpoint", "https://shop.example.com/?sv=1")],
                vec![],
                "",
                "azure_endpoint is \"https://shop.example.com/?…\" (flag --azure-endpoint), expected http:// or https://, \
                 a host, perhaps a port and a path, such as http://localhost:10000/devstoreaccount1, or none",
            ),
        ] {
            assert_eq!(resolve(&flags, &environment, file).unwrap_err(), expected);
        }
    }

    #[test]
    fn no_refusal_has_a_password_in_it() {
        for (flags, environment, file) in [
            (vec![], vec![("PIXMILL_BROKER", "valkey://user:TOPSECRET@h:6379/0")], ""),
            (vec![], vec![("PIXMILL_BROKER", "\"redis://:TOPSECRET@h:6379/0\"")], ""),
            (vec![("broker", "redis:/:TOPSECRET@h")], vec![], ""),
            (vec![], vec![], "[broker]\nbroker = 'http://:TOPSECRET@h:6379/0'\n"),
            (vec![], vec![], "[broker]\nbroker = 'rediss//:TOPSECRET@h'\n"),
            (vec![], vec![], "[broker]\nbroker = 'redis:TOPSECRET@h'\n"),
            (vec![], vec![], "[broker]\nbroker = { url = 'redis://:TOPSECRET@h' }\n"),
            (vec![], vec![], "[broker]\nbroker = ['rabbit://:TOPSECRET@h']\n"),
            (vec![], vec![], "[broker]\nbroker = \"redis://:TOPSECRET@h\n"),
            (vec![], vec![], "[broker]\nbroker = redis://:TOPSECRET@h\n"),
            (
                vec![],
                vec![("PIXMILL_S3_ENDPOINT", "http://key:TOPSECRET@minio:9000")],
                "",
            ),
            (vec![("azure_endpoint", "https://h/?sig=TOPSECRET")], vec![], ""),
            (vec![("storage", "s3://key:TOPSECRET@pictures")], vec![], ""),
            (vec![("cors_origins", "https://me:TOPSECRET@a.example")], vec![], ""),
            (vec![("redis_prefix", "redis://:TOPSECRET@h")], vec![], ""),
        ] {
            let error = resolve(&flags, &environment, file).unwrap_err();
            assert!(!error.contains("TOPSECRET") && error.contains("expected "), "{error}");
        }
    }

    #[test]
    fn a_file_that_is_no_toml_is_told_with_place_and_reason() {
        let error = resolve(&[], &[], "[broker]\nbroker = \"redis://h\nmax_queued = 1\n").unwrap_err();
        assert!(
            error.starts_with("cannot read the settings file FILE: line 2, column ") && !error.contains('\n'),
            "{error}"
        );
    }
}
