//! The Container Network Interface protocol: its types, the side that is called, the side that calls.
//!
//! The protocol is the CNI specification, versions 0.1.0 to 1.1.0. A plugin is a value that implements
//! [`Plugin`]; [`serve`] makes an executable of a list of them, and [`Delegate`] calls one of them, in
//! process when the executable that `CNI_PATH` resolves to is the one that is running.
//!
//! Everything that comes from outside is parsed here, once, into a [`Call`]: a plugin never reads an
//! environment variable and never sees a string that is not yet a value.

mod args;
mod attached;
mod attempts;
mod call;
mod config;
mod decode;
mod delegate;
mod environment;
mod execute;
mod fault;
mod json;
mod plugin;
mod result;
mod run_dir;
mod serve;
mod text;
mod verb;
mod version;

pub use args::{Args, InvalidArgs};
pub use attached::{GcCall, Valid};
pub use attempts::Attempts;
pub use call::{AddCall, Call, CheckCall, DelCall, StatusCall};
pub use config::{Config, ConfigError};
pub use decode::{Mismatch, decode, decode_object};
pub use delegate::{Delegate, DelegateError};
pub use environment::{Environment, InvalidEnvironment, SearchPath};
pub use execute::{Executable, ExecuteError};
pub use fault::{Cause, Code, ErrorObject, Failure, Fault, NotAvailable};
pub use plugin::{About, InProcess, Plugin, Registry, Reloaded};
pub use result::{Dns, Interface, Ip, ResultError, Route, Success};
pub use run_dir::run_dir;
pub use serve::{Answer, answer, serve};
pub use text::{Cidr, OptionalIp};
pub use verb::Verb;
pub use version::{UnknownVersion, Version};
