//! Whom a person means: a namespace by its name or path, a process, or a container of any runtime.

use std::io;
use std::path::{Path, PathBuf};

use cni::{Code, Fault};
use netns::{Directory, Identity, Name, Netns};
use network::Entry;
use sha2::{Digest, Sha256};
use vocab::{ContainerId, InvalidName};

use crate::nearest::nearest;

/// What a word may begin with to say what it is.
const NAMESPACE: &str = "ns:";
const CONTAINER: &str = "container:";
const PROCESS: &str = "pid:";

/// A container: an id, and the namespace that it lives in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sandbox {
    /// Its id.
    pub container: ContainerId,
    /// Its namespace; nothing, when that is not known any more.
    pub netns: Option<PathBuf>,
}

/// Why nobody is found.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// Nothing has that name.
    #[error("{text:?} is no network namespace, no container and no process")]
    Nobody {
        /// The word.
        text: String,
        /// What was meant, perhaps.
        nearest: Option<String>,
    },
    /// A namespace has that name, and a container that lives in another.
    #[error("{text:?} is a network namespace and a container, which lives in {}", told(netns))]
    Both {
        /// The word.
        text: String,
        /// Where the container lives.
        netns: Option<PathBuf>,
    },
    /// Several containers' ids begin so.
    #[error("{text:?} begins the ids of several containers: {}", containers.join(", "))]
    Several {
        /// The word.
        text: String,
        /// The containers.
        containers: Vec<String>,
    },
    /// Several containers have that name.
    #[error("{text:?} is the name of several containers: {}", containers.join(", "))]
    Namesakes {
        /// The word.
        text: String,
        /// The containers.
        containers: Vec<String>,
    },
    /// The namespace cannot be opened.
    #[error("open the network namespace of {text:?}")]
    Open {
        /// The word.
        text: String,
        /// Why not.
        source: netns::Error,
    },
    /// The word is no path.
    #[error("find network namespace {}", path.display())]
    Path {
        /// The path.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The name is none.
    #[error("find network namespace {text:?}")]
    Name {
        /// The name.
        text: String,
        /// Why not.
        source: netns::InvalidName,
    },
    /// The names of its namespace cannot be found out.
    #[error("find the names of the network namespace of {text:?}")]
    Names {
        /// The word.
        text: String,
        /// Why not.
        source: netns::directory::Error,
    },
    /// No id can be made.
    #[error("name the container in {text:?}")]
    Container {
        /// The word.
        text: String,
        /// Why not.
        source: InvalidName,
    },
}

fn told(netns: &Option<PathBuf>) -> String {
    netns.as_ref().map_or("none".to_owned(), |netns| netns.display().to_string())
}

impl TargetError {
    /// Whether nobody is there whom the word could mean.
    #[must_use]
    pub fn is_absence(&self) -> bool {
        match self {
            Self::Nobody { .. } => true,
            Self::Open { source, .. } => source.is_gone(),
            _ => false,
        }
    }
}

impl Fault for TargetError {
    fn code(&self) -> Code {
        match self {
            Self::Open { .. } | Self::Path { .. } | Self::Names { .. } => Code::INVALID_NETNS,
            _ => Code::UNKNOWN_CONTAINER,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Nobody { nearest: Some(nearest), .. } => format!("did you mean {nearest}?"),
            Self::Nobody { text, nearest: None } if text.starts_with(CONTAINER) => {
                "`netctl inspect NETWORK` shows who is on a network".to_owned()
            }
            Self::Nobody { text, nearest: None } if text.starts_with(PROCESS) => return None,
            Self::Nobody { text, nearest: None } => {
                format!(
                    "`netctl netns add {text}` makes a namespace; `netctl netns list` shows which there are"
                )
            }
            Self::Both { text, .. } => format!("say ns:{text} or container:{text}"),
            Self::Several { .. } => "give more digits".to_owned(),
            Self::Namesakes { .. } => "give the first digits of the one that is meant".to_owned(),
            Self::Open { source, .. } if source.is_gone() => "its process or namespace is gone".to_owned(),
            _ => return None,
        })
    }
}

/// Where to look for whom.
#[derive(Debug, Clone, Copy)]
pub struct Whereabouts<'a> {
    /// Named namespaces.
    pub directory: &'a Directory,
    /// What the cache keeps of attachments: containers of every runtime.
    pub entries: &'a [Entry],
}

