//! The keys of `ipam`, of `runtimeConfig` and of `args`, and what they come to.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use cni::{Call, Cidr, Config, OptionalIp, Route, Version};
use ipam::{DEFAULT_DATA_DIR, Place, RangeSpec, Ranges, Store};
use serde::{Deserialize, Deserializer, de};

use crate::error::HostLocalError;

/// What an ADD needs to know.
#[derive(Debug)]
pub(crate) struct Settings {
    /// What is leased.
    pub(crate) ranges: Ranges,
    /// Addresses that are asked for by name.
    pub(crate) requested: Vec<IpAddr>,
    /// Routes to hand on.
    pub(crate) routes: Vec<Route>,
    /// The file that says how names are resolved.
    pub(crate) resolv_conf: Option<PathBuf>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Keys {
    ipam: Option<IpamKeys>,
    runtime_config: RuntimeKeys,
    args: ArgsKeys,
}

/// The range at the head is the old form, from before there were lists.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct IpamKeys {
    subnet: Option<Cidr>,
    range_start: OptionalIp,
    range_end: OptionalIp,
    gateway: OptionalIp,
    ranges: Vec<Vec<RangeKeys>>,
    routes: Vec<Route>,
    resolv_conf: String,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct RuntimeKeys {
    ip_ranges: Vec<Vec<RangeKeys>>,
    ips: Vec<Wanted>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ArgsKeys {
    cni: CniArgsKeys,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct CniArgsKeys {
    ips: Vec<Wanted>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct RangeKeys {
    subnet: Option<Cidr>,
    range_start: OptionalIp,
    range_end: OptionalIp,
    gateway: OptionalIp,
}

/// An address that is asked for. It may have a prefix, which its range knows better.
struct Wanted(IpAddr);

impl Wanted {
    fn parse(text: &str) -> Option<Self> {
        let address = text.parse().ok();
        address.or_else(|| text.parse::<Cidr>().ok().map(|Cidr(network)| network.ip())).map(Self)
    }
}

impl<'de> Deserialize<'de> for Wanted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom(format!("invalid IP address {text:?}")))
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct PlaceKeys {
    ipam: Option<DataDirKeys>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct DataDirKeys {
    data_dir: String,
}

/// Where the leases are. It needs none of the ranges, so that a DEL works with whatever has become of them.
pub(crate) fn store(config: &Config, run_dir: &Path) -> Result<Store, HostLocalError> {
    let keys: PlaceKeys = config.decode()?;
    let data_dir = keys.ipam.map(|ipam| ipam.data_dir).filter(|path| !path.is_empty());
    let data_dir = data_dir.as_deref().unwrap_or(DEFAULT_DATA_DIR);
    Ok(Store::new(Path::new(data_dir), config.name(), run_dir))
}

/// Reads all keys.
///
/// # Errors
/// [`HostLocalError`] that names the key, its value and what was expected.
pub(crate) fn read(call: &Call) -> Result<Settings, HostLocalError> {
    let Keys { ipam, runtime_config, args } = call.config.decode()?;
    let ipam = ipam.ok_or_else(|| key("ipam", "missing"))?;
    let mut requested: Vec<IpAddr> = requested_by_args(call)?.into_iter().collect();
    requested.extend(args.cni.ips.into_iter().chain(runtime_config.ips).map(|Wanted(address)| address));
    let ranges = ranges(&ipam, &runtime_config.ip_ranges)?;
    refuse_too_many(&ranges, call.config.version())?;
    let resolv_conf = Some(ipam.resolv_conf).filter(|path| !path.is_empty()).map(PathBuf::from);
    Ok(Settings { ranges, requested, routes: ipam.routes, resolv_conf })
}

fn requested_by_args(call: &Call) -> Result<Option<IpAddr>, HostLocalError> {
    let args = call.environment.args()?;
    let Some(text) = args.get("IP") else { return Ok(None) };
    let wanted =
        Wanted::parse(text).ok_or_else(|| key("CNI_ARGS IP", format!("invalid IP address {text:?}")))?;
    Ok(Some(wanted.0))
}

/// The ranges that can be leased from without anybody's further word; `None` where the runtime brings all of them with
/// each ADD.
///
/// # Errors
/// As with [`read`].
pub(crate) fn standing_ranges(config: &Config) -> Result<Option<Ranges>, HostLocalError> {
    let Keys { ipam, .. } = config.decode()?;
    let sets = all_sets(&ipam.ok_or_else(|| key("ipam", "missing"))?, &[])?;
    if sets.is_empty() { Ok(None) } else { Ranges::new(&sets).map(Some).map_err(HostLocalError::Ranges) }
}

fn ranges(ipam: &IpamKeys, of_runtime: &[Vec<RangeKeys>]) -> Result<Ranges, HostLocalError> {
    let sets = all_sets(ipam, of_runtime)?;
    if sets.is_empty() {
        return Err(key("ipam.ranges", "missing: expected at least one range set"));
    }
    Ranges::new(&sets).map_err(HostLocalError::Ranges)
}

/// The runtime's ranges come first, then the old form, then the list.
fn all_sets(ipam: &IpamKeys, of_runtime: &[Vec<RangeKeys>]) -> Result<Vec<Vec<RangeSpec>>, HostLocalError> {
    let mut sets = sets("runtimeConfig.ipRanges", of_runtime)?;
    if ipam.subnet.is_some() {
        let IpamKeys { subnet, range_start, range_end, gateway, .. } = *ipam;
        let range = RangeKeys { subnet, range_start, range_end, gateway };
        sets.push(vec![spec(&range, Place::object("ipam"))?]);
    }
    sets.extend(self::sets("ipam.ranges", &ipam.ranges)?);
    Ok(sets)
}

fn sets(list: &'static str, sets: &[Vec<RangeKeys>]) -> Result<Vec<Vec<RangeSpec>>, HostLocalError> {
    let sets = sets.iter().enumerate().map(|(set, ranges)| {
        if ranges.is_empty() {
            return Err(key(format!("{list}[{set}]"), "empty: expected at least one range"));
        }
        let ranges = ranges.iter().enumerate();
        ranges.map(|(range, keys)| spec(keys, Place::listed(list, set, range))).collect()
    });
    sets.collect()
}

fn spec(keys: &RangeKeys, place: Place) -> Result<RangeSpec, HostLocalError> {
    let subnet = keys.subnet.ok_or_else(|| key(format!("{place}.subnet"), "missing"))?.0;
    let RangeKeys { range_start, range_end, gateway, .. } = keys;
    Ok(RangeSpec { place, subnet, range_start: range_start.0, range_end: range_end.0, gateway: gateway.0 })
}

/// The first versions have one address of a family.
fn refuse_too_many(ranges: &Ranges, version: Version) -> Result<(), HostLocalError> {
    let families =
        ranges.sets().iter().filter_map(|set| set.ranges().first()).map(|range| range.subnet().is_ipv4());
    let (v4, v6): (Vec<bool>, Vec<bool>) = families.partition(|is_v4| *is_v4);
    if version < Version::V0_3_0 && (v4.len() > 1 || v6.len() > 1) {
        return Err(HostLocalError::TooManySets { version });
    }
    Ok(())
}

fn key(key: impl Into<String>, reason: impl Into<String>) -> HostLocalError {
    HostLocalError::Key { key: key.into(), reason: reason.into() }
}
