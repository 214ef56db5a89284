//! What `--change` may say of an image that is made here: the instructions of a Dockerfile that touch no file.

use crate::configuration::Config;
use std::str::FromStr;

/// Text that is no such instruction.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{text:?} changes no image: {expected}")]
pub struct InvalidChange {
    /// What was given.
    pub text: String,
    /// What could have been said.
    pub expected: String,
}

/// One instruction.
#[derive(Clone, Debug, Eq, PartialEq)]
#[allow(missing_docs, reason = "named as in a Dockerfile")]
pub enum Change {
    Cmd(Vec<String>),
    Entrypoint(Vec<String>),
    Env(Vec<(String, String)>),
    Expose(Vec<crate::ExposedPort>),
    Label(Vec<(String, String)>),
    StopSignal(String),
    User(String),
    Volume(Vec<String>),
    WorkDir(String),
}

const KNOWN: &str =
    "expected CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME or WORKDIR, and a value";

impl Change {
    /// Makes the configuration say so.
    pub fn apply(&self, config: &mut Config) {
        match self {
            Self::Cmd(words) => config.cmd.clone_from(words),
            Self::Entrypoint(words) => config.entrypoint.clone_from(words),
            Self::Env(pairs) => pairs.iter().for_each(|(name, value)| {
                config.env.retain(|old| old.split('=').next() != Some(name));
                config.env.push(format!("{name}={value}"));
            }),
            Self::Expose(ports) => config.exposed_ports.extend(ports),
            Self::Label(pairs) => config.labels.extend(pairs.iter().cloned()),
            Self::StopSignal(signal) => config.stop_signal = Some(signal.clone()),
            Self::User(user) => config.user.clone_from(user),
            Self::Volume(folders) => config.volumes.extend(folders.iter().cloned()),
            Self::WorkDir(folder) if folder.starts_with('/') => config.working_dir.clone_from(folder),
            // As in a Dockerfile: below the one before.
            Self::WorkDir(folder) => {
                config.working_dir = format!("{}/{folder}", config.working_dir.trim_end_matches('/'));
            }
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let (word, value) = text.trim().split_once(char::is_whitespace).ok_or(KNOWN)?;
        let value = value.trim();
        match word.to_ascii_uppercase().as_str() {
            "CMD" => command(value).map(Self::Cmd),
            "ENTRYPOINT" => command(value).map(Self::Entrypoint),
            "ENV" => pairs(value).map(Self::Env),
            "LABEL" => pairs(value).map(Self::Label),
            "EXPOSE" => {
                let ports = value.split_whitespace().map(str::parse).collect::<Result<_, _>>();
                ports.map(Self::Expose).map_err(|error: crate::InvalidExposedPort| error.to_string())
            }
            "STOPSIGNAL" => one(value).map(Self::StopSignal),
            "USER" => one(value).map(Self::User),
            "VOLUME" => folders(value).map(Self::Volume),
            "WORKDIR" => Ok(Self::WorkDir(value.to_owned())),
            _ => Err(KNOWN.to_owned()),
        }
    }
}

impl FromStr for Change {
    type Err = InvalidChange;
    fn from_str(text: &str) -> Result<Self, InvalidChange> {
        Self::parse(text).map_err(|expected| InvalidChange { text: text.to_owned(), expected })
    }
}

fn list(value: &str) -> Result<Vec<String>, String> {
    serde_json::from_str(value).map_err(|error| format!("expected [\"WORD\", …]: {error}"))
}

/// A list of words, or a line for the shell.
fn command(value: &str) -> Result<Vec<String>, String> {
    if value.starts_with('[') {
        return list(value);
    }
    Ok(vec!["/bin/sh".into(), "-c".into(), value.to_owned()])
}

fn folders(value: &str) -> Result<Vec<String>, String> {
    let folders = if value.starts_with('[') {
        list(value)?
    } else {
        value.split_whitespace().map(Into::into).collect()
    };
    match folders.iter().find(|folder| !folder.starts_with('/')) {
        Some(folder) => Err(format!("{folder:?} is no absolute path")),
        None => Ok(folders),
    }
}

fn one(value: &str) -> Result<String, String> {
    if value.contains(char::is_whitespace) { Err("expected one word".into()) } else { Ok(value.to_owned()) }
}

/// `NAME=VALUE …`, or the old form of one pair, `NAME VALUE`. Quotes and backslashes as in a Dockerfile.
fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    let first = text.split_whitespace().next().unwrap_or_default();
    if !first.contains('=') {
        let (name, value) = text.split_once(char::is_whitespace).ok_or("expected NAME=VALUE")?;
        return Ok(vec![(name.to_owned(), value.trim().to_owned())]);
    }
    let pair = |word: String| match word.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(format!("expected NAME=VALUE, not {word:?}")),
    };
    words(text)?.into_iter().map(pair).collect()
}

fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None | Some('"'), '\\') => {
                word.get_or_insert_default().push(letters.next().ok_or("it ends after a backslash")?);
            }
            (None, _) if letter.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    if quote.is_some() {
        return Err("a quote is not closed".into());
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(texts: &[&str]) -> Config {
        let mut config = Config::default();
        texts.iter().for_each(|text| text.parse::<Change>().unwrap().apply(&mut config));
        config
    }

    #[test]
    fn a_change_says_what_a_dockerfile_says() {
        let config = changed(&[
            "CMD [\"sleep\", \"1\"]",
            "entrypoint exec top -b",
            "ENV A=1 B=\"two words\" C=x\\ y",
            "ENV A again and again",
            "EXPOSE 80 53/udp",
            "VOLUME /data /log",
            "WORKDIR /srv",
            "WORKDIR www",
            "LABEL a.b='c d'",
            "STOPSIGNAL SIGQUIT",
            "USER 1000:1000",
        ]);
        assert_eq!(config.cmd, ["sleep", "1"]);
        assert_eq!(config.entrypoint, ["/bin/sh", "-c", "exec top -b"]);
        assert_eq!(config.env, ["B=two words", "C=x y", "A=again and again"]);
        assert_eq!((config.exposed_ports.len(), config.volumes.len()), (2, 2));
        assert_eq!((config.working_dir.as_str(), config.user.as_str()), ("/srv/www", "1000:1000"));
        assert_eq!((config.labels["a.b"].as_str(), config.stop_signal.as_deref()), ("c d", Some("SIGQUIT")));
    }

    #[test]
    fn what_changes_no_image_is_refused() {
        for text in
            ["", "CMD", "RUN true", "CMD [\"a\"", "ENV A", "ENV A=\"b", "EXPOSE x", "VOLUME data", "USER a b"]
        {
            assert!(text.parse::<Change>().is_err(), "{text}");
        }
    }
}
