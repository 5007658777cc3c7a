//! What values must keep to beyond their form: bounds, and what fits together.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::setting::{ConfigError, Layers, Setting};
use super::value::{Auto, Bytes};
use super::{Config, all_settings};

/// Each slot is a thread; long before so many the cores are what is short.
const MOST_SLOTS: u32 = 1024;
/// What the smallest image is estimated to take, bytes.
const SMALLEST_TASK: Bytes = Bytes(1 << 20);

/// Says that the value that the setting `name` has is not what it accepts.
pub(super) fn refused(layers: &Layers, name: &str, accepts: impl Into<String>) -> ConfigError {
    let setting = setting(name);
    let (value, from) = layers.winner(setting);
    setting.refused(value, from, accepts)
}

fn setting(name: &str) -> &'static Setting {
    match all_settings().find(|setting| setting.name == name) {
        Some(setting) => setting,
        None => unreachable!("only settings are checked"),
    }
}

/// Checks the settings of any process.
pub(super) fn check(config: &Config, layers: &Layers) -> Result<(), ConfigError> {
    check_tasks(config, layers)?;
    check_durations(config, layers)?;
    check_counts(config, layers)?;
    check_origins(config, layers)
}

/// Checks the settings of a process that listens for clients as they say.
pub(super) fn check_listen(config: &Config, layers: &Layers) -> Result<(), ConfigError> {
    let address = config.server.listen.0;
    if !address.ip().is_loopback() && !config.server.allow_anonymous {
        return Err(ConfigError::Invalid(format!(
            "listen is {address}, which other machines can reach, and there are no keys yet: whoever reaches it \
             could upload, fetch and delete; pass --allow-anonymous if that is what you want, or listen on \
             127.0.0.1:{}",
            address.port()
        )));
    }
    match &config.operations.metrics_listen {
        Some(probes) if is_shared(address, probes.0) => {
            let given = |name: &str| {
                let (value, from) = layers.winner(setting(name));
                format!("{name} is {value:?} ({from})")
            };
            Err(ConfigError::Invalid(format!(
                "{} and {}: one process cannot listen on both, expected another port for metrics_listen, or none to have \
                 health and metrics on listen alone",
                given("listen"),
                given("metrics_listen")
            )))
        }
        _ => Ok(()),
    }
}

/// Whether two listeners would be in each other's way: at the same port, where an unspecified address takes all others of
/// its family, and that of IPv6 those of IPv4 as well, as Linux has it unless told otherwise (`bindv6only`).
fn is_shared(one: SocketAddr, other: SocketAddr) -> bool {
    let takes = |all: IpAddr, one: IpAddr| all.is_unspecified() && (all.is_ipv6() || one.is_ipv4());
    let (here, there) = (one.ip().to_canonical(), other.ip().to_canonical());
    one.port() == other.port() && one.port() != 0 && (here == there || takes(here, there) || takes(there, here))
}

fn check_tasks(config: &Config, layers: &Layers) -> Result<(), ConfigError> {
    if !(1..=256).contains(&config.broker.redis_partitions) {
        return Err(refused(layers, "redis_partitions", "1 to 256"));
    }
    let prefix = &config.broker.redis_prefix;
    if prefix.is_empty() || prefix.contains(['{', '}', ':']) {
        let accepts = "at least one character, and none of {, } and :";
        return Err(refused(layers, "redis_prefix", accepts));
    }
    if matches!(config.worker.slots, Auto::Given(slots) if slots > MOST_SLOTS) {
        let accepts = format!("a whole number up to {MOST_SLOTS}, or auto");
        return Err(refused(layers, "slots", accepts));
    }
    if matches!(config.worker.memory_budget, Auto::Given(budget) if budget.0 < SMALLEST_TASK.0) {
        let accepts = "at least 1MiB, which the smallest image takes, or auto";
        return Err(refused(layers, "memory_budget", accepts));
    }
    Ok(())
}

fn check_durations(config: &Config, layers: &Layers) -> Result<(), ConfigError> {
    let second = Duration::from_secs(1);
    let task_timeout = Duration::from_millis(config.limits.task_timeout_ms);
    for (name, value, minimum) in [
        ("lease", config.broker.lease, second),
        ("ageing", config.broker.ageing, second),
        // Redis would wait for its replicas without end.
        (
            "redis_replica_timeout",
            config.broker.redis_replica_timeout,
            second / 1000,
        ),
        ("sweep_age", config.storage.sweep_age, 600 * second),
        ("reap_interval", config.worker.reap_interval, second / 10),
        ("janitor_interval", config.worker.janitor_interval, second / 10),
        ("upload_idle_timeout", config.server.upload_idle_timeout, second),
        ("task_timeout", task_timeout, second / 1000),
    ] {
        if value < minimum {
            let minimum = humantime::format_duration(minimum);
            let accepts = format!("a duration of at least {minimum}, written as 500ms, 30s, 12h or 7d");
            return Err(refused(layers, name, accepts));
        }
    }
    Ok(())
}

