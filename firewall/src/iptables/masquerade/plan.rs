//! Which lines a container needs, in the words of `iptables-save`. No input, no output.

use ipnetwork::IpNetwork;
use vocab::{ContainerId, NetworkName};

use super::IptablesMasquerade;
use crate::iptables::Version;
use crate::owner::hex_digest;

/// The reference's chains: this, and so many hexadecimal digits that there are 28 characters.
const CHAIN_PREFIX: &str = "CNI-";
const CHAIN_DIGITS: usize = 24;
/// `XT_MAX_COMMENT_LEN`, which includes a terminating zero.
const COMMENT_MAX: usize = 255;

/// A container's chain and rules in one address family.
#[derive(Debug)]
pub(super) struct Plan {
    chain: String,
    /// `-A CHAIN …`: packets to the container's own subnet keep its address.
    accept: Vec<String>,
    /// `-A CHAIN …`: others do not, unless they are for a group.
    masquerade: String,
    /// `-A POSTROUTING …`: which packets come here.
    jumps: Vec<String>,
}

impl Plan {
    pub(super) fn new(masquerade: &IptablesMasquerade<'_>, version: Version) -> Self {
        let (network, container) = (masquerade.network, masquerade.container);
        let chain = chain_name(network.as_str(), container.as_str());
        let comment = comment(network, container);
        let addresses = masquerade.addresses.iter().filter(|address| Version::of(address.ip()) == version);
        let mut accept = Vec::new();
        let mut jumps = Vec::new();
        for address in addresses {
            push_new(&mut accept, format!("-A {chain} -d {} {comment} -j ACCEPT", subnet_of(address)));
            push_new(
                &mut jumps,
                format!("-A POSTROUTING -s {}/{} {comment} -j {chain}", address.ip(), version.width()),
            );
        }
        let masquerade = format!("-A {chain} ! -d {} {comment} -j MASQUERADE", multicast(version));
        Self { chain, accept, masquerade, jumps }
    }

    pub(super) fn chain(&self) -> &str {
        &self.chain
    }

    /// Whether there are no addresses in this family.
    pub(super) fn is_empty(&self) -> bool {
        self.jumps.is_empty()
    }

    /// The lines that `saved`, the whole table as it is, does not have.
    pub(super) fn missing(&self, saved: &str) -> Vec<String> {
        let all = self.accept.iter().chain([&self.masquerade]).chain(&self.jumps);
        all.filter(|line| !has_line(saved, line)).cloned().collect()
    }

    /// What turns `saved` into what it should be.
    pub(super) fn addition(&self, saved: &str) -> Vec<String> {
        let mut lines = Vec::new();
        // Declaring a chain that is there would empty it.
        if !saved.lines().any(|line| line.starts_with(&format!(":{} ", self.chain))) {
            lines.push(format!(":{} - [0:0]", self.chain));
        }
        let missing = self.missing(saved);
        let late = has_line(saved, &self.masquerade);
        for line in missing {
            // An exception that comes after the rule is none.
            match line.strip_prefix("-A") {
                Some(rest) if late && self.accept.contains(&line) => lines.push(format!("-I{rest}")),
                _ => lines.push(line),
            }
        }
        lines
    }

    /// What takes away exactly what an addition to an empty table made; refused if that is not all there is.
    pub(super) fn removal(&self) -> Vec<String> {
        let mut lines: Vec<_> = self.jumps.iter().filter_map(|line| deletion(line)).collect();
        lines.extend(self.chain_removal());
        lines
    }

    /// What takes away whatever of it is in `saved`: our addresses' jumps, or all of them when no addresses
    /// are known, and the chain when nothing leads there any more.
    pub(super) fn removal_of(&self, saved: &str) -> Vec<String> {
        let target = format!(" -j {}", self.chain);
        let jumps: Vec<_> =
            saved.lines().filter(|line| line.starts_with("-A ") && line.ends_with(&target)).collect();
        let ours = |line: &&str| self.is_empty() || self.jumps.iter().any(|jump| jump == line);
        let (ours, others): (Vec<_>, Vec<_>) = jumps.into_iter().partition(ours);
        let mut lines: Vec<_> = ours.into_iter().filter_map(deletion).collect();
        let is_declared = saved.lines().any(|line| line.starts_with(&format!(":{} ", self.chain)));
        if is_declared && others.is_empty() {
            lines.extend(self.chain_removal());
        }
        lines
    }

