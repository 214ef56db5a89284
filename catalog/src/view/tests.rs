//! What is shown of conflists, whoever wrote them.

mod hostile;
mod round_trip;
mod spelled;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;

#[track_caller]
fn view(list: &Value) -> View {
    let parsed = List::parse(list.to_string().into_bytes());
    View::of(&parsed.unwrap_or_else(|error| panic!("{list}: {error}")))
}

/// A list of one plugin.
fn alone(plugin: Value) -> Value {
    json!({"cniVersion": "1.0.0", "name": "web", "plugins": [plugin]})
}

/// A bridge with that `ipam`.
fn leasing(ipam: Value) -> Value {
    alone(json!({"type": "bridge", "isGateway": true, "ipam": ipam}))
}

fn link(text: &str) -> Option<InterfaceName> {
    Some(InterfaceName::new(text).unwrap())
}

fn words<const N: usize>(words: [(&str, &str); N]) -> BTreeMap<String, String> {
    words.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}

fn subnet(subnet: &str, gateway: Option<&str>, range: Option<(&str, &str)>) -> Subnet {
    let address = |text: &str| text.parse::<IpAddr>().unwrap();
    Subnet {
        subnet: subnet.parse().unwrap(),
        gateway: gateway.map(address),
        range: range.map(|(first, last)| (address(first), address(last))),
    }
}
