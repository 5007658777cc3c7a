//! Settings: declared once in [`sections`], resolved from flags, environment and file, validated before any IO.
//!
//! The only place that reads the environment.

mod bucket;
pub(crate) mod place;
pub(crate) mod print;
pub(crate) mod sections;
pub(crate) mod setting;
pub(crate) mod value;

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
    /// Resolves the settings of a process that listens as they say.
    pub(crate) fn resolve_to_listen(flags: &Flags) -> Result<(Self, Layers), ConfigError> {
        let (config, layers) = Self::resolve(flags)?;
        config.check_listen()?;
        Ok((config, layers))
    }

    /// Resolves the settings: flag before environment before file before default.
    pub(crate) fn resolve(flags: &Flags) -> Result<(Self, Layers), ConfigError> {
        Self::resolve_from(flags, |variable| std::env::var(variable).ok())
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
        config.validate()?;
        Ok((config, layers))
    }

    fn check_listen(&self) -> Result<(), ConfigError> {
        let address = self.server.listen.0;
        if !address.ip().is_loopback() && !self.server.allow_anonymous {
            return Err(ConfigError::Invalid(format!(
                "listen is {address}, which other machines can reach, and there are no keys yet: whoever reaches it \
                 could upload, fetch and delete; pass --allow-anonymous if that is what you want, or listen on \
                 127.0.0.1:{}",
                address.port()
            )));
        }
        Ok(())
    }

    fn validate(&self) -> Result<(), ConfigError> {
        let at_least = |name: &str, value: std::time::Duration, minimum: std::time::Duration| {
            if value >= minimum {
                return Ok(());
            }
            let (value, minimum) = (humantime::format_duration(value), humantime::format_duration(minimum));
            Err(ConfigError::Invalid(format!(
                "{name} is {value}, expected at least {minimum}"
            )))
        };
        if !(1..=256).contains(&self.broker.redis_partitions) {
            return Err(ConfigError::Invalid(format!(
                "redis_partitions is {}, expected 1 to 256",
                self.broker.redis_partitions
            )));
        }
        let prefix = &self.broker.redis_prefix;
        if prefix.is_empty() || prefix.contains(['{', '}', ':']) {
            return Err(ConfigError::Invalid(format!(
                "redis_prefix is {prefix:?}, expected at least one character, and none of {{, }} and :"
            )));
        }
        let second = std::time::Duration::from_secs(1);
        at_least("lease", self.broker.lease, second)?;
        at_least("ageing", self.broker.ageing, second)?;
        at_least("sweep_age", self.storage.sweep_age, 600 * second)?;
        at_least("reap_interval", self.worker.reap_interval, second / 10)?;
        at_least("janitor_interval", self.worker.janitor_interval, second / 10)?;
        at_least("upload_idle_timeout", self.server.upload_idle_timeout, second)?;
        for (name, value) in [
            ("max_attempts", u64::from(self.broker.max_attempts)),
            ("max_queued", self.broker.max_queued),
            ("max_uploads", u64::from(self.server.max_uploads)),
            ("max_connections", u64::from(self.server.max_connections)),
            ("max_input_bytes", self.limits.max_input_bytes),
            ("task_timeout", self.limits.task_timeout_ms),
        ] {
            if value == 0 {
                return Err(ConfigError::Invalid(format!("{name} is 0, expected at least 1")));
            }
        }
        Ok(())
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
    let document: toml::Table = toml::from_str(&text).map_err(|error| unreadable(error.to_string()))?;
    for (section, table) in document {
        let unknown = |key: String| ConfigError::UnknownKey {
            key,
            file: file.clone(),
        };
        let toml::Value::Table(table) = table else {
            return Err(unknown(section));
        };
        for (name, value) in table {
            let setting = all_settings()
                .find(|setting| setting.section == section && setting.name == name)
                .ok_or_else(|| unknown(format!("{section}.{name}")))?;
            let Some(text) = written_form(&value) else {
                return Err(ConfigError::Value {
                    name: setting.name.to_owned(),
                    value: value.to_string(),
                    from: Source::File(file.clone()),
                    accepts: setting.accepts.to_owned(),
                });
            };
            layers.add(setting, text, Source::File(file.clone()));
        }
    }
    Ok(())
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
        Config::resolve_from(&flags, lookup)
            .map(|(config, _)| config)
            .map_err(|error| error.to_string().replace(&place, "FILE"))
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
                "broker is \"rabbit\" (file FILE), expected sqlite, memory, or the address of a Redis, such as \
                 redis://localhost:6379/0",
            ),
            (
                vec![],
                vec![],
                "[broker]\nshots = 2",
                "unknown setting \"broker.shots\" in FILE, see `pixmill config --reference` for all of them",
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
                "s3_redirect is 8days, expected 1s to 7d, or none",
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
                "azure_endpoint is \"https://shop.example.com/?sv=1\" (flag --azure-endpoint), expected http:// or https://, \
                 a host, perhaps a port and a path, such as http://localhost:10000/devstoreaccount1, or none",
            ),
            (
                vec![("lease", "10ms")],
                vec![],
                "",
                "lease is 10ms, expected at least 1s",
            ),
            (
                vec![("max_attempts", "0")],
                vec![],
                "",
                "max_attempts is 0, expected at least 1",
            ),
        ] {
            assert_eq!(resolve(&flags, &environment, file).unwrap_err(), expected);
        }
    }

    #[test]
    fn listening_beyond_loopback_needs_consent() {
        let check = |given: &[(&str, &str)]| {
            let config = resolve(given, &[], "").unwrap();
            config.check_listen().map_err(|error| error.to_string())
        };
        let error = check(&[("listen", "0.0.0.0:8000")]).unwrap_err();
        assert!(
            error.contains("--allow-anonymous") && error.contains("0.0.0.0:8000"),
            "{error}"
        );
        let given = [("listen", "0.0.0.0:8000"), ("allow_anonymous", "true")];
        assert_eq!(check(&given), Ok(()));
        assert_eq!(check(&[("listen", "[::1]:80")]), Ok(()));
    }
}