    fn chain_removal(&self) -> [String; 2] {
        [format!("-F {}", self.chain), format!("-X {}", self.chain)]
    }
}

/// The containers of a network that have a chain in `saved`.
pub(super) fn containers(saved: &str, network: &NetworkName) -> Vec<ContainerId> {
    let before = format!("--comment \"name: \\\"{network}\\\" id: \\\"");
    let mut containers = Vec::new();
    for line in saved.lines().filter(|line| line.starts_with("-A ")) {
        let name = line.split_once(&before).and_then(|(_, rest)| rest.split('\\').next());
        let Some(container) = name.and_then(|name| ContainerId::new(name).ok()) else { continue };
        // Others may write such comments, too; the chain's name cannot be like ours by chance.
        let is_ours = line.split(' ').any(|word| word == chain_name(network.as_str(), container.as_str()));
        if is_ours && !containers.contains(&container) {
            containers.push(container);
        }
    }
    containers
}

/// Whose a container's chain is, as its own comment says: its rules do so, too, once they are there.
pub(super) fn label(network: &NetworkName, container: &ContainerId) -> String {
    format!("{network}/{container}")
}

/// The container of a network that a label names, if the chain's name proves that it is true. One that was cut names
/// nobody.
pub(super) fn labelled(label: &str, chain: &str, network: &NetworkName) -> Option<ContainerId> {
    let container = label.strip_prefix(network.as_str())?.strip_prefix('/')?;
    let container = ContainerId::new(container).ok()?;
    (chain_name(network.as_str(), container.as_str()) == chain).then_some(container)
}

/// What takes away everything of these containers.
pub(super) fn removal_of_all(
    saved: &str,
    network: &NetworkName,
    gone: &[ContainerId],
    version: Version,
) -> Vec<String> {
    let plans = gone
        .iter()
        .map(|container| Plan::new(&IptablesMasquerade { network, container, addresses: &[] }, version));
    plans.flat_map(|plan| plan.removal_of(saved)).collect()
}

fn multicast(version: Version) -> &'static str {
    match version {
        Version::V4 => "224.0.0.0/4",
        Version::V6 => "ff00::/8",
    }
}

fn chain_name(network: &str, container: &str) -> String {
    format!("{CHAIN_PREFIX}{}", hex_digest(format!("{network}{container}").as_bytes(), CHAIN_DIGITS))
}

fn push_new(lines: &mut Vec<String>, line: String) {
    if !lines.contains(&line) {
        lines.push(line);
    }
}

fn has_line(saved: &str, line: &str) -> bool {
    saved.lines().any(|other| other == line)
}

fn deletion(line: &str) -> Option<String> {
    Some(format!("-D{}", line.strip_prefix("-A")?))
}

fn subnet_of(address: &IpNetwork) -> String {
    format!("{}/{}", address.network(), address.prefix())
}

