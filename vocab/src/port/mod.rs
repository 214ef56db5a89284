//! Published ports: which of the host's ports lead to which of a container's.
//!
//! A [`PortMapping`] is settled: one port of the host to one of the container. A [`Publish`] is what a person writes
//! (`-p 8000-8010:80`), which becomes mappings once somebody has chosen among the ports that it leaves open.

mod host_address;
mod mapping;
mod number;
mod protocol;
mod publish;
mod range;

pub use host_address::{HostAddress, InvalidHostAddress};
pub use mapping::PortMapping;
pub use number::{InvalidPort, Port};
pub use protocol::{InvalidProtocol, Protocol};
pub use publish::{Fault as PublishFault, HostPorts, InvalidPublish, Publish};
pub use range::{InvalidPortRange, PortRange};
