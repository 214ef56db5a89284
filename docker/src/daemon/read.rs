//! Reads each key by itself: what it holds is of the right kind, or an error that names it.

use std::net::IpAddr;

use vocab::{InterfaceName, Mtu};

use super::error::{Expected, Fault, Key, Refusal};
use super::json::{Json, Object};
use super::pool::{InvalidPool, Pool};
use super::{DaemonFile, DefaultBridge};
use crate::wish::{Reason, Wish};

/// Reads the keys that are understood; the names of all others are kept.
pub(super) fn read(object: &Object) -> Result<DaemonFile, Fault> {
    let text = |key, reason: Reason| text(object, key, reason.into());
    let flag = |key| flag(object, key);
    let mut file = DaemonFile {
        wish: Wish {
            bip: text("bip", Reason::BridgeAddress)?,
            bip6: text("bip6", Reason::BridgeAddressV6)?,
            fixed_cidr: text("fixed-cidr", Reason::Network)?,
            fixed_cidr_v6: text("fixed-cidr-v6", Reason::NetworkV6)?,
            gateway: address(object, "default-gateway", Expected::Ipv4Gateway, IpAddr::is_ipv4)?,
            gateway_v6: address(object, "default-gateway-v6", Expected::Ipv6Gateway, IpAddr::is_ipv6)?,
        },
        bridge: bridge(object)?,
        mtu: mtu(object)?,
        dns: list(object, "dns", Expected::Addresses, dns_server)?,
        dns_search: list(object, "dns-search", Expected::Domains, search_domain)?,
        dns_opts: list(object, "dns-opts", Expected::ResolverOptions, resolver_option)?,
        ip_forward: flag("ip-forward")?.unwrap_or(true),
        ip_masq: flag("ip-masq")?.unwrap_or(true),
        icc: flag("icc")?.unwrap_or(true),
        ipv6: flag("ipv6")?,
        host_address: address(object, "ip", Expected::Address, |_| true)?,
        ..DaemonFile::default()
    };
    (file.pools, file.ignored) = pools(object)?;
    file.ignored.extend(object.others().map(str::to_owned));
    file.ignored.sort_unstable();
    file.ignored.dedup();
    Ok(file)
}

fn refused(key: Key, value: &Json, expected: impl Into<Expected>) -> Fault {
    let refusal = Refusal { key, value: value.to_string(), beside: None, expected: expected.into() };
    Fault::Refused(Box::new(refusal))
}

/// A text; an empty one counts as absent, as in the file that Docker's documentation shows in full.
fn text(object: &Object, key: &'static str, expected: Expected) -> Result<Option<String>, Fault> {
    match object.get(key)? {
        None => Ok(None),
        Some(Json::Text(text)) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
        Some(other) => Err(refused(object.path(key), other, expected)),
    }
}

fn flag(object: &Object, key: &'static str) -> Result<Option<bool>, Fault> {
    match object.get(key)? {
        None => Ok(None),
        Some(Json::Bool(flag)) => Ok(Some(*flag)),
        Some(other) => Err(refused(object.path(key), other, Expected::Boolean)),
    }
}

fn address(
    object: &Object,
    key: &'static str,
    expected: Expected,
    fits: fn(&IpAddr) -> bool,
) -> Result<Option<IpAddr>, Fault> {
    let Some(text) = text(object, key, expected)? else { return Ok(None) };
    let address = text.parse().ok().filter(fits);
    address.map(Some).ok_or_else(|| refused(object.path(key), &Json::Text(text), expected))
}

fn bridge(object: &Object) -> Result<DefaultBridge, Fault> {
    let Some(name) = text(object, "bridge", Expected::Bridge)? else { return Ok(DefaultBridge::Own) };
    if name == "none" {
        return Ok(DefaultBridge::None);
    }
    let link = InterfaceName::new(&name).map(DefaultBridge::Existing);
    let refusal = |reason| refused(object.path("bridge"), &Json::Text(name), Expected::InterfaceName(reason));
    link.map_err(|error| refusal(error.reason))
}

