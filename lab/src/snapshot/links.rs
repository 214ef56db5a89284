//! Facts about links, their addresses and VLANs, out of what `ip` and `bridge` say.

use super::Error;
use serde_json::{Map, Value};

/// What of a link is compared. Everything else is either derived from it or changes by itself.
const LINK: [&str; 8] = ["address", "mtu", "master", "group", "ifalias", "promiscuity", "link", "altnames"];

/// What of a bridge or another device with settings changes by itself.
const RESTLESS: [&str; 4] = ["timer", "topology", "root_", "bridge_id"];

/// Links, and addresses.
pub(super) fn parse(text: &str) -> Result<(Vec<String>, Vec<String>), Error> {
    let links = array(text, "ip -json -details addr show")?;
    let addresses = links.iter().flat_map(|link| {
        let device = plain(link.get("ifname"));
        let addresses = link.get("addr_info").and_then(Value::as_array).into_iter().flatten();
        addresses.map(move |address| address_fact(address, &device))
    });
    Ok((links.iter().map(link_fact).collect(), addresses.collect()))
}

/// VLANs of bridges and ports: `cni0 vlan 100`.
pub(super) fn parse_vlans(text: &str) -> Result<Vec<String>, Error> {
    let links = array(text, "bridge -json vlan show")?;
    let facts = links.iter().flat_map(|link| {
        let device = plain(link.get("ifname"));
        let vlans = link.get("vlans").and_then(Value::as_array).into_iter().flatten();
        vlans.filter_map(Value::as_object).map(move |vlan| format!("{device}{}", pairs(vlan, |_, _| true)))
    });
    Ok(facts.collect())
}

fn link_fact(link: &Value) -> String {
    let info = link.get("linkinfo");
    let kind = info.and_then(|info| info.get("info_kind"));
    let up = link.get("flags").and_then(Value::as_array).is_some_and(|flags| flags.contains(&"UP".into()));
    let mut fact = format!(
        "{} kind={} {}",
        plain(link.get("ifname")),
        kind.map_or("none".to_owned(), |kind| plain(Some(kind))),
        if up { "up" } else { "down" }
    );
    if let Some(link) = link.as_object() {
        fact += &pairs(link, |key, _| LINK.contains(&key));
    }
    if let Some(data) = info.and_then(|info| info.get("info_data")).and_then(Value::as_object) {
        fact += &pairs(data, |key, _| !RESTLESS.iter().any(|part| key.contains(part)));
    }
    // What is set on a port is a flag; the rest is the state of the spanning tree.
    if let Some(port) = info.and_then(|info| info.get("info_slave_data")).and_then(Value::as_object) {
        fact += &pairs(port, |_, value| value.is_boolean());
    }
    fact
}

fn address_fact(address: &Value, device: &str) -> String {
    let (local, length) = (plain(address.get("local")), plain(address.get("prefixlen")));
    format!("{local}/{length} dev {device} scope {}", plain(address.get("scope")))
}

fn pairs(object: &Map<String, Value>, keep: impl Fn(&str, &Value) -> bool) -> String {
    let kept = object.iter().filter(|(key, value)| keep(key, value));
    kept.map(|(key, value)| format!(" {key}={}", plain(Some(value)))).collect()
}

fn plain(value: Option<&Value>) -> String {
    match value {
        None => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    }
}

fn array(text: &str, command: &'static str) -> Result<Vec<Value>, Error> {
    // Old versions print nothing at all for an empty list.
    let text = if text.trim().is_empty() { "[]" } else { text };
    let links: Vec<Value> = serde_json::from_str(text).map_err(|source| Error::Parse { command, source })?;
    // An empty object stands for a link that was left out.
    Ok(links.into_iter().filter(|link| link.get("ifname").is_some()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_keeps_what_was_set_and_loses_what_changes_by_itself() {
        let (links, addresses) = parse(
            r#"[{},{"ifindex":2,"ifname":"br0","flags":["NO-CARRIER","UP"],"mtu":1500,"address":"02:00:00:00:00:01",
                "linkinfo":{"info_kind":"bridge","info_data":{"vlan_filtering":0,"gc_timer":0.05},
                            "info_slave_data":{"hairpin":true,"hold_timer":1.0}},
                "addr_info":[{"local":"10.1.0.1","prefixlen":24,"scope":"global","valid_life_time":4294967295}]}]"#,
        )
        .unwrap();
        assert_eq!(
            links,
            ["br0 kind=bridge up address=02:00:00:00:00:01 mtu=1500 vlan_filtering=0 hairpin=true"]
        );
        assert_eq!(addresses, ["10.1.0.1/24 dev br0 scope global"]);
    }

    #[test]
    fn a_vlan_names_its_port() {
        let facts = parse_vlans(r#"[{"ifname":"br0","vlans":[{"vlan":1,"flags":["PVID"]}]}]"#).unwrap();
        assert_eq!(facts, [r#"br0 flags=["PVID"] vlan=1"#]);
    }
}
