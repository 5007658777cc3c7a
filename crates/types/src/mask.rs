//! Hides the secrets of an address. Whatever is printed of one, a setting, a refusal or a line of the log, comes through here.

/// The address with an ellipsis for all that stands before its last @, and for all behind a question mark: a password may
/// be in either. An address that is written wrongly still has its password, so nothing here relies on its form.
#[must_use]
pub fn without_secrets(address: &str) -> String {
    let (scheme, rest) = address.split_at(authority_start(address));
    let (user, host) = rest
        .rsplit_once('@')
        .map_or((None, rest), |(user, host)| (Some(user), host));
    // Either the password has the question mark, or what follows the question mark has the @.
    if user.is_some_and(|user| user.contains('?')) {
        return format!("{scheme}…");
    }
    let user = if user.is_some() { "…@" } else { "" };
    match host.split_once('?') {
        Some((host, _)) => format!("{scheme}{user}{host}?…"),
        None => format!("{scheme}{user}{host}"),
    }
}

/// Where user, password and host begin: behind `scheme://`, also with a quote before it or a slash missing; without a
/// scheme at once.
fn authority_start(address: &str) -> usize {
    let bare = address.trim_start_matches(['"', '\'', ' ']);
    let Some((scheme, rest)) = bare.split_once(':') else {
        return 0;
    };
    let is_in_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    let slashes = rest.chars().take(2).take_while(|c| *c == '/').count();
    if slashes == 0 || scheme.is_empty() || !scheme.chars().all(is_in_scheme) {
        return 0;
    }
    address.len() - rest.len() + slashes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_left_however_the_address_is_written() {
        for (address, shown) in [
            ("rediss://me:secret@host/0", "rediss://…@host/0"),
            ("redis://secret@host/0", "redis://…@host/0"),
            ("redis://:se@cret@host/0", "redis://…@host/0"),
            ("redis://:se/cret@host/0", "redis://…@host/0"),
            ("redis://:se?cret@host/0", "redis://…"),
            ("redis+cluster://me:secret@a:1,b:2", "redis+cluster://…@a:1,b:2"),
            (
                "redis+sentinel://:secret@a:1,b:2/main/3",
                "redis+sentinel://…@a:1,b:2/main/3",
            ),
            ("valkey://me:secret@host", "valkey://…@host"),
            (
                "redis+unix:///run/redis.sock?pass=secret",
                "redis+unix:///run/redis.sock?…",
            ),
            ("redis+unix:///run/redis.sock?pass=se@cret", "redis+unix://…"),
            (
                "https://shop.example.com/?sv=1&sig=secret",
                "https://shop.example.com/?…",
            ),
            ("\"redis://:secret@host/0\"", "\"redis://…@host/0\""),
            ("redis:/:secret@host", "redis:/…@host"),
            ("redis:secret@host", "…@host"),
            ("rediss//:secret@host", "…@host"),
            ("me:secret@host", "…@host"),
            ("{ url = \"redis://:secret@host\" }", "…@host\" }"),
            ("redis://host:6379/0", "redis://host:6379/0"),
            ("redis+unix:///run/redis.sock", "redis+unix:///run/redis.sock"),
            ("sqlite", "sqlite"),
            ("", ""),
        ] {
            assert_eq!(without_secrets(address), shown, "{address}");
        }
    }
}
