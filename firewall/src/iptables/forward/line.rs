//! A rule of the table `filter`, in the words of `iptables-save` and in the steps that iptables makes of them.

use std::fmt::{self, Display, Formatter};
use std::net::IpAddr;

use vocab::InterfaceName;

use crate::foreign::{ACCEPT, DROP, Step};

/// `NFT_META_IIFNAME` and `NFT_META_OIFNAME`.
const INPUT_NAME: u32 = 6;
const OUTPUT_NAME: u32 = 7;
/// `NFT_RETURN` as the kernel sends it.
const RETURN: u32 = (-5_i32).cast_unsigned();
/// `struct xt_conntrack_mtinfo3`, aligned: its length, and where `match_flags` and `state_mask` are.
const CONNTRACK_LEN: usize = 168;
const CONNTRACK_REVISION: u32 = 3;
const MATCH_FLAGS: usize = 146;
const STATE_MASK: usize = 150;
/// `XT_CONNTRACK_STATE`: that the mask of states is to be looked at.
const BY_STATE: u16 = 1;

/// A rule. What is `None` does not matter to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) chain: String,
    pub(super) source: Option<IpAddr>,
    pub(super) destination: Option<IpAddr>,
    pub(super) input: Option<InterfaceName>,
    pub(super) output: Option<Output>,
    pub(super) state: Option<State>,
    pub(super) comment: Option<String>,
    pub(super) target: Target,
}

/// Through which interface a packet leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Output {
    Is(InterfaceName),
    IsNot(InterfaceName),
}

/// What a packet is to its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// An answer, or what an answer may need.
    Established,
    /// Of a connection whose destination was translated.
    Translated,
}

/// What becomes of a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    Accept,
    Drop,
    Return,
    Jump(String),
}

impl Line {
    /// All packets, in `chain`.
    pub(super) fn new(chain: &str, target: Target) -> Self {
        Self {
            chain: chain.to_owned(),
            source: None,
            destination: None,
            input: None,
            output: None,
            state: None,
            comment: None,
            target,
        }
    }

    pub(super) fn commented(mut self, comment: impl Into<String>) -> Self {
        self.comment = Some(comment.into());
        self
    }

    /// A value without which the kernel's rule cannot be this one: its address or its target.
    pub(super) fn value(&self) -> Option<Vec<u8>> {
        match (self.source.or(self.destination), &self.target) {
            (Some(IpAddr::V4(v4)), _) => Some(v4.octets().to_vec()),
            (Some(IpAddr::V6(v6)), _) => Some(v6.octets().to_vec()),
            (None, Target::Jump(chain)) => Some(chain.as_bytes().to_vec()),
            (None, _) => None,
        }
    }

    /// The rule in the kernel, as iptables makes it: matches in just this order, a counter, the verdict.
    pub(super) fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        steps.extend(self.source.into_iter().flat_map(|address| header(address, [12, 8])));
        steps.extend(self.destination.into_iter().flat_map(|address| header(address, [16, 24])));
        if let Some(input) = &self.input {
            steps.extend([Step::LoadMeta(INPUT_NAME), Step::Equal(name(input))]);
        }
        match &self.output {
            Some(Output::Is(output)) => {
                steps.extend([Step::LoadMeta(OUTPUT_NAME), Step::Equal(name(output))]);
            }
            Some(Output::IsNot(output)) => {
                steps.extend([Step::LoadMeta(OUTPUT_NAME), Step::NotEqual(name(output))]);
            }
            None => {}
        }
        steps.extend(self.state.map(conntrack));
        steps.extend(self.comment.as_deref().map(Step::comment));
        steps.push(Step::Count);
        steps.push(match &self.target {
            Target::Accept => Step::Decide(ACCEPT),
            Target::Drop => Step::Decide(DROP),
            Target::Return => Step::Decide(RETURN),
            Target::Jump(chain) => Step::Jump(chain.clone()),
        });
        steps
    }
}

/// `iptables-save`'s text without `-A`.
impl Display for Line {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.chain)?;
        for (option, address) in [("-s", self.source), ("-d", self.destination)] {
            if let Some(address) = address {
                write!(f, " {option} {address}/{}", if address.is_ipv4() { 32 } else { 128 })?;
            }
        }
        if let Some(input) = &self.input {
            write!(f, " -i {input}")?;
        }
        match &self.output {
            Some(Output::Is(output)) => write!(f, " -o {output}")?,
            Some(Output::IsNot(output)) => write!(f, " ! -o {output}")?,
            None => {}
        }
        match self.state {
            Some(State::Established) => f.write_str(" -m conntrack --ctstate RELATED,ESTABLISHED")?,
            Some(State::Translated) => f.write_str(" -m conntrack --ctstate DNAT")?,
            None => {}
        }
        if let Some(comment) = &self.comment {
            write!(f, " -m comment --comment \"{comment}\"")?;
        }
        match &self.target {
            Target::Accept => f.write_str(" -j ACCEPT"),
            Target::Drop => f.write_str(" -j DROP"),
            Target::Return => f.write_str(" -j RETURN"),
            Target::Jump(chain) => write!(f, " -j {chain}"),
        }
    }
}

/// A rule that stands somewhere, as the kernel or as `iptables-save` has it.
pub(super) trait Standing {
    /// Whether it is the line, exactly.
    fn is(&self, line: &Line) -> bool;