impl Whereabouts<'_> {
    /// Finds whom `text` means: `ns:NAME-OR-PATH`, `container:ID-OR-NAME`, `pid:N`, or one of them without its word.
    ///
    /// # Errors
    /// [`TargetError`].
    pub fn find(&self, text: &str) -> Result<Sandbox, TargetError> {
        if let Some(name) = text.strip_prefix(NAMESPACE) {
            return self.in_namespace(text, &self.path_of(text, name)?);
        }
        if let Some(name) = text.strip_prefix(CONTAINER) {
            return self.container(name)?.ok_or_else(|| self.nobody(text, name));
        }
        if let Some(pid) = text.strip_prefix(PROCESS) {
            let pid = pid.parse().map_err(|_| self.nobody(text, pid))?;
            return self.in_namespace(text, &netns::process::path_of(pid));
        }
        if text.contains('/') {
            return self.in_namespace(text, &self.path_of(text, text)?);
        }
        self.by_name(text)
    }

    fn by_name(&self, text: &str) -> Result<Sandbox, TargetError> {
        let named =
            Name::new(text).ok().map(|name| self.directory.path_of(&name)).filter(|path| path.exists());
        // The beginning of an id is a short cut. What has the name itself is meant, if there is such a thing: of the
        // namespaces c1 and c12, the first is not to be had in doubt because a container lives in the second.
        let container = match &named {
            Some(_) => self.container_named(text)?,
            None => self.container(text)?,
        };
        match (named, container) {
            (Some(path), None) => self.in_namespace(text, &path),
            (Some(path), Some(container)) => {
                let same = |netns: &Path| Identity::of_path(netns).ok() == Identity::of_path(&path).ok();
                // What a namespace of this name was before it was deleted and made anew is no container any more.
                let lives = container.netns.as_deref().is_some_and(|netns| Netns::open(netns).is_ok());
                match container.netns.as_deref().is_some_and(same) || !lives {
                    true => self.in_namespace(text, &path),
                    false => Err(TargetError::Both { text: text.to_owned(), netns: container.netns }),
                }
            }
            (None, Some(container)) => Ok(container),
            (None, None) => match text.parse() {
                Ok(pid) if Path::new("/proc").join(text).exists() => {
                    self.in_namespace(text, &netns::process::path_of(pid))
                }
                _ => Err(self.nobody(text, text)),
            },
        }
    }

    /// A container that some runtime attached: by its id, by the name its runtime gave it, or by the beginning of its id.
    fn container(&self, text: &str) -> Result<Option<Sandbox>, TargetError> {
        if let Some(sandbox) = self.container_named(text)? {
            return Ok(Some(sandbox));
        }
        let begins = |id: &str| is_number(text) && is_number(id) && id.starts_with(text);
        let mut found = self.containers(|entry| begins(entry.attachment.container.as_str()));
        match found.len() {
            0 | 1 => Ok(found.pop()),
            _ => Err(TargetError::Several { text: text.to_owned(), containers: ids_of(&found) }),
        }
    }

    /// A container that some runtime attached: by its id, or by the name its runtime gave it.
    fn container_named(&self, text: &str) -> Result<Option<Sandbox>, TargetError> {
        if let Some(sandbox) = self.containers(|entry| entry.attachment.container.as_str() == text).pop() {
            return Ok(Some(sandbox));
        }
        let is_named = |entry: &Entry| entry.args.get("K8S_POD_NAME") == Some(text);
        let mut named = self.containers(is_named);
        if named.len() > 1 {
            // Whoever is gone leaves the name to the next one.
            let standing = self.containers(|entry| is_named(entry) && entry.stands().unwrap_or(false));
            named = if standing.is_empty() { named } else { standing };
        }
        match named.len() {
            0 | 1 => Ok(named.pop()),
            _ => Err(TargetError::Namesakes { text: text.to_owned(), containers: ids_of(&named) }),
        }
    }

    /// The containers of some entries, each once, in the order of their ids. Where one lives, an entry knows best that
    /// stands.
    fn containers(&self, is_meant: impl Fn(&Entry) -> bool) -> Vec<Sandbox> {
        let mut entries: Vec<&Entry> = self.entries.iter().filter(|entry| is_meant(entry)).collect();
        entries.sort_by(|a, b| a.attachment.container.cmp(&b.attachment.container));
        let of_one = entries.chunk_by(|a, b| a.attachment.container == b.attachment.container);
        let sandbox = |entry: &Entry| Sandbox {
            container: entry.attachment.container.clone(),
            netns: entry.namespace().map(Path::to_owned),
        };
        let best = |entries: &[&Entry]| match entries {
            [] => None,
            [one] => Some(sandbox(one)),
            [first, ..] => {
                let standing = entries.iter().find(|entry| entry.stands().unwrap_or(false));
                Some(sandbox(standing.unwrap_or(first)))
            }
        };
        of_one.filter_map(best).collect()
    }

    fn path_of(&self, text: &str, name: &str) -> Result<PathBuf, TargetError> {
        if name.contains('/') {
            let absolute = netns::path::absolute(name);
            return absolute.map_err(|source| TargetError::Path { path: name.into(), source });
        }
        let name = Name::new(name).map_err(|source| TargetError::Name { text: text.to_owned(), source })?;
        Ok(self.directory.path_of(&name))
    }

    /// Who lives in a namespace. The same container is to have the same id, by whatever path it is named: the one that
    /// a runtime gave it, the name of its namespace, or one that follows from the path.
    fn in_namespace(&self, text: &str, path: &Path) -> Result<Sandbox, TargetError> {
        let netns = Netns::open(path).map_err(|source| match self.instead_of(path, &source) {
            Some(nearest) => TargetError::Nobody { text: text.to_owned(), nearest: Some(nearest) },
            None => TargetError::Open { text: text.to_owned(), source },
        })?;
        let identity = netns.identity();
        let lives_here = |entry: &&Entry| {
            let same = |netns: &Path| Identity::of_path(netns).is_ok_and(|of| of == identity);
            // The number of a process may be another one's by now: then its interface is not there.
            entry.namespace().is_some_and(same) && entry.stands().unwrap_or(true)
        };
        let known = self.entries.iter().find(lives_here).map(|entry| entry.attachment.container.clone());
        let container = match known {
            Some(container) => container,
            None => {
                // Without its name, it would be another container than the last time.
                let names = self.directory.names_of(identity);
                let names = names.map_err(|source| TargetError::Names { text: text.to_owned(), source })?;
                let named = names.first().and_then(|name| name.as_os_str().to_str()).map(str::to_owned);
                id_of(path, named)
                    .map_err(|source| TargetError::Container { text: text.to_owned(), source })?
            }
        };
        Ok(Sandbox { container, netns: Some(path.to_owned()) })
    }

    /// The namespace whose name was meant, when `path` would be one of the directory and is not.
    fn instead_of(&self, path: &Path, error: &netns::Error) -> Option<String> {
        let name = path.strip_prefix(self.directory.path()).ok()?.to_str()?;
        // A file that is no namespace any more is still called so.
        error.is_gone().then(|| self.nearest(name)).flatten().filter(|nearest| nearest != name)
    }

    fn nobody(&self, text: &str, name: &str) -> TargetError {
        TargetError::Nobody { text: text.to_owned(), nearest: self.nearest(name) }
    }

    fn nearest(&self, text: &str) -> Option<String> {
        let names = self.directory.names().unwrap_or_default().into_iter().map(|name| name.to_string());
        let containers =
            self.entries.iter().filter_map(|entry| entry.args.get("K8S_POD_NAME").map(str::to_owned));
        nearest(text, names.chain(containers))
    }
}

fn ids_of(found: &[Sandbox]) -> Vec<String> {
    found.iter().map(|sandbox| sandbox.container.to_string()).collect()
}

/// Whether a text is a number as runtimes make ids of: names of namespaces have no digits of which the first are enough.
fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The id of a container that has none: the name of its namespace, `pid-4242` for a process, and a hash for the rest.
fn id_of(path: &Path, named: Option<String>) -> Result<ContainerId, InvalidName> {
    if let Some(id) = named.and_then(|name| ContainerId::new(&name).ok()) {
        return Ok(id);
    }
    let mut words = path.iter().skip(1);
    if let (Some("proc"), Some(pid), Some("ns")) = (
        words.next().and_then(|word| word.to_str()),
        words
            .next()
            .and_then(|word| word.to_str())
            .filter(|word| word.bytes().all(|byte| byte.is_ascii_digit())),
        words.next().and_then(|word| word.to_str()),
    ) {
        return ContainerId::new(&format!("pid-{pid}"));
    }
    let digest = Sha256::digest(path.as_os_str().as_encoded_bytes());
    let digits: String = digest.iter().take(10).map(|byte| format!("{byte:02x}")).collect();
    ContainerId::new(&format!("ns-{digits}"))
}

#[cfg(test)]
mod tests;
