//! resolv.conf(5): the host's is read, a container's is made of it and of what people say.

#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::io::Read as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Where systemd-resolved keeps the name servers that it asks itself.
pub const BEHIND_RESOLVED: &str = "/run/systemd/resolve/resolv.conf";
/// Where systemd-resolved listens on the host, and on no container.
const STUB: &str = "127.0.0.53";
/// The most that is read of a file, in bytes.
const LARGEST: u64 = 1 << 20;
/// How many name servers glibc and musl ask.
pub const MOST_SERVERS: usize = 3;
/// In how many domains older resolvers look.
pub const MOST_DOMAINS: usize = 6;

/// The lines of a resolv.conf.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResolvConf {
    /// The name servers: addresses, IPv6 ones perhaps with a zone.
    pub nameservers: Vec<Nameserver>,
    /// Where names without dots are looked for. The last of `search` and `domain` counts.
    pub search: Vec<String>,
    /// Options such as `ndots:2`.
    pub options: Vec<String>,
    /// Other lines, such as `sortlist`.
    pub others: Vec<String>,
}

/// A name server: an address, and for a link-local one by which interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nameserver {
    /// Its address.
    pub address: IpAddr,
    /// The zone: RFC 4007, section 11.
    pub zone: Option<String>,
}

impl Nameserver {
    /// An address without a zone.
    #[must_use]
    pub const fn of(address: IpAddr) -> Self {
        Self { address, zone: None }
    }

    fn read(text: &str) -> Option<Self> {
        let (address, zone) = match text.split_once('%') {
            Some((address, zone)) => (address, Some(zone)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let is_zone = |zone: &str| {
            address.is_ipv6() && !zone.is_empty() && zone.bytes().all(|byte| byte.is_ascii_graphic())
        };
        match zone {
            Some(zone) if !is_zone(zone) => None,
            zone => Some(Self { address, zone: zone.map(str::to_owned) }),
        }
    }

    /// Whether it is reached from the host's own namespace only.
    fn is_of_the_host(&self) -> bool {
        self.address.to_canonical().is_loopback() || self.zone.is_some()
    }
}

impl std::fmt::Display for Nameserver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.zone {
            Some(zone) => write!(f, "{}%{zone}", self.address),
            None => write!(f, "{}", self.address),
        }
    }
}

impl ResolvConf {
    /// Reads a text. What is no name server is left out, as every resolver does; comments are.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut read = Self::default();
        for line in text.lines() {
            // First, for what is left may be another word then.
            let line = printable(line);
            let line = line.trim();
            let mut words = line.split_ascii_whitespace();
            match words.next() {
                None => {}
                Some(word) if word.starts_with(['#', ';']) => {}
                Some("nameserver") => read.nameservers.extend(words.next().and_then(Nameserver::read)),
                Some("search") => read.search = words.map(str::to_owned).collect(),
                Some("domain") => read.search = words.take(1).map(str::to_owned).collect(),
                Some("options") => read.options.extend(words.map(str::to_owned)),
                Some(_) => read.others.push(line.to_owned()),
            }
        }
        read
    }

    /// Whether systemd-resolved on the host is all that is asked.
    fn is_stub(&self) -> bool {
        matches!(self.nameservers.as_slice(), [only] if only.address.to_string() == STUB)
    }
}

/// Control characters do nothing to whoever prints the file.
fn printable(line: &str) -> String {
    line.chars().filter(|char| !char.is_control() || *char == '\t').collect()
}

/// Why the host's file cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("read {}", path.display())]
pub struct ReadError {
    /// The file.
    pub path: PathBuf,
    /// Why not.
    pub source: io::Error,
}

/// What the host asks: `file`, or what systemd-resolved asks if `file` only names that (`behind`, as a rule
/// [`BEHIND_RESOLVED`]). A file that is not there says nothing.
///
/// # Errors
/// [`ReadError`].
pub fn read_host(file: &Path, behind: &Path) -> Result<ResolvConf, ReadError> {
    let host = ResolvConf::parse(&text_of(file)?);
    if host.is_stub() {
        let behind = ResolvConf::parse(&text_of(behind)?);
        if !behind.nameservers.is_empty() {
            return Ok(behind);
        }
    }
    Ok(host)
}

