//! What is said of the attachment that a verb is for.

use std::ffi::OsString;

use clap::{Args, ValueHint};
use cni::{Code, Fault};
use netns::Directory;
use network::{Cache, Entry, Request};
use serde_json::{Map, Value};
use vocab::{Attachment, ContainerId, InterfaceName, InvalidInterfaceName, InvalidName, NetworkName};

use super::namespace;
use super::trouble::Trouble;
use crate::roots::given;

/// Why no attachment can be made of the command line.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// Neither the container nor its namespace is named.
    #[error("find out which container is meant: neither NETNS nor --container-id is given")]
    Nobody,
    /// The id made of the namespace is none.
    #[error("name the container after its namespace")]
    Container(#[source] InvalidName),
}

impl Fault for Error {
    fn code(&self) -> Code {
        Code::INVALID_ENVIRONMENT
    }
}

/// A text is no JSON object.
#[derive(Debug, thiserror::Error)]
#[error("expected a JSON object such as {{\"mac\":\"02:00:00:00:00:01\"}}")]
struct NoObject;

#[derive(Debug, Args)]
pub(super) struct AttachmentOptions {
    /// The id of the container [default: cnitool- and a hash of the namespace's path]
    #[arg(long, value_name = "ID", value_parser = ContainerId::new)]
    container_id: Option<ContainerId>,
    /// The name of the interface inside the container
    #[arg(short, long, value_name = "NAME", env = "CNI_IFNAME", hide_env_values = true, default_value = ETH0)]
    #[arg(value_parser = interface)]
    ifname: InterfaceName,
    /// Words for the plugins: KEY=VALUE;KEY=VALUE
    #[arg(long, env = "CNI_ARGS", hide_env_values = true, default_value = "", hide_default_value = true)]
    #[arg(value_parser = cni::Args::parse)]
    args: cni::Args,
    /// Values for the capabilities that plugins declare, as a JSON object
    #[arg(long, value_name = "JSON", env = "CAP_ARGS", hide_env_values = true)]
    #[arg(default_value = "", hide_default_value = true, value_parser = object)]
    capability_args: Map<String, Value>,
    /// Find the names of namespaces in this directory [default: /run/netns]
    #[arg(long, value_name = "DIR", env = "NETNS_RUN_DIR", hide_env_values = true)]
    #[arg(value_hint = ValueHint::DirPath)]
    netns_dir: Option<OsString>,
}

const ETH0: &str = "eth0";

/// Reads the name of an interface; an empty variable of the environment is none.
fn interface(text: &str) -> Result<InterfaceName, InvalidInterfaceName> {
    InterfaceName::new(if text.is_empty() { ETH0 } else { text })
}

fn object(text: &str) -> Result<Map<String, Value>, NoObject> {
    if text.is_empty() { Ok(Map::new()) } else { serde_json::from_str(text).map_err(|_| NoObject) }
}

impl AttachmentOptions {
    /// The attachment in a namespace, which need not be there.
    pub(super) fn request(&self, netns: Option<&OsString>) -> Result<Request, Trouble> {
        let netns = netns.filter(|netns| !netns.is_empty());
        let netns = netns.map(|netns| namespace::path_of(netns, &self.directory())).transpose()?;
        let container = match (&self.container_id, &netns) {
            (Some(container), _) => container.clone(),
            (None, Some(netns)) => namespace::container_of(netns).map_err(Error::Container)?,
            (None, None) => return Err(Error::Nobody.into()),
        };
        Ok(Request {
            attachment: Attachment::new(container, self.ifname.clone()),
            netns,
            args: self.args.clone(),
            capability_args: self.capability_args.clone(),
        })
    }

    /// The attachment in a namespace that is there.
    pub(super) fn request_inside(&self, netns: &OsString) -> Result<Request, Trouble> {
        let request = self.request(Some(netns))?;
        if let Some(path) = &request.netns {
            namespace::require(path, &self.directory())?;
        }
        Ok(request)
    }

    /// The request for an attachment that stands: when no container is named, whoever is known to be attached from that
    /// namespace is meant, be it by `netctl connect` or by another runtime, which gave it an id of its own.
    pub(super) fn as_attached(&self, mut request: Request, network: &NetworkName, cache: &Cache) -> Request {
        if self.container_id.is_some() || request.netns.is_none() {
            return request;
        }
        // A cache that cannot be read is told of by the verb itself.
        let entries = cache.of_network(network).unwrap_or_default();
        let is_meant = |entry: &&Entry| {
            entry.attachment.interface == request.attachment.interface
                && entry.namespace() == request.netns.as_deref()
        };
        let is_own = entries.iter().any(|entry| entry.attachment == request.attachment);
        if let (false, Some(entry)) = (is_own, entries.iter().find(is_meant)) {
            request.attachment = entry.attachment.clone();
        }
        request
    }

    fn directory(&self) -> Directory {
        given(&self.netns_dir).map_or_else(Directory::default, Directory::new)
    }
}
