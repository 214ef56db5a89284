//! Test hosts that are namespaces: a private host, its neighbours and containers.
//!
//! A [`Host`] looks like a freshly booted Debian machine of its own: its own links, processes, name, `/run`
//! and `/etc`. It costs some 30 ms, any number of them run side by side, and nothing that happens inside
//! can be seen on the machine that lends itself. It is gone when the value is dropped, and also when the
//! program that made it is killed.
//!
//! A [`Neighbour`] is another host at the other end of a cable; a [`Namespace`] is what a container would
//! live in. All of them are a [`Place`]: programs run there. [`traffic`] proves what passes between them,
//! a [`Snapshot`] what was left behind, and [`faults`] make one system call of a program fail.
//!
//! ```no_run
//! use lab::{Host, Place, Snapshot};
//!
//! let host = Host::new("alpha")?;
//! let before = Snapshot::take(&host)?;
//! host.run(["ip", "link", "add", "br0", "type", "bridge"]).ok()?;
//! host.run(["ip", "link", "delete", "br0"]).ok()?;
//! assert_eq!(before.left_behind(&host, &[])?, Vec::<String>::new());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod background;
pub mod call;
pub mod control_groups;
pub mod daemons;
pub mod faults;
pub mod host;
pub mod namespace;
pub mod neighbour;
pub mod outcome;
pub mod place;
mod process;
pub mod snapshot;
pub mod tools;
pub mod traffic;

pub use background::Background;
pub use call::Call;
pub use host::Host;
pub use namespace::Namespace;
pub use neighbour::Neighbour;
pub use outcome::Outcome;
pub use place::{Here, Place};
pub use snapshot::{Except, Snapshot, Topic};