fn mtu(object: &Object) -> Result<Option<Mtu>, Fault> {
    let Some(value) = object.get("mtu")? else { return Ok(None) };
    let number = if let Json::Number(number) = value { number.as_u64() } else { None };
    let mtu = match number {
        Some(0) => return Ok(None),
        Some(bytes) => u32::try_from(bytes).ok().and_then(|bytes| Mtu::new(bytes).ok()),
        None => None,
    };
    mtu.map(Some).ok_or_else(|| refused(object.path("mtu"), value, Expected::Mtu))
}

/// A list of texts, each of which `item` reads.
fn list<T>(
    object: &Object,
    key: &'static str,
    expected: Expected,
    item: fn(&str) -> Result<T, Expected>,
) -> Result<Vec<T>, Fault> {
    let read = |(index, value): (usize, &Json)| {
        // What is no text is refused as an empty one, which no list may hold.
        let text = if let Json::Text(text) = value { text.as_str() } else { "" };
        item(text).map_err(|expected| refused(Key::item(key, index), value, expected))
    };
    match object.get(key)? {
        None => Ok(Vec::new()),
        Some(Json::List(items)) => items.iter().enumerate().map(read).collect(),
        Some(other) => Err(refused(object.path(key), other, expected)),
    }
}

fn dns_server(text: &str) -> Result<IpAddr, Expected> {
    text.parse().map_err(|_| Expected::Address)
}

/// A domain of letters, digits, hyphens and underscores; Docker's `.` stands for an empty list. It becomes a word of
/// `resolv.conf`.
///
/// # Errors
/// [`Expected::Domain`].
pub fn search_domain(text: &str) -> Result<String, Expected> {
    const LONGEST: usize = 253;
    let text = text.trim_matches(' ');
    let domain = text.strip_suffix('.').unwrap_or(text);
    let of_label = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(of_label)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    // Without a letter it is a number, or an address.
    let named = domain.bytes().any(|byte| byte.is_ascii_alphabetic());
    let valid = named && domain.len() <= LONGEST && domain.split('.').all(is_label);
    if valid || text == "." { Ok(text.to_owned()) } else { Err(Expected::Domain) }
}

/// One word of `resolv.conf`.
///
/// # Errors
/// [`Expected::ResolverOption`].
pub fn resolver_option(text: &str) -> Result<String, Expected> {
    let word = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    if word { Ok(text.to_owned()) } else { Err(Expected::ResolverOption) }
}

/// The pools, and the paths of what stands in them besides.
fn pools(object: &Object) -> Result<(Vec<Pool>, Vec<String>), Fault> {
    const KEY: &str = "default-address-pools";
    let (mut pools, mut ignored) = (Vec::new(), Vec::new());
    let items = match object.get(KEY)? {
        None => return Ok((pools, ignored)),
        Some(Json::List(items)) => items,
        Some(other) => return Err(refused(object.path(KEY), other, Expected::Pools)),
    };
    for (index, item) in items.iter().enumerate() {
        let key = Key::item(KEY, index);
        let Json::Object(entries) = item else { return Err(refused(key, item, Expected::Pool)) };
        let fields = Object::new(Some(key), entries.clone());
        pools.push(pool(key, item, &fields)?);
        ignored.extend(fields.others().map(|field| format!("{key}.{field}")));
    }
    Ok((pools, ignored))
}

fn pool(key: Key, item: &Json, fields: &Object) -> Result<Pool, Fault> {
    let (Some(base), Some(size)) = (fields.get("base")?, fields.get("size")?) else {
        return Err(refused(key, item, Expected::Pool));
    };
    let network = if let Json::Text(text) = base { subnet::parse(text) } else { None };
    let network = network.ok_or_else(|| refused(key.field("base"), base, Expected::PoolBase))?;
    let length = if let Json::Number(number) = size { number.as_u64() } else { None };
    let length = length.ok_or_else(|| refused(key.field("size"), size, Expected::PoolSize))?;
    // What is no length at all is none of a network either.
    Pool::new(network, u8::try_from(length).unwrap_or(u8::MAX)).map_err(|error| match error {
        InvalidPool::Size { .. } => refused(key.field("size"), size, error),
        _ => refused(key.field("base"), base, error),
    })
}