fn check_counts(config: &Config, layers: &Layers) -> Result<(), ConfigError> {
    let limits = &config.limits;
    for (name, value) in [
        ("max_attempts", u64::from(config.broker.max_attempts)),
        ("max_queued", config.broker.max_queued),
        ("max_uploads", u64::from(config.server.max_uploads)),
        ("max_connections", u64::from(config.server.max_connections)),
        ("max_input_bytes", limits.max_input_bytes),
        ("max_pixels", limits.max_pixels),
        ("max_width", u64::from(limits.max_width)),
        ("max_height", u64::from(limits.max_height)),
        ("max_frames", u64::from(limits.max_frames)),
        ("max_output_pixels", limits.max_output_pixels),
        ("max_task_memory_bytes", limits.max_task_memory_bytes),
    ] {
        if value == 0 {
            return Err(refused(layers, name, "at least 1"));
        }
    }
    Ok(())
}

fn check_origins(config: &Config, layers: &Layers) -> Result<(), ConfigError> {
    let origins = &config.server.cors_origins;
    if origins.iter().all(|origin| may_be_sent(origin)) {
        return Ok(());
    }
    let accepts = "* for any, or origins as browsers send them, separated by commas: scheme://host or scheme://host:port in \
                   lower case, without a path, a slash at the end or the scheme's own port, such as https://app.example.com";
    Err(refused(layers, "cors_origins", accepts))
}

