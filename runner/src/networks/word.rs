//! One `--network` of the command line.

use std::path::PathBuf;
use std::str::FromStr;

use vocab::{InterfaceName, MacAddress, NetworkName};

use crate::Membership;

/// What one `--network` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// The host's network.
    Host,
    /// Nothing but `lo`.
    None,
    /// That of another container, by its name or id.
    Container(String),
    /// A namespace that somebody made, by its path, or its name below `/run/netns`.
    Namespace(PathBuf),
    /// A network, `bridge` included.
    Network(Membership),
}

/// Why a word is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("network {text:?}: {reason}")]
pub struct InvalidWord {
    text: String,
    reason: String,
}

impl InvalidWord {
    /// What the person who asked can do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        "bridge, host, none, container:NAME, ns:PATH, or NETWORK[:ip=ADDRESS,ip6=ADDRESS,mac=ADDRESS,alias=NAME,interface=NAME]"
            .to_owned()
    }
}

impl FromStr for Word {
    type Err = InvalidWord;

    fn from_str(text: &str) -> Result<Self, InvalidWord> {
        read(text).map_err(|reason| InvalidWord { text: text.to_owned(), reason })
    }
}

fn read(text: &str) -> Result<Word, String> {
    if let Some(name) = text.strip_prefix("container:") {
        return if name.is_empty() {
            Err("no container".to_owned())
        } else {
            Ok(Word::Container(name.to_owned()))
        };
    }
    if let Some(path) = text.strip_prefix("ns:") {
        return match path {
            "" => Err("no namespace".to_owned()),
            path if path.contains('/') => Ok(Word::Namespace(path.into())),
            name => Ok(Word::Namespace(PathBuf::from("/run/netns").join(name))),
        };
    }
    let (name, options) = match text.split_once(':') {
        Some((_, "")) => return Err("nothing follows the colon".to_owned()),
        Some((name, options)) if !name.contains('=') => (Some(name), options),
        // Docker's long form has the name among the options.
        _ if text.contains('=') => (None, text),
        _ => (Some(text), ""),
    };
    let mut options: Vec<(&str, &str)> = pairs(options)?;
    let name = match name {
        Some(name) => name,
        None => {
            let at = options.iter().position(|(key, _)| *key == "name").ok_or("no name=NETWORK")?;
            let name = options.remove(at).1;
            if options.iter().any(|(key, _)| *key == "name") {
                return Err("name is given twice".to_owned());
            }
            name
        }
    };
    let plain = match name {
        "host" => Some(Word::Host),
        "none" => Some(Word::None),
        _ => None,
    };
    match plain {
        Some(word) if options.is_empty() => Ok(word),
        Some(_) => Err(format!("network {name} gives no addresses, names or interfaces")),
        // What Docker's API calls the network `bridge`.
        None => membership(if name == "default" { "bridge" } else { name }, &options).map(Word::Network),
    }
}

fn pairs(options: &str) -> Result<Vec<(&str, &str)>, String> {
    let pair = |option: &'_ str| -> Result<(usize, usize), String> {
        let at = option.find('=').ok_or_else(|| format!("{option:?} is not KEY=VALUE"))?;
        if at + 1 == option.len() { Err(format!("{option:?} has no value")) } else { Ok((at, at + 1)) }
    };
    let words = options.split(',').filter(|_| !options.is_empty());
    words.map(|option| pair(option).map(|(end, begin)| (&option[..end], &option[begin..]))).collect()
}

fn membership(name: &str, options: &[(&str, &str)]) -> Result<Membership, String> {
    let network = NetworkName::new(name).map_err(|error| error.to_string())?;
    let mut membership = Membership::of(network);
    for (at, (key, value)) in options.iter().enumerate() {
        if *key != "alias" && options[..at].iter().any(|(other, _)| main_key(other) == main_key(key)) {
            return Err(format!("{key} is given twice"));
        }
        let wrong = |what: &str| format!("{key}={value}: not {what}");
        match *key {
            "ip" => membership.ip = Some(value.parse().map_err(|_| wrong("an IPv4 address"))?),
            "ip6" => membership.ip6 = Some(value.parse().map_err(|_| wrong("an IPv6 address"))?),
            "mac" | "mac-address" => {
                membership.mac = Some(value.parse::<MacAddress>().map_err(|_| wrong("a MAC address"))?);
            }
            "alias" if is_alias(value) => membership.aliases.push((*value).to_owned()),
            "alias" => return Err(wrong("a name: letters, digits, '-', '.' and '_'")),
            "interface" | "ifname" if *value == "lo" => {
                return Err(wrong("free: every container has an interface of that name"));
            }
            "interface" | "ifname" => {
                membership.interface =
                    Some(InterfaceName::new(value).map_err(|_| wrong("the name of an interface"))?);
            }
            _ => return Err(format!("unknown key {key:?}")),
        }
    }
    Ok(membership)
}

