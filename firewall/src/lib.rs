//! Our nftables table: masquerade and spoof checks as data in a constant ruleset.
//!
//! `table inet netctl` and, where source MACs are checked, `table bridge netctl` have a dozen objects that
//! never change while we run; networks and containers are **elements** of their sets, and every element
//! bears its owner as a comment that `nft list` shows. What an ADD costs therefore depends neither on how
//! many containers there are nor on how many rules others have:
//!
//! * A network that is masqueraded already takes one question. Masquerade belongs to networks, not to
//!   containers: DEL has nothing to do.
//! * A new element takes one transaction, which lists nothing and cannot fail for being late.
//! * Tables that are absent, flushed or of an older version are put in place in one transaction, elements
//!   kept, however many processes notice at once.
//!
//! nf_tables is spoken to by netlink; no program is started, except in [`iptables`], for configurations
//! that ask for it by name. Linux 5.10 is needed: the input interface can be seen in postrouting since 5.7,
//! chains have comments since 5.10.
//!
//! ```no_run
//! use firewall::{Ensured, Firewall, Masquerade};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (network, interface) = ("mynet".parse()?, "cni0".parse()?);
//! let subnets = ["10.22.0.0/16".parse()?, "fd22::/64".parse()?];
//! let masquerade = Masquerade { network: &network, interface: &interface, subnets: &subnets };
//! let mut firewall = Firewall::new();
//! let _added = firewall.ensure_masquerade(&masquerade)?;
//! assert_eq!(firewall.ensure_masquerade(&masquerade)?, Ensured::AlreadyThere);
//! # Ok(())
//! # }
//! ```

mod batch;
mod channel;
pub mod conntrack;
mod element;
mod expression;
mod firewall;
mod foreign;
pub mod gc;
pub mod iptables;
pub mod masquerade;
mod message;
mod owner;
mod owners;
pub mod passage;
pub mod policy;
pub mod ports;
pub mod reference;
mod ruleset;
mod skeleton;
pub mod spoof;
mod table;
mod wire;

pub use channel::{Error as NftablesError, Request};
pub use firewall::{Ensured, Firewall, Removed, Standing};
pub use iptables::{
    Ingress, IngressPolicy, IptablesForward, IptablesMasquerade, IptablesOptions, IptablesPublication,
};
pub use masquerade::{Masquerade, Masqueraded};
pub use owner::Owner;
pub use passage::Passage;
pub use policy::{GatewayMode, Isolation, NetworkPolicy};
pub use ports::{MasqueradeClients, Publication, PublishedPort};
pub use spoof::SpoofCheck;
