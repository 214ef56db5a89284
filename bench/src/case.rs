//! What is measured.

mod bridge;
mod chain_ports;
mod connect_ports;
mod containers;
mod crowded;
mod established;
mod first;
mod floored;
mod leases;
mod memory;
mod networks;
mod publish_range;
mod scene;
mod stand;
mod version;

use crate::contender::{self, Field};
use crate::report::Section;
use crate::series::{Pair, Rounds};
use crate::side::Side;
use crate::{attachment, container, first_packet, helper, plugin, processes, settle, site, traffic};
use std::io;
use std::path::PathBuf;

/// One thing that is measured.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// By which it is chosen.
    pub name: &'static str,
    /// What it is, in a few words.
    pub about: &'static str,
    run: fn(&Bench) -> Result<Vec<Section>, Error>,
}

/// With whom and how thoroughly things are measured.
#[derive(Clone, Debug)]
pub struct Bench {
    /// Who is compared.
    pub sides: Pair<Side>,
    /// Where netavark is, if it is there.
    pub netavark: Option<PathBuf>,
    /// How thoroughly.
    pub effort: Effort,
}

/// How many rounds to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// As many as make sense for each case.
    Full,
    /// A tenth of that.
    Quick,
    /// This many for each case.
    Rounds(usize),
}

/// A case could not be measured.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it all")]
pub enum Error {
    #[error(transparent)]
    Attachment(#[from] attachment::Error),
    #[error(transparent)]
    Container(#[from] container::Error),
    #[error(transparent)]
    Contender(#[from] contender::Error),
    #[error(transparent)]
    Field(#[from] contender::FieldError),
    #[error(transparent)]
    FirstPacket(#[from] first_packet::Error),
    #[error(transparent)]
    Helper(#[from] helper::Error),
    #[error(transparent)]
    Plugin(#[from] plugin::Error),
    #[error(transparent)]
    Processes(#[from] processes::Error),
    #[error(transparent)]
    Settle(#[from] settle::Error),
    #[error(transparent)]
    Site(#[from] site::Error),
    #[error("pass traffic to a container of {contender}")]
    Traffic { contender: &'static str, source: traffic::Error },
    #[error(transparent)]
    Prepare(#[from] lab::outcome::Unexpected),
    #[error("write what is already there: leases, a configuration")]
    Fill(#[source] io::Error),
    #[error("find the size of {name}")]
    Size { name: String, source: io::Error },
}

/// Everything that can be measured, in the order in which it is.
pub const ALL: &[Case] = &[
    Case { name: "version", about: "what podman asks all the time", run: version::run },
    Case { name: "bridge-ipv4", about: "ADD, CHECK, DEL", run: bridge::ipv4 },
    Case { name: "bridge-ipv4-masq", about: "the same with ipMasq", run: bridge::ipv4_masquerade },
    Case { name: "bridge-dual", about: "ADD, CHECK, DEL, two addresses", run: bridge::dual },
    Case { name: "bridge-dual-masq", about: "the same with ipMasq", run: bridge::dual_masquerade },
    Case { name: "leases", about: "host-local with leases present", run: leases::run },
    Case { name: "crowd", about: "50 ADDs, then 50 DELs at once", run: crowded::plain },
    Case { name: "crowd-masq", about: "the same with ipMasq", run: crowded::masquerade },
    Case { name: "first-packet-ipv4", about: "sent when ADD returns", run: first::ipv4 },
    Case { name: "first-packet-ipv6", about: "sent when ADD returns", run: first::ipv6 },
    Case { name: "memory", about: "resident at most, and size of the files", run: memory::run },
    Case { name: "floor", about: "our process against the kernel's work", run: floored::run },
    Case { name: "chain-ports", about: "one port, and those of others", run: chain_ports::run },
    Case { name: "publish-range", about: "1,000 ports at once", run: publish_range::run },
    Case { name: "connect-ports", about: "to the last of 5,000 ports", run: connect_ports::run },
    Case { name: "networks", about: "create, inspect, ls, rm by name, against podman", run: networks::run },
    Case { name: "containers", about: "run and rm, against podman and crun", run: containers::run },
    Case { name: "established", about: "a flow, and 100 networks", run: established::run },
];

impl Case {
    /// Measures.
    ///
    /// # Errors
    /// Something does not work: a plugin fails, or the host cannot be prepared.
    pub fn run(&self, bench: &Bench) -> Result<Vec<Section>, Error> {
        let sections = (self.run)(bench)?;
        settle::settle()?;
        Ok(sections)
    }
}

impl Bench {
    /// Everybody who publishes ports.
    fn field(&self) -> Result<Field, Error> {
        Ok(Field::gather(&self.sides, self.netavark.as_deref())?)
    }
}

impl Effort {
    /// How many rounds to make where `full` are enough to tell.
    fn rounds(self, full: usize) -> Rounds {
        let counted = match self {
            Self::Full => full,
            Self::Quick => (full / 10).max(3),
            Self::Rounds(rounds) => rounds.max(1),
        };
        Rounds { warm_up: (counted / 10).clamp(1, 5), counted }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quick_run_makes_a_tenth_of_the_rounds() {
        assert_eq!(Effort::Full.rounds(100), Rounds { warm_up: 5, counted: 100 });
        assert_eq!(Effort::Quick.rounds(100), Rounds { warm_up: 1, counted: 10 });
        assert_eq!(Effort::Quick.rounds(8), Rounds { warm_up: 1, counted: 3 });
        assert_eq!(Effort::Rounds(0).rounds(100), Rounds { warm_up: 1, counted: 1 });
    }

    #[test]
    fn every_case_has_a_name_of_its_own() {
        let mut names: Vec<_> = ALL.iter().map(|case| case.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
    }
}