/// Whether a browser may send the origin in just this form, which is what it is compared with.
/// <https://html.spec.whatwg.org/multipage/browsers.html#ascii-serialisation-of-an-origin>
fn may_be_sent(origin: &str) -> bool {
    if origin == "*" || origin == "null" {
        return true;
    }
    let Some((scheme, authority)) = origin.split_once("://") else {
        return false;
    };
    let is_lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    // The colons of an IPv6 address are within its brackets.
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let is_host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address
            .parse::<std::net::Ipv6Addr>()
            .is_ok_and(|read| read.to_string() == address),
        None => !host.is_empty() && host.chars().all(|c| is_lower(c) || ".-_".contains(c)),
    };
    let is_port = port.is_none_or(|port| {
        let is_default = matches!((scheme, port), ("http", "80") | ("https", "443"));
        let number = port.parse::<u16>();
        !is_default && number.is_ok_and(|number| number > 0 && number.to_string() == port)
    });
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && scheme.chars().all(|c| is_lower(c) || "+-.".contains(c));
    is_scheme && is_host && is_port
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::{layered, resolve};

    #[test]
    fn a_value_beyond_its_bound_is_refused_with_key_value_and_bound() {
        for (name, value, accepts) in [
            (
                "lease",
                "10ms",
                "a duration of at least 1s, written as 500ms, 30s, 12h or 7d",
            ),
            (
                "sweep_age",
                "9m",
                "a duration of at least 10m, written as 500ms, 30s, 12h or 7d",
            ),
            (
                "task_timeout",
                "0s",
                "a duration of at least 1ms, written as 500ms, 30s, 12h or 7d",
            ),
            (
                "task_timeout",
                "500us",
                "a duration of at least 1ms, written as 500ms, 30s, 12h or 7d",
            ),
            (
                "redis_replica_timeout",
                "0s",
                "a duration of at least 1ms, written as 500ms, 30s, 12h or 7d",
            ),
            ("redis_partitions", "257", "1 to 256"),
            ("redis_prefix", "a:b", "at least one character, and none of {, } and :"),
            ("slots", "1025", "a whole number up to 1024, or auto"),
            (
                "memory_budget",
                "0",
                "at least 1MiB, which the smallest image takes, or auto",
            ),
            (
                "memory_budget",
                "1048575",
                "at least 1MiB, which the smallest image takes, or auto",
            ),
            ("max_attempts", "0", "at least 1"),
            ("max_input_bytes", "0", "at least 1"),
            ("max_pixels", "0", "at least 1"),
            ("max_width", "0", "at least 1"),
            ("max_height", "0", "at least 1"),
            ("max_frames", "0", "at least 1"),
            ("max_output_pixels", "0", "at least 1"),
            ("max_task_memory_bytes", "0B", "at least 1"),
        ] {
            let flag = name.replace('_', "-");
            assert_eq!(
                resolve(&[(name, value)], &[], "").unwrap_err(),
                format!("{name} is {value:?} (flag --{flag}), expected {accepts}")
            );
        }
        for (name, value) in [
            ("slots", "0"),
            ("slots", "1024"),
            ("memory_budget", "1MiB"),
            ("task_timeout", "1ms"),
        ] {
            assert!(resolve(&[(name, value)], &[], "").is_ok(), "{name} {value}");
        }
    }

    #[test]
    fn origins_are_taken_only_as_browsers_send_them() {
        for (origins, is_taken) in [
            ("", true),
            ("*", true),
            ("null", true),
            ("https://a.example", true),
            ("https://a.example, http://localhost:3000", true),
            ("http://[::1]:3000", true),
            ("http://[::1]", true),
            ("capacitor://localhost", true),
            ("foo", false),
            ("a.example", false),
            ("https://a.example/", false),
            ("https://a.example/app", false),
            ("https://a.example, foo", false),
            ("https://*.example", false),
            ("https://A.example", false),
            ("HTTPS://a.example", false),
            ("https://a.example:443", false),
            ("https://a.example:", false),
            ("https://a.example:0", false),
            ("https://a.example:99999", false),
            ("https://me@a.example", false),
            ("http://[0:0:0:0:0:0:0:1]", false),
            ("https://", false),
        ] {
            let read = resolve(&[("cors_origins", origins)], &[], "");
            assert_eq!(read.is_ok(), is_taken, "{origins}");
            if let Err(error) = read {
                assert!(
                    error.contains("cors_origins is ") && error.contains("scheme://host:port"),
                    "{error}"
                );
            }
        }
    }

    fn check_to_listen(flags: &[(&str, &str)], environment: &[(&str, &str)], file: &str) -> Result<(), String> {
        let (config, layers) = layered(flags, environment, file).unwrap();
        check_listen(&config, &layers).map_err(|error| error.to_string())
    }

    #[test]
    fn listening_beyond_loopback_needs_consent() {
        let check = |given: &[(&str, &str)]| check_to_listen(given, &[], "");
        let error = check(&[("listen", "0.0.0.0:8000")]).unwrap_err();
        assert!(
            error.contains("--allow-anonymous") && error.contains("0.0.0.0:8000"),
            "{error}"
        );
        let given = [("listen", "0.0.0.0:8000"), ("allow_anonymous", "true")];
        assert_eq!(check(&given), Ok(()));
        assert_eq!(check(&[("listen", "[::1]:80")]), Ok(()));
    }

    #[test]
    fn clients_and_probes_do_not_share_an_address() {
        let here = "127.0.0.1:8000";
        let wanted = "one process cannot listen on both, expected another port for metrics_listen, or none to have health \
                      and metrics on listen alone";
        for (flags, environment, both) in [
            (
                vec![("listen", here), ("metrics_listen", here)],
                vec![],
                "listen is \"127.0.0.1:8000\" (flag --listen) and metrics_listen is \"127.0.0.1:8000\" (flag \
                 --metrics-listen)",
            ),
            (
                vec![],
                vec![("PIXMILL_METRICS_LISTEN", here)],
                "listen is \"127.0.0.1:8000\" (default) and metrics_listen is \"127.0.0.1:8000\" (environment \
                 PIXMILL_METRICS_LISTEN)",
            ),
            (
                vec![("metrics_listen", "0.0.0.0:8000")],
                vec![("PIXMILL_LISTEN", here)],
                "listen is \"127.0.0.1:8000\" (environment PIXMILL_LISTEN) and metrics_listen is \"0.0.0.0:8000\" (flag \
                 --metrics-listen)",
            ),
        ] {
            let error = check_to_listen(&flags, &environment, "").unwrap_err();
            assert_eq!(error, format!("{both}: {wanted}"));
        }
        let file = format!("[server]\nlisten = '{here}'\n[operations]\nmetrics_listen = '{here}'\n");
        assert!(check_to_listen(&[], &[], &file).unwrap_err().contains("(file "));
    }

    #[test]
    fn an_unspecified_address_takes_all_others_at_its_port() {
        for (one, other, shared) in [
            ("127.0.0.1:8000", "127.0.0.1:8000", true),
            ("0.0.0.0:8000", "127.0.0.1:8000", true),
            ("[::]:8000", "[::1]:8000", true),
            ("[::]:8000", "0.0.0.0:8000", true),
            ("[::]:8000", "127.0.0.1:8000", true),
            ("[::ffff:127.0.0.1]:8000", "127.0.0.1:8000", true),
            ("0.0.0.0:8000", "[::1]:8000", false),
            ("127.0.0.1:8000", "127.0.0.2:8000", false),
            ("127.0.0.1:8000", "[::1]:8000", false),
            ("0.0.0.0:8000", "0.0.0.0:8001", false),
            ("127.0.0.1:0", "127.0.0.1:0", false),
            ("0.0.0.0:0", "127.0.0.1:0", false),
        ] {
            let (first, second) = (one.parse().unwrap(), other.parse().unwrap());
            assert_eq!(is_shared(first, second), shared, "{one} and {other}");
            assert_eq!(is_shared(second, first), shared, "{other} and {one}");
        }
    }
}
