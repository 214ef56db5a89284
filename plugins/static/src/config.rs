//! The keys of `ipam`, and the addresses that a call brings along.

use cni::{Call, Cidr, Dns, OptionalIp, Route};
use serde::Deserialize;

use crate::error::StaticError;
use crate::plan::{self, Plan};

/// What a plan is made of.
#[derive(Debug, Default)]
pub(crate) struct Wishes {
    /// `ipam.addresses`.
    pub(crate) addresses: Vec<Address>,
    /// `CNI_ARGS` IP: a list with commas.
    pub(crate) args_ip: Option<String>,
    /// `CNI_ARGS` GATEWAY: a list with commas.
    pub(crate) args_gateway: Option<String>,
    /// `args.cni.ips`.
    pub(crate) args_ips: Vec<Cidr>,
    /// `runtimeConfig.ips`.
    pub(crate) runtime_ips: Vec<Cidr>,
}

/// An address with its gateway, as the configuration gives them.
#[derive(Debug, Deserialize)]
pub(crate) struct Address {
    pub(crate) address: Cidr,
    #[serde(default)]
    pub(crate) gateway: OptionalIp,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Keys {
    ipam: Option<IpamKeys>,
    runtime_config: IpsKeys,
    args: ArgsKeys,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct IpamKeys {
    addresses: Vec<Address>,
    routes: Vec<Route>,
    dns: Dns,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ArgsKeys {
    cni: IpsKeys,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct IpsKeys {
    ips: Vec<Cidr>,
}

/// What an ADD answers.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) plan: Plan,
    pub(crate) routes: Vec<Route>,
    pub(crate) dns: Dns,
}

/// Reads all keys.
///
/// # Errors
/// [`StaticError`] that names the key, its value and what was expected.
pub(crate) fn read(call: &Call) -> Result<Settings, StaticError> {
    let Keys { ipam, runtime_config, args } = call.config.decode()?;
    let IpamKeys { addresses, routes, dns } = ipam.ok_or(StaticError::MissingIpam)?;
    let words = call.environment.args()?;
    let wishes = Wishes {
        addresses,
        args_ip: words.get("IP").map(str::to_owned),
        args_gateway: words.get("GATEWAY").map(str::to_owned),
        args_ips: args.cni.ips,
        runtime_ips: runtime_config.ips,
    };
    let plan = plan::plan_addresses(&wishes, call.config.version())?;
    Ok(Settings { plan, routes, dns })
}