/// The key that another one stands for.
fn main_key(key: &str) -> &str {
    match key {
        "mac-address" => "mac",
        "ifname" => "interface",
        key => key,
    }
}

/// Whether a container can have that name on a network, as far as a name server could be asked for it.
#[must_use]
pub fn is_alias(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    !text.is_empty() && text.len() <= 253 && text.bytes().all(is_letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Membership {
        match text.parse() {
            Ok(Word::Network(membership)) => membership,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn the_words_that_are_no_networks() {
        assert_eq!("host".parse(), Ok(Word::Host));
        assert_eq!("none".parse(), Ok(Word::None));
        assert_eq!("container:b1".parse(), Ok(Word::Container("b1".to_owned())));
        assert_eq!("ns:/proc/7/ns/net".parse(), Ok(Word::Namespace("/proc/7/ns/net".into())));
        assert_eq!("ns:blue".parse(), Ok(Word::Namespace("/run/netns/blue".into())));
    }

    #[test]
    fn a_network_with_what_is_asked_of_it_in_either_form() {
        let wanted = Membership {
            ip: Some([172, 26, 0, 9].into()),
            mac: Some("02:42:ac:1a:00:09".parse().expect("a MAC address")),
            aliases: vec!["web".to_owned(), "www".to_owned()],
            interface: Some(InterfaceName::new("lan0").expect("a name")),
            ..network("mybr0")
        };
        let rest = "ip=172.26.0.9,mac=02:42:ac:1a:00:09,alias=web,alias=www,interface=lan0";
        assert_eq!(network(&format!("mybr0:{rest}")), wanted);
        assert_eq!(network(&format!("name=mybr0,{rest}")), wanted);
        assert_eq!(network("mybr0:ip6=fd00::9").ip6, Some("fd00::9".parse().expect("an address")));
        assert_eq!(network("default").network.as_str(), "bridge");
    }

    #[test]
    fn what_is_wrong_is_said_with_the_word() {
        for (text, said) in [
            ("mybr0:ip=1.2.3", "network \"mybr0:ip=1.2.3\": ip=1.2.3: not an IPv4 address"),
            ("mybr0:colour=red", "network \"mybr0:colour=red\": unknown key \"colour\""),
            ("mybr0:ip", "network \"mybr0:ip\": \"ip\" is not KEY=VALUE"),
            ("mybr0:ip=", "network \"mybr0:ip=\": \"ip=\" has no value"),
            ("ip=1.2.3.4", "network \"ip=1.2.3.4\": no name=NETWORK"),
            ("mybr0:", "network \"mybr0:\": nothing follows the colon"),
            ("mybr0:ip=10.0.0.1,ip=10.0.0.2", "network \"mybr0:ip=10.0.0.1,ip=10.0.0.2\": ip is given twice"),
            (
                "mybr0:ifname=a,interface=b",
                "network \"mybr0:ifname=a,interface=b\": interface is given twice",
            ),
            (
                "mybr0:alias=a b",
                "network \"mybr0:alias=a b\": alias=a b: not a name: letters, digits, '-', '.' and '_'",
            ),
            (
                "mybr0:interface=lo",
                "network \"mybr0:interface=lo\": interface=lo: not free: every container has an interface of that name",
            ),
            ("name=a,name=b", "network \"name=a,name=b\": name is given twice"),
            ("container:", "network \"container:\": no container"),
            (
                "host:ip=1.2.3.4",
                "network \"host:ip=1.2.3.4\": network host gives no addresses, names or interfaces",
            ),
        ] {
            assert_eq!(text.parse::<Word>().expect_err(text).to_string(), said);
        }
    }
}