    /// Whether it does what the line does, whatever their comments say.
    fn does(&self, line: &Line) -> bool;

    /// Whether it only asks another chain.
    fn jumps(&self) -> bool;
}

impl Standing for crate::foreign::Rule {
    fn is(&self, line: &Line) -> bool {
        self.steps == line.steps()
    }

    fn does(&self, line: &Line) -> bool {
        let matters = |step: &&Step| !step.is_comment();
        self.steps.iter().filter(matters).eq(line.steps().iter().filter(matters))
    }

    fn jumps(&self) -> bool {
        self.jumps()
    }
}

/// The interface that a rule's packets must come from.
pub(super) fn input_of(rule: &crate::foreign::Rule) -> Option<InterfaceName> {
    let [Step::LoadMeta(INPUT_NAME), Step::Equal(name), ..] = rule.steps.as_slice() else { return None };
    InterfaceName::new(crate::wire::text(name)?).ok()
}

/// A line of `iptables-save` without `-A`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Saved(pub(super) String);

impl Standing for Saved {
    fn is(&self, line: &Line) -> bool {
        self.0 == line.to_string()
    }

    fn does(&self, line: &Line) -> bool {
        without_comment(&self.0) == Line { comment: None, ..line.clone() }.to_string()
    }

    fn jumps(&self) -> bool {
        let target = self.0.rsplit_once(" -j ").map(|(_, target)| target);
        !matches!(target, None | Some("ACCEPT" | "DROP" | "RETURN" | "REJECT" | "QUEUE"))
            && target.is_some_and(|target| !target.contains(' '))
    }
}

fn without_comment(line: &str) -> String {
    let Some((before, rest)) = line.split_once(" -m comment --comment ") else { return line.to_owned() };
    let after = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split_once("\" ").map(|(_, after)| after),
        None => rest.split_once(' ').map(|(_, after)| after),
    };
    after.map_or_else(|| line.to_owned(), |after| format!("{before} {after}"))
}

/// Compares an address of the IP header, at one offset in IPv4's and another in IPv6's.
fn header(address: IpAddr, offsets: [u32; 2]) -> [Step; 2] {
    let (offset, bytes) = match address {
        IpAddr::V4(v4) => (offsets[0], v4.octets().to_vec()),
        IpAddr::V6(v6) => (offsets[1], v6.octets().to_vec()),
    };
    [Step::LoadHeader { offset, length: bytes.len() as u32 }, Step::Equal(bytes)]
}

/// A name with its final zero: without, every name that begins so would do.
fn name(interface: &InterfaceName) -> Vec<u8> {
    let mut bytes = interface.as_str().as_bytes().to_vec();
    bytes.push(0);
    bytes
}

fn conntrack(state: State) -> Step {
    // `XT_CONNTRACK_STATE_BIT` of what a packet is, `XT_CONNTRACK_STATE_DNAT`.
    let mask: u16 = match state {
        State::Established => 1 << 1 | 1 << 2,
        State::Translated => 1 << 7,
    };
    let mut info = vec![0; CONNTRACK_LEN];
    info[MATCH_FLAGS..MATCH_FLAGS + 2].copy_from_slice(&BY_STATE.to_ne_bytes());
    info[STATE_MASK..STATE_MASK + 2].copy_from_slice(&mask.to_ne_bytes());
    Step::Extension { name: "conntrack".to_owned(), revision: CONNTRACK_REVISION, info }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_does_not_change_what_a_rule_does() {
        let line = Line::new("FORWARD", Target::Jump("CNI-FORWARD".to_owned())).commented("CNI rules");
        let same = |text: &str| [Saved(text.to_owned()).is(&line), Saved(text.to_owned()).does(&line)];
        assert_eq!(same("FORWARD -m comment --comment \"CNI rules\" -j CNI-FORWARD"), [true, true]);
        assert_eq!(same("FORWARD -m comment --comment other -j CNI-FORWARD"), [false, true]);
        assert_eq!(same("FORWARD -j CNI-FORWARD"), [false, true]);
        assert_eq!(same("FORWARD -i eth0 -j CNI-FORWARD"), [false, false]);
        assert_eq!(same("FORWARD -m comment --comment \"torn"), [false, false]);
    }

    #[test]
    fn a_jump_is_told_from_a_verdict() {
        for (text, jumps) in [
            ("C -j CNI-ADMIN", true),
            ("C -s 10.0.0.1/32 -j ACCEPT", false),
            ("C -j REJECT --reject-with icmp-port-unreachable", false),
            ("C -s 10.0.0.1/32", false),
        ] {
            assert_eq!(Saved(text.to_owned()).jumps(), jumps, "{text}");
        }
    }

    #[test]
    fn the_structure_of_conntrack_is_the_one_that_iptables_sends() {
        let Step::Extension { info, .. } = conntrack(State::Translated) else { panic!("it is none") };
        let set: Vec<_> = info.iter().enumerate().filter(|(_, byte)| **byte != 0).collect();
        // From a trace of `iptables -A FORWARD -m conntrack --ctstate DNAT` (iptables 1.8.9, x86-64).
        #[cfg(target_endian = "little")]
        assert_eq!(set, [(146, &1), (150, &0x80)]);
    }
}
