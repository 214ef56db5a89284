//! `--filter KEY=VALUE`: which networks are meant.

use std::str::FromStr;

use catalog::Network;
use jiff::{SignedDuration, Timestamp};

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Filter {
    key: Key,
    value: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Name,
    Id,
    Driver,
    Label,
    NoLabel,
    Type,
    Scope,
    Dangling,
    Until(Timestamp),
}

/// A text is no condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum InvalidFilter {
    #[error("expected KEY=VALUE with one of the keys name, id, driver, label, type, scope, dangling, until")]
    Key,
    #[error("{key}: {value:?}: expected {expected}")]
    Value { key: &'static str, value: String, expected: &'static str },
}

impl FromStr for Filter {
    type Err = InvalidFilter;

    fn from_str(text: &str) -> Result<Self, InvalidFilter> {
        // `label!=x` is the only condition that is turned round.
        let (key, value) = text.split_once('=').ok_or(InvalidFilter::Key)?;
        let wrong = |key, expected| InvalidFilter::Value { key, value: value.to_owned(), expected };
        let key = match key {
            "name" => Key::Name,
            "id" => Key::Id,
            "driver" => Key::Driver,
            "label" => Key::Label,
            "label!" => Key::NoLabel,
            "type" if ["custom", "builtin"].contains(&value) => Key::Type,
            "type" => return Err(wrong("type", "custom or builtin")),
            "scope" if value == "local" => Key::Scope,
            "scope" => return Err(wrong("scope", "local, which all networks here are")),
            "dangling" if ["true", "false", "1", "0"].contains(&value) => Key::Dangling,
            "dangling" => return Err(wrong("dangling", "true or false")),
            "until" => Key::Until(moment(value).ok_or_else(|| {
                wrong("until", "a time such as 2026-01-31T12:00:00Z, or a duration such as 24h")
            })?),
            _ => return Err(InvalidFilter::Key),
        };
        Ok(Self { key, value: value.to_owned() })
    }
}

/// A time, or one that lies so far back.
fn moment(text: &str) -> Option<Timestamp> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    let back: SignedDuration = text.parse().ok()?;
    Timestamp::now().checked_sub(back).ok()
}

impl Filter {
    /// Whether a network is meant, on which `members` containers are.
    fn accepts(&self, network: &Network, members: usize) -> bool {
        let view = &network.view;
        match self.key {
            Key::Name => is_like(network.name().as_str(), &self.value),
            Key::Id => network.id.begins_with(&self.value),
            Key::Driver => view.driver == self.value,
            Key::Label => has_label(network, &self.value),
            Key::NoLabel => !has_label(network, &self.value),
            Key::Type => network.is_built_in() == (self.value == "builtin"),
            Key::Scope => true,
            // The three that are always there hang on nobody.
            Key::Dangling => {
                let is_dangling = members == 0 && !network.is_built_in();
                is_dangling == ["true", "1"].contains(&self.value.as_str())
            }
            Key::Until(moment) => {
                let created = view.created.as_deref().and_then(|created| created.parse::<Timestamp>().ok());
                created.is_some_and(|created| created < moment)
            }
        }
    }
}

/// Whether all conditions hold; of several with one key any, but for labels.
pub(super) fn accepts(filters: &[Filter], network: &Network, members: usize) -> bool {
    let is_met = |filter: &Filter| filter.accepts(network, members);
    filters.iter().all(|filter| match filter.key {
        Key::Label | Key::NoLabel => is_met(filter),
        key => filters.iter().filter(|other| other.key == key).any(is_met),
    })
}

fn has_label(network: &Network, wanted: &str) -> bool {
    let labels = &network.view.labels;
    match wanted.split_once('=') {
        Some((key, value)) => labels.get(key).is_some_and(|found| found == value),
        None => labels.contains_key(wanted),
    }
}

/// A part of the name, or with `^` its beginning and with `$` its end.
fn is_like(name: &str, wanted: &str) -> bool {
    let (is_start, wanted) = wanted.strip_prefix('^').map_or((false, wanted), |rest| (true, rest));
    let (is_end, wanted) = wanted.strip_suffix('$').map_or((false, wanted), |rest| (true, rest));
    match (is_start, is_end) {
        (true, true) => name == wanted,
        (true, false) => name.starts_with(wanted),
        (false, true) => name.ends_with(wanted),
        (false, false) => name.contains(wanted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_like_a_part_of_it_or_one_of_its_ends() {
        for (wanted, is_meant) in
            [("br", true), ("^br", false), ("^my", true), ("r0$", true), ("^mybr0$", true), ("y$", false)]
        {
            assert_eq!(is_like("mybr0", wanted), is_meant, "{wanted}");
        }
    }

    #[test]
    fn what_is_no_condition_is_refused_with_what_would_be_one() {
        for (text, expected) in [
            ("mybr0", "expected KEY=VALUE"),
            ("nam=x", "expected KEY=VALUE with one of the keys name"),
            ("type=user", "expected custom or builtin"),
            ("dangling=maybe", "expected true or false"),
            ("until=yesterday", "expected a time such as"),
        ] {
            let error = text.parse::<Filter>().unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
        assert!("until=24h".parse::<Filter>().is_ok());
        assert!("until=2026-01-31T12:00:00Z".parse::<Filter>().is_ok());
        assert_eq!(
            "label!=a=b".parse::<Filter>().unwrap(),
            Filter { key: Key::NoLabel, value: "a=b".into() }
        );
    }
}
