//! Which flags go with which mode. Where Docker drops a flag without a word, here it is refused, or a word is said.

use crate::Mode;

/// What was asked for, as far as it depends on the mode.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Asked {
    /// `-p`
    pub publish: bool,
    /// `-P`
    pub publish_all: bool,
    /// `--expose`
    pub expose: bool,
    /// `-h`
    pub hostname: bool,
    /// `--domainname`
    pub domainname: bool,
    /// `--dns`
    pub dns: bool,
    /// `--dns-search`
    pub dns_search: bool,
    /// `--dns-opt`
    pub dns_options: bool,
    /// `--add-host`
    pub add_host: bool,
    /// `--add-host NAME:host-gateway`
    pub host_gateway: bool,
    /// `--ip`
    pub ip: bool,
    /// `--ip6`
    pub ip6: bool,
    /// `--mac-address`
    pub mac: bool,
    /// `--network-alias`
    pub alias: bool,
}

/// A flag that the mode cannot honour.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{flag} with --network {mode}: {reason}")]
pub struct RuleError {
    flag: &'static str,
    mode: String,
    reason: &'static str,
    instead: Option<&'static str>,
}

impl RuleError {
    /// What the person who asked can do instead.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        self.instead
    }
}

/// What becomes of a flag.
enum Rule {
    Refused(&'static str, Option<&'static str>),
    Told(&'static str),
}

/// Fails for what a mode cannot honour; gives what people had better know.
///
/// # Errors
/// [`RuleError`].
pub fn check(mode: &Mode, asked: &Asked) -> Result<Vec<String>, RuleError> {
    let mut notes = Vec::new();
    for (flag, is_given) in flags(asked) {
        match rule(mode, flag).filter(|_| is_given) {
            None => {}
            Some(Rule::Told(words)) => {
                notes.push(format!("{flag} with --network {}: {words}", name_of(mode)))
            }
            Some(Rule::Refused(reason, instead)) => {
                return Err(RuleError { flag, mode: name_of(mode).to_owned(), reason, instead });
            }
        }
    }
    Ok(notes)
}

fn flags(asked: &Asked) -> [(&'static str, bool); 14] {
    [
        ("-p", asked.publish),
        ("-P", asked.publish_all),
        ("--expose", asked.expose),
        ("-h", asked.hostname),
        ("--domainname", asked.domainname),
        ("--dns", asked.dns),
        ("--dns-search", asked.dns_search),
        ("--dns-opt", asked.dns_options),
        ("--add-host", asked.add_host),
        ("--add-host NAME:host-gateway", asked.host_gateway),
        ("--ip", asked.ip),
        ("--ip6", asked.ip6),
        ("--mac-address", asked.mac),
        ("--network-alias", asked.alias),
    ]
}

fn rule(mode: &Mode, flag: &str) -> Option<Rule> {
    match mode {
        Mode::Networks(_) => None,
        Mode::None => none(flag),
        Mode::Host => host(flag),
        Mode::Container(_) => container(flag),
        Mode::Namespace(_) => namespace(flag),
    }
}

const ON_A_NETWORK: Option<&str> =
    Some("put the container on a network: --network bridge, or one that `netctl create` made");

fn none(flag: &str) -> Option<Rule> {
    match flag {
        "-p" | "-P" => Some(Rule::Told("nothing is published, for the container has no network")),
        "--add-host NAME:host-gateway" => {
            Some(Rule::Refused("the container does not reach the host", ON_A_NETWORK))
        }
        "--ip" | "--ip6" | "--mac-address" => {
            Some(Rule::Refused("the container has no interface but lo", ON_A_NETWORK))
        }
        "--network-alias" => Some(Rule::Refused("nobody could ask for the name", ON_A_NETWORK)),
        _ => None,
    }
}

fn host(flag: &str) -> Option<Rule> {
    match flag {
        "-p" | "-P" => Some(Rule::Told(
            "nothing is published: what the container listens on is the host's port, with the same number",
        )),
        "--ip" | "--ip6" | "--mac-address" => {
            Some(Rule::Refused("the container has the host's addresses", ON_A_NETWORK))
        }
        "--network-alias" => Some(Rule::Refused("the container is on no network of its own", ON_A_NETWORK)),
        _ => None,
    }
}

fn container(flag: &str) -> Option<Rule> {
    const OF_OTHER: Option<&str> = Some("say it when the other container is created");
    match flag {
        "-p" | "-P" => {
            Some(Rule::Refused("ports are published by the container that has the network", OF_OTHER))
        }
        "--expose" => {
            Some(Rule::Refused("ports are exposed by the container that has the network", OF_OTHER))
        }
        "-h" => Some(Rule::Refused("the host name is the other container's", OF_OTHER)),
        "--dns" | "--dns-opt" => Some(Rule::Refused("resolv.conf is the other container's", OF_OTHER)),
        "--domainname" | "--dns-search" => Some(Rule::Told("it is the other container's, and not changed")),
        "--add-host" | "--add-host NAME:host-gateway" => {
            Some(Rule::Refused("/etc/hosts is the other container's", OF_OTHER))
        }
        "--ip" | "--ip6" | "--mac-address" => {
            Some(Rule::Refused("the addresses are the other container's", OF_OTHER))
        }
        "--network-alias" => Some(Rule::Refused("the names are the other container's", OF_OTHER)),
        _ => None,
    }
}

fn namespace(flag: &str) -> Option<Rule> {
    const CONNECT: Option<&str> = Some("`netctl connect NETWORK ns:NAME` does that for the namespace");
    match flag {
        "-p" | "-P" => Some(Rule::Refused("whoever made the namespace has its network", CONNECT)),
        "--ip" | "--ip6" | "--mac-address" | "--network-alias" => {
            Some(Rule::Refused("whoever made the namespace has its addresses", CONNECT))
        }
        "--add-host NAME:host-gateway" => Some(Rule::Refused(
            "how the host is reached from the namespace is not known",
            Some("name the address"),
        )),
        _ => None,
    }
}

/// As people write a mode.
pub(super) fn name_of(mode: &Mode) -> &'static str {
    match mode {
        Mode::Networks(_) => "NETWORK",
        Mode::Host => "host",
        Mode::None => "none",
        Mode::Container(_) => "container:NAME",
        Mode::Namespace(_) => "ns:PATH",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Id;

    fn modes() -> [Mode; 5] {
        [
            Mode::None,
            Mode::Host,
            Mode::Container(Id::from_bytes([1; 32])),
            Mode::Namespace("/run/netns/x".into()),
            Mode::Networks(Vec::new()),
        ]
    }

    /// For each flag, what becomes of it with none, host, container:, ns: and networks: refused, told, or fine.
    const TABLE: [(&str, &str); 14] = [
        ("-p", "ttrr."),
        ("-P", "ttrr."),
        ("--expose", "..r.."),
        ("-h", "..r.."),
        ("--domainname", "..t.."),
        ("--dns", "..r.."),
        ("--dns-search", "..t.."),
        ("--dns-opt", "..r.."),
        ("--add-host", "..r.."),
        ("--add-host NAME:host-gateway", "r.rr."),
        ("--ip", "rrrr."),
        ("--ip6", "rrrr."),
        ("--mac-address", "rrrr."),
        ("--network-alias", "rrrr."),
    ];

    #[test]
    fn every_flag_is_honoured_refused_or_told_of_in_every_mode() {
        for (flag, wanted) in TABLE {
            let found: String = modes()
                .iter()
                .map(|mode| match rule(mode, flag) {
                    None => '.',
                    Some(Rule::Told(_)) => 't',
                    Some(Rule::Refused(..)) => 'r',
                })
                .collect();
            assert_eq!(found, wanted, "{flag}");
        }
    }

    #[test]
    fn what_is_refused_names_flag_mode_and_way_out() {
        let asked = Asked { ip: true, ..Asked::default() };
        let error = check(&Mode::Host, &asked).expect_err("refused");
        assert_eq!(error.to_string(), "--ip with --network host: the container has the host's addresses");
        assert!(error.hint().is_some_and(|hint| hint.contains("--network bridge")));
    }

    #[test]
    fn what_is_only_told_of_is_a_note() {
        let asked = Asked { publish: true, ..Asked::default() };
        let notes = check(&Mode::None, &asked).expect("fine");
        assert_eq!(notes, ["-p with --network none: nothing is published, for the container has no network"]);
        assert_eq!(check(&Mode::None, &Asked::default()), Ok(Vec::new()));
    }
}