/// The reference's comment. Names have neither quotes nor backslashes in them.
fn comment(network: &NetworkName, container: &ContainerId) -> String {
    let mut text = format!("name: \"{network}\" id: \"{container}\"");
    text.truncate(COMMENT_MAX);
    format!("-m comment --comment \"{}\"", text.replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(version: Version, addresses: &[&str]) -> Plan {
        let (network, container) = (NetworkName::new("mynet").unwrap(), ContainerId::new("abc").unwrap());
        let addresses: Vec<_> = addresses.iter().map(|address| address.parse().unwrap()).collect();
        Plan::new(
            &IptablesMasquerade { network: &network, container: &container, addresses: &addresses },
            version,
        )
    }

    /// As the reference's own rules are listed, which `tests/live/iptables.rs` compares with the real thing.
    const SAVED: &str = r#"*nat
:POSTROUTING ACCEPT [0:0]
:CNI-e88f49d94512ff752ebe6070 - [0:0]
-A POSTROUTING -s 10.22.0.2/32 -m comment --comment "name: \"mynet\" id: \"abc\"" -j CNI-e88f49d94512ff752ebe6070
-A CNI-e88f49d94512ff752ebe6070 -d 10.22.0.0/24 -m comment --comment "name: \"mynet\" id: \"abc\"" -j ACCEPT
-A CNI-e88f49d94512ff752ebe6070 ! -d 224.0.0.0/4 -m comment --comment "name: \"mynet\" id: \"abc\"" -j MASQUERADE
COMMIT
"#;

    #[test]
    fn the_lines_are_the_reference_s() {
        let plan = plan(Version::V4, &["10.22.0.2/24", "fd22::2/64"]);
        assert_eq!(plan.missing(SAVED), Vec::<String>::new());
        let addition = plan.addition("");
        let mut lines: Vec<_> = addition.iter().map(String::as_str).collect();
        lines.sort_unstable();
        let is_ours = |line: &&str| line.starts_with("-A") || line.starts_with(":CNI");
        let mut saved: Vec<_> = SAVED.lines().filter(is_ours).collect();
        saved.sort_unstable();
        assert_eq!(lines, saved);
    }

    #[test]
    fn a_second_address_s_subnet_is_excepted_before_the_rule() {
        let lines = plan(Version::V4, &["10.22.0.2/24", "10.33.0.2/24"]).addition(SAVED);
        assert!(lines[0].starts_with("-I CNI-e88f49d94512ff752ebe6070 -d 10.33.0.0/24"), "{lines:?}");
        assert!(lines[1].starts_with("-A POSTROUTING -s 10.33.0.2/32"), "{lines:?}");
        assert_eq!(lines.len(), 2);
    }

    #[test]
    fn what_is_left_is_removed_and_no_more() {
        let plan = plan(Version::V4, &["10.22.0.2/24"]);
        assert_eq!(plan.removal_of(SAVED), plan.removal());
        assert_eq!(plan.removal_of("*nat\n:POSTROUTING ACCEPT [0:0]\nCOMMIT\n"), Vec::<String>::new());
        let no_jump: String =
            SAVED.lines().filter(|line| !line.contains("-s ")).map(|line| format!("{line}\n")).collect();
        let chain = "CNI-e88f49d94512ff752ebe6070";
        assert_eq!(plan.removal_of(&no_jump), [format!("-F {chain}"), format!("-X {chain}")]);
    }

    #[test]
    fn another_interface_s_rules_stay_and_without_addresses_all_go() {
        let other = SAVED.replace("-s 10.22.0.2/32", "-s 10.22.0.9/32");
        assert_eq!(plan(Version::V4, &["10.22.0.2/24"]).removal_of(&other), Vec::<String>::new());
        let all = plan(Version::V4, &[]).removal_of(&other).join("\n");
        assert!(all.contains("-D POSTROUTING -s 10.22.0.9/32") && all.contains("-X CNI-"), "{all}");
    }

    #[test]
    fn the_containers_of_a_network_are_read_from_its_chains_alone() {
        let names = |network: &str| containers(SAVED, &NetworkName::new(network).unwrap());
        assert_eq!(names("mynet"), [ContainerId::new("abc").unwrap()]);
        assert_eq!(names("my"), []);
        let forged = SAVED.replace("CNI-e88f", "CNI-ffff");
        assert_eq!(containers(&forged, &NetworkName::new("mynet").unwrap()), []);
    }

    #[test]
    fn a_comment_is_cut_where_iptables_would_refuse_it() {
        let network = NetworkName::new(&"n".repeat(255)).unwrap();
        let container = ContainerId::new(&"c".repeat(255)).unwrap();
        assert!(comment(&network, &container).len() < COMMENT_MAX + 40);
    }

    #[test]
    fn a_chain_without_rules_says_whose_it_is_and_its_name_must_agree() {
        let (network, container) = (NetworkName::new("mynet").unwrap(), ContainerId::new("abc").unwrap());
        let (label, chain) = (label(&network, &container), "CNI-e88f49d94512ff752ebe6070");
        assert_eq!(labelled(&label, chain, &network), Some(container));
        assert_eq!(labelled(&label, chain, &NetworkName::new("my").unwrap()), None);
        assert_eq!(labelled(&label, "CNI-ffff49d94512ff752ebe6070", &network), None);
        assert_eq!(labelled(&label[..label.len() - 1], chain, &network), None);
    }
}