fn text_of(path: &Path) -> Result<String, ReadError> {
    let wrong = |source| ReadError { path: path.to_owned(), source };
    let file = match fs::File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        file => file.map_err(wrong)?,
    };
    let mut bytes = Vec::new();
    file.take(LARGEST).read_to_end(&mut bytes).map_err(wrong)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// What somebody says of a container's resolver; what is nothing is left to whoever is asked next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// The name servers.
    pub nameservers: Vec<Nameserver>,
    /// The domains; `.` alone stands for none.
    pub search: Vec<String>,
    /// The options.
    pub options: Vec<String>,
}

/// Something about a container's resolver that people had better know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// The host's name servers are reached by the host only, so the container has none.
    NoServer {
        /// Those that were left out.
        left_out: Vec<Nameserver>,
    },
    /// Resolvers ask the first three only.
    TooManyServers {
        /// How many there are.
        count: usize,
    },
    /// Some resolvers look in the first six only.
    TooManyDomains {
        /// How many there are.
        count: usize,
    },
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoServer { left_out } if left_out.is_empty() => {
                write!(f, "the host has no name server, so the container has none; --dns names one")
            }
            Self::NoServer { left_out } => {
                let listed: Vec<String> = left_out.iter().map(ToString::to_string).collect();
                let listed = listed.join(", ");
                write!(
                    f,
                    "name server {listed} is not reached from the container, so it has none; --dns names one"
                )
            }
            Self::TooManyServers { count } => {
                write!(f, "of {count} name servers most programs ask the first {MOST_SERVERS} only")
            }
            Self::TooManyDomains { count } => {
                write!(f, "of {count} search domains some programs use the first {MOST_DOMAINS} only")
            }
        }
    }
}

/// The resolv.conf of a container in a namespace of its own.
///
/// For name servers, domains and options each, the first of `wishes` counts that says something: those of the container,
/// of its network, of daemon.json. Where none does, the host's count, without those that only the host reaches. Docker
/// then writes Google's; here the container has none, and it is told.
#[must_use]
pub fn of_container(host: &ResolvConf, wishes: &[Wish], has_ipv6: bool) -> (ResolvConf, Vec<Note>) {
    let mut notes = Vec::new();
    let said = wishes.iter().find(|wish| !wish.nameservers.is_empty());
    let nameservers = match said {
        Some(wish) => wish.nameservers.clone(),
        None => {
            let is_reached =
                |server: &&Nameserver| !server.is_of_the_host() && (has_ipv6 || server.address.is_ipv4());
            let (reached, left_out): (Vec<_>, Vec<_>) = host.nameservers.iter().partition(is_reached);
            if reached.is_empty() {
                notes.push(Note::NoServer { left_out: left_out.into_iter().cloned().collect() });
            }
            reached.into_iter().cloned().collect()
        }
    };
    let mut search = first(wishes, |wish| &wish.search).unwrap_or(&host.search).clone();
    if search == ["."] {
        search.clear();
    }
    let options = first(wishes, |wish| &wish.options).unwrap_or(&host.options).clone();
    if nameservers.len() > MOST_SERVERS {
        notes.push(Note::TooManyServers { count: nameservers.len() });
    }
    if search.len() > MOST_DOMAINS {
        notes.push(Note::TooManyDomains { count: search.len() });
    }
    (ResolvConf { nameservers, search, options, others: host.others.clone() }, notes)
}

fn first<'a>(wishes: &'a [Wish], of: impl Fn(&'a Wish) -> &'a Vec<String>) -> Option<&'a Vec<String>> {
    wishes.iter().map(of).find(|words| !words.is_empty())
}

impl std::fmt::Display for ResolvConf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = String::from("# Written by netctl when the container was started\n");
        for server in &self.nameservers {
            writeln!(text, "nameserver {server}")?;
        }
        for (word, words) in [("search", &self.search), ("options", &self.options)] {
            if !words.is_empty() {
                writeln!(text, "{word} {}", words.join(" "))?;
            }
        }
        for line in &self.others {
            writeln!(text, "{line}")?;
        }
        f.write_str(&text)
    }
}
