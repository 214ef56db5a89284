//! hosts(5) of a container, as Docker writes them.

use std::net::IpAddr;

/// What every container knows; the second part only where it has IPv6.
const LOOPBACK: &str = "127.0.0.1\tlocalhost\n";
const LOOPBACK6: &str = "::1\tlocalhost ip6-localhost ip6-loopback\n\
                         fe00::\tip6-localnet\n\
                         ff00::\tip6-mcastprefix\n\
                         ff02::1\tip6-allnodes\n\
                         ff02::2\tip6-allrouters\n";

/// A name that stands for an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The address.
    pub address: IpAddr,
    /// Its names, separated by spaces.
    pub names: String,
}

impl Entry {
    fn line(&self) -> String {
        format!("{}\t{}\n", self.address, self.names)
    }
}

/// What a container calls itself in /etc/hosts: the host name with its domain, and the first part of it if that is shorter.
#[must_use]
pub fn own_names(hostname: &str, domainname: Option<&str>) -> String {
    let full = match domainname {
        Some(domain) if !domain.is_empty() => format!("{hostname}.{domain}"),
        _ => hostname.to_owned(),
    };
    match full.split_once('.') {
        Some((short, _)) if !short.is_empty() => format!("{full} {short}"),
        _ => full,
    }
}

/// The /etc/hosts of a container in a namespace of its own: what every container knows, what people add, and its own
/// `addresses`. Without IPv6 no line of it is written.
#[must_use]
pub fn of_container(added: &[Entry], own: &str, addresses: &[IpAddr], has_ipv6: bool) -> String {
    let mut text = LOOPBACK.to_owned();
    if has_ipv6 {
        text.push_str(LOOPBACK6);
    }
    let own = addresses.iter().map(|address| Entry { address: *address, names: own.to_owned() });
    let entries = added.iter().cloned().chain(own);
    text.extend(entries.filter(|entry| has_ipv6 || entry.address.is_ipv4()).map(|entry| entry.line()));
    text
}

/// The /etc/hosts of a container in the host's namespace: the host's own, and what people add.
#[must_use]
pub fn of_host(host: &str, added: &[Entry]) -> String {
    let mut text = host.to_owned();
    if !added.is_empty() && !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.extend(added.iter().map(Entry::line));
    text
}

/// The file with the own line of an address that the container got, or without that of one that it lost. Whatever else
/// somebody wrote into it meanwhile stays.
#[must_use]
pub fn with_own(text: &str, own: &str, address: IpAddr, is_there: bool) -> String {
    let line = Entry { address, names: own.to_owned() }.line();
    let has = |text: &str| text.split_inclusive('\n').any(|other| other == line);
    match (is_there, has(text)) {
        (true, true) | (false, false) => text.to_owned(),
        (true, false) => of_host(text, &[Entry { address, names: own.to_owned() }]),
        (false, true) => text.split_inclusive('\n').filter(|other| *other != line).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(address: &str, names: &str) -> Entry {
        Entry { address: address.parse().unwrap(), names: names.to_owned() }
    }

    #[test]
    fn a_container_knows_itself_what_was_added_and_its_loopback() {
        let added = [entry("10.0.0.9", "db"), entry("2001:db8::9", "db")];
        let own = ["172.17.0.2".parse().unwrap(), "2001:db8::2".parse().unwrap()];
        assert_eq!(
            of_container(&added, "b1", &own, false),
            "127.0.0.1\tlocalhost\n10.0.0.9\tdb\n172.17.0.2\tb1\n"
        );
        let text = of_container(&added, "b1", &own, true);
        assert!(
            text.starts_with("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::\t")
        );
        assert!(text.ends_with("2001:db8::9\tdb\n172.17.0.2\tb1\n2001:db8::2\tb1\n"), "{text}");
    }

    #[test]
    fn a_container_is_known_by_its_full_and_its_short_name() {
        for (hostname, domain, names) in [
            ("b1", None, "b1"),
            ("a.b.c", None, "a.b.c a"),
            ("a", Some("b.c"), "a.b.c a"),
            ("a", Some(""), "a"),
        ] {
            assert_eq!(own_names(hostname, domain), names);
        }
    }

    #[test]
    fn in_the_hosts_namespace_the_hosts_own_lines_stay() {
        assert_eq!(of_host("1.2.3.4 x", &[]), "1.2.3.4 x");
        assert_eq!(of_host("1.2.3.4 x", &[entry("10.0.0.9", "db")]), "1.2.3.4 x\n10.0.0.9\tdb\n");
    }

    #[test]
    fn an_address_comes_and_goes_beside_what_others_wrote() {
        let address = "172.18.0.2".parse().unwrap();
        let text = "127.0.0.1\tlocalhost\n172.18.0.2 mine";
        let with = with_own(text, "b1", address, true);
        assert_eq!(with, "127.0.0.1\tlocalhost\n172.18.0.2 mine\n172.18.0.2\tb1\n");
        assert_eq!(with_own(&with, "b1", address, true), with);
        let without = with_own(&with, "b1", address, false);
        assert_eq!(without, "127.0.0.1\tlocalhost\n172.18.0.2 mine\n");
        assert_eq!(with_own(&without, "b1", address, false), without);
    }
}
