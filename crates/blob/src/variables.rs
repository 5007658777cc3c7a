//! Variables of the environment that say who we are at a service. Their values are secret: nothing prints them.

use std::fmt;

/// Those that are set, of the ones a service knows.
#[derive(Clone, Default)]
pub struct Variables(Vec<(&'static str, String)>);

impl Variables {
    /// Asks `lookup` for each of the `known` ones. One that is empty counts as none, as the vendors' own tools have it.
    pub(crate) fn collect<K>(known: &[(&'static str, K)], lookup: impl Fn(&str) -> Option<String>) -> Self {
        let given = known.iter().filter_map(|(name, _)| Some((*name, lookup(name)?)));
        Self(given.filter(|(_, value)| !value.is_empty()).collect())
    }

    pub(crate) fn has_any_of(&self, names: &[&str]) -> bool {
        self.0.iter().any(|(name, _)| names.contains(name))
    }

    /// Tells `builder` each value under the key that stands beside its name in `known`.
    pub(crate) fn tell<K: Copy, B>(
        &self,
        known: &[(&'static str, K)],
        builder: B,
        set: impl Fn(B, K, String) -> B,
    ) -> B {
        let keyed = self.keyed(known);
        keyed.fold(builder, |builder, (_, key, value)| set(builder, key, value.to_owned()))
    }

    /// The name of the first whose key in `known` and value `is_meant`.
    pub(crate) fn find<K: Copy>(
        &self,
        known: &[(&'static str, K)],
        is_meant: impl Fn(K, &str) -> bool,
    ) -> Option<&'static str> {
        let mut keyed = self.keyed(known);
        keyed.find_map(|(name, key, value)| is_meant(key, value).then_some(name))
    }

    /// Name, key beside it in `known`, and value.
    fn keyed<K: Copy>(&self, known: &[(&'static str, K)]) -> impl Iterator<Item = (&'static str, K, &str)> {
        self.0.iter().filter_map(|(name, value)| {
            let (_, key) = known.iter().find(|(known, _)| known == name)?;
            Some((*name, *key, value.as_str()))
        })
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_ones_are_told_and_none_is_shown() {
        let known = [("NAME", 1), ("KEY", 2), ("TOKEN", 3)];
        let given = Variables::collect(&known, |name| match name {
            "NAME" => Some("somebody".to_owned()),
            "KEY" => Some(String::new()),
            "OTHER" => Some("foreign".to_owned()),
            _ => None,
        });
        let told = given.tell(&known, Vec::new(), |mut told, key, value| {
            told.push((key, value));
            told
        });
        assert_eq!(told, [(1, "somebody".to_owned())]);
        assert!(given.has_any_of(&["KEY", "NAME"]) && !given.has_any_of(&["KEY"]));
        assert_eq!(format!("{given:?}"), r#"["NAME"]"#);
    }
}
