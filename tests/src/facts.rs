//! What `ip` and `nft` say is there.

use crate::surprise::Surprise;
use lab::Place;
use serde_json::Value;

/// The addresses of a link, as `10.1.0.2/24`, in the order of the kernel; link-local ones are left out.
///
/// # Errors
/// There is no such link.
#[track_caller]
pub fn addresses(place: &impl Place, link: &str) -> Result<Vec<String>, Surprise> {
    let link = ask(place, &["ip", "-json", "addr", "show", "dev", link])?;
    let list = link["addr_info"].as_array().map_or(&[][..], Vec::as_slice);
    let list = list.iter().filter(|address| address["scope"] != "link");
    Ok(list.map(|address| format!("{}/{}", plain(&address["local"]), address["prefixlen"])).collect())
}

/// The main routes of both families, a line each, as `ip route` writes them; those of link-local and multicast
/// addresses are left out.
///
/// # Errors
/// As `ip route` tells.
#[track_caller]
pub fn routes(place: &impl Place) -> Result<Vec<String>, Surprise> {
    let said = place.sh("ip -4 route; ip -6 route").ok();
    let text = said.map_err(|error| Surprise::new("there are no routes", error))?;
    let lines = text.lines().filter(|line| !line.starts_with("fe80::") && !line.starts_with("multicast"));
    Ok(lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect())
}

/// Everything about a link.
///
/// # Errors
/// There is no such link.
#[track_caller]
pub fn link(place: &impl Place, link: &str) -> Result<Value, Surprise> {
    ask(place, &["ip", "-json", "-details", "link", "show", "dev", link])
}

/// The names of all links.
///
/// # Errors
/// As `ip link` tells.
#[track_caller]
pub fn links(place: &impl Place) -> Result<Vec<String>, Surprise> {
    let list = ask_all(place, &["ip", "-json", "link", "show"])?;
    Ok(list.iter().map(|link| plain(&link["ifname"])).collect())
}

/// The names of the ports of a bridge.
///
/// # Errors
/// As `ip link` tells.
#[track_caller]
pub fn ports(place: &impl Place, bridge: &str) -> Result<Vec<String>, Surprise> {
    let list = ask_all(place, &["ip", "-json", "link", "show", "master", bridge])?;
    Ok(list.iter().map(|link| plain(&link["ifname"])).collect())
}

/// The whole ruleset of nftables.
///
/// # Errors
/// As `nft` tells.
#[track_caller]
pub fn ruleset(place: &impl Place) -> Result<String, Surprise> {
    let said = place.run(["nft", "list", "ruleset"]).ok();
    said.map_err(|error| Surprise::new("there is no ruleset", error))
}

/// Whether one `ping` from `place` to `address` is answered.
#[must_use]
pub fn pings(place: &impl Place, address: &str) -> bool {
    place.run(["ping", "-n", "-c1", "-W2", address]).succeeded()
}

/// A text as it is, without the quotes of JSON.
#[must_use]
pub fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[track_caller]
fn ask(place: &impl Place, words: &[&str]) -> Result<Value, Surprise> {
    let list = ask_all(place, words)?;
    let first = list.into_iter().next();
    first.ok_or_else(|| Surprise::new("nothing is there", words.join(" ")))
}

#[track_caller]
fn ask_all(place: &impl Place, words: &[&str]) -> Result<Vec<Value>, Surprise> {
    let said = place.run(words).ok().map_err(|error| Surprise::new("it is not there", error))?;
    // Old versions print nothing at all for an empty list, and an empty object for what is left out.
    let text = if said.trim().is_empty() { "[]" } else { &said };
    let list: Vec<Value> =
        serde_json::from_str(text).map_err(|error| Surprise::new(error.to_string(), &said))?;
    Ok(list.into_iter().filter(|entry| entry.get("ifname").is_some()).collect())
}
