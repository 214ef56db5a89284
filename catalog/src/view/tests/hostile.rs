//! Conflists that nobody would write: what can be read is shown, the rest is left out, and nothing worse happens.

use super::*;
use crate::chance::Chance;

#[test]
fn one_key_of_the_wrong_type_costs_nobody_the_others() {
    let sane = json!({
        "type": "bridge",
        "bridge": "br7",
        "mtu": 1400,
        "isGateway": true,
        "isolate": true,
        "gatewayMode": "internal",
        "dns": {"search": ["corp"]},
        "ipam": {
            "type": "host-local",
            "dataDir": "/run/leases",
            "ranges": [[{"subnet": "10.1.0.0/24", "gateway": "10.1.0.1", "rangeStart": "10.1.0.9"}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    });
    let whole = view(&alone(sane.clone()));
    let without = |change: fn(&mut View)| {
        let mut view = whole.clone();
        change(&mut view);
        view
    };
    let cases: [(&str, View); 8] = [
        ("/bridge", without(|view| view.link = None)),
        ("/mtu", without(|view| view.mtu = None)),
        ("/isolate", without(|view| view.is_isolated = false)),
        ("/gatewayMode", without(|view| view.is_internal = false)),
        ("/dns", without(|view| view.dns = cni::Dns::default())),
        ("/ipam/type", without(|view| view.ipam = None)),
        ("/ipam/dataDir", without(|view| view.data_dir = None)),
        ("/ipam/ranges/0/0/gateway", without(|view| view.subnets[0].gateway = None)),
    ];
    for (path, expected) in cases {
        let mut wrong = sane.clone();
        *wrong.pointer_mut(path).unwrap() = json!([{"a": 1}]);
        assert_eq!(view(&alone(wrong)), expected, "{path}");
    }
}

#[test]
fn what_is_no_subnet_or_range_is_left_out_and_the_rest_is_shown() {
    let subnets = |ranges: Value| view(&leasing(json!({"type": "host-local", "ranges": ranges}))).subnets;
    let sane = || subnet("10.2.0.0/24", None, None);
    assert_eq!(
        subnets(json!([[7, {"subnet": "10.2.0.0/24"}], 7, [], [{"subnet": ["x"]}, {}, {"subnet": "x"}]])),
        [sane()]
    );
    assert_eq!(subnets(json!("10.2.0.0/24")), []);
    let of = |start: Value, end: Value| {
        subnets(json!([[{"subnet": "10.2.0.0/24", "rangeStart": start, "rangeEnd": end}]]))
    };
    // Outside, of another family, no addresses, and the wrong way round.
    assert_eq!(of("10.3.0.1".into(), "fd00::1".into()), [sane()]);
    assert_eq!(of(7.into(), "x".into()), [sane()]);
    assert_eq!(of("10.2.0.9".into(), "10.2.0.3".into()), [sane()]);
    assert_eq!(
        of("10.2.0.9".into(), "10.3.0.3".into()),
        [subnet("10.2.0.0/24", None, Some(("10.2.0.9", "10.2.0.255")))]
    );
}

#[test]
fn words_that_are_none_are_left_out_one_by_one() {
    let mut list = alone(json!({"type": "bridge"}));
    list["args"] = json!({"podman_labels": {"a": "b", "c": 7, "d": null}, "podman_options": "x"});
    list["nerdctlLabels"] = json!({"e": "f", "g": {}});
    list["netctl"] =
        json!({"created": 7, "options": {"h": "i", "j": []}, "internal": "yes", "hostBinding": "x"});
    let told = view(&list);
    assert_eq!((told.labels, told.options), (words([("a", "b"), ("e", "f")]), words([("h", "i")])));
    assert_eq!((told.created, told.is_ours, told.is_internal, told.host_binding), (None, true, false, None));
    list["netctl"] = json!("x");
    assert!(view(&list).is_ours, "somebody meant it");
    list["netctl"] = Value::Null;
    assert!(!view(&list).is_ours);
}

#[test]
fn an_mtu_is_a_number_of_bytes() {
    let mtu = |mtu: Value| view(&alone(json!({"type": "bridge", "mtu": mtu}))).mtu;
    for none in [json!(0), json!(-1), json!(1.5), json!("1400"), json!(1_u64 << 32)] {
        assert_eq!(mtu(none.clone()), None, "{none}");
    }
    assert_eq!(mtu(json!(7)), Some(7), "whether it can be is for the plugin to say");
}

#[test]
fn links_have_names_that_a_link_can_have() {
    let bridge = |name: Value| view(&alone(json!({"type": "bridge", "bridge": name}))).link;
    assert_eq!(bridge("".into()), link("cni0"));
    assert_eq!(bridge(Value::Null), link("cni0"));
    for wrong in [json!("a/b"), json!("a-name-that-is-too-long"), json!(7), json!(["br0"])] {
        assert_eq!(bridge(wrong.clone()), None, "{wrong}");
    }
}

/// Values that stand where something else should.
fn pool() -> Vec<Value> {
    let long = "x".repeat(300);
    vec![
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(u64::MAX),
        json!(1e300),
        json!(""),
        json!("\u{0}\n"),
        json!(long),
        json!("bridge"),
        json!("host-local"),
        json!("10.1.0.1"),
        json!("::"),
        json!("::ffff:10.1.0.1"),
        json!("255.255.255.255"),
        json!("0.0.0.0/0"),
        json!("10.1.0.255/31"),
        json!("255.255.255.255/32"),
        json!("::/0"),
        json!("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128"),
        json!("10.1.0.0/24"),
        json!("10.1.0.0/99"),
        json!([]),
        json!([[{"subnet": "10.1.0.0/24"}]]),
        json!({}),
        json!({"subnet": "fd00::/64", "rangeStart": "10.1.0.1", "rangeEnd": "::"}),
    ]
}

fn seeds() -> Vec<Value> {
    let ranges = json!([[{"subnet": "10.1.0.0/24", "gateway": "10.1.0.1", "rangeStart": "10.1.0.2",
                          "rangeEnd": "10.1.0.9"}], [{"subnet": "fd00::/64"}]]);
    let ipam = json!({"type": "host-local", "dataDir": "/x", "ranges": ranges, "routes": [{"dst": "::/0"}],
                      "subnet": "10.2.0.0/16", "rangeStart": "10.2.0.1", "rangeEnd": "10.2.9.9", "gateway": "10.2.0.7"});
    let mut ours = json!({"cniVersion": "1.0.0", "name": "web", "plugins": [
        {"type": "bridge", "bridge": "web", "mtu": 1400, "isolate": false, "gatewayMode": "nat", "ipam": ipam,
         "dns": {"nameservers": ["10.1.0.53"], "search": ["corp"], "options": ["ndots:2"], "domain": "x"}},
        {"type": "firewall", "ingressPolicy": "same-bridge"},
    ]});
    ours["netctl"] = json!({"created": "2026-01-31T12:00:00Z", "options": {"a": "b"}, "internal": true,
                            "hostBinding": "127.0.0.1", "interfacePrefix": "eth"});
    ours["args"] = json!({"podman_labels": {"a": "b"}, "podman_options": {"c": "d"}});
    let docker = alone(
        json!({"type": "bridge", "bip": "10.9.0.1/24", "bip6": "fd09::1/64", "fixed-cidr": "10.9.0.128/25",
        "fixed-cidr-v6": "fd09::8000/113", "default-gateway": "10.9.0.254", "default-gateway-v6": "fd09::9"}),
    );
    let macvlan = alone(json!({"type": "macvlan", "master": "eth0", "ipam": ipam}));
    vec![ours, docker, macvlan]
}

/// Every value in `value`, itself included.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Object(object) => object.values().map(count).sum(),
        Value::Array(items) => items.iter().map(count).sum(),
        _ => 0,
    }
}

/// Puts another value in the place of the one with number `at`.
fn replace(value: &mut Value, at: &mut usize, new: &Value) {
    if *at == 0 {
        *value = new.clone();
    }
    *at = at.wrapping_sub(1);
    match value {
        Value::Object(object) => object.values_mut().for_each(|value| replace(value, at, new)),
        Value::Array(items) => items.iter_mut().for_each(|value| replace(value, at, new)),
        _ => {}
    }
}

/// Looks at everything that can be asked of a view.
fn look_at(bytes: Vec<u8>) -> bool {
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let Ok(list) = List::parse(bytes) else { return false };
    let view = View::of(&list);
    for subnet in &view.subnets {
        let (first, last) = subnet.range.unwrap_or((subnet.subnet.network(), subnet.subnet.broadcast()));
        assert!(first <= last && subnet.subnet.contains(first) && subnet.subnet.contains(last), "{text}");
        assert_eq!(::subnet::of(subnet.subnet), subnet.subnet, "{text}");
        assert_eq!(subnet.range_text().is_some(), subnet.range.is_some(), "{text}");
        let all = (::subnet::bits(last) - ::subnet::bits(first)).saturating_add(1);
        assert!(subnet.room() <= all, "{text}");
        assert!(view.has_family(Family::of_network(subnet.subnet)), "{text}");
    }
    true
}

#[test]
fn whatever_stands_in_a_list_it_is_shown_or_left_out() {
    let (seeds, pool) = (seeds(), pool());
    let mut chance = Chance::new(0x5eed);
    let mut read = 0;
    for _ in 0..20_000 {
        let mut list = chance.pick(&seeds).clone();
        for _ in 0..=chance.below(3) {
            let mut at = 1 + chance.below(count(&list) - 1);
            replace(&mut list, &mut at, chance.pick(&pool));
        }
        read += usize::from(look_at(list.to_string().into_bytes()));
    }
    assert!((5_000..20_000).contains(&read), "{read} were lists: some must be, and some must not");
}

#[test]
fn whatever_becomes_of_single_bytes_nothing_worse_happens() {
    let seeds: Vec<String> = seeds().iter().map(Value::to_string).collect();
    let mut chance = Chance::new(0xb17e);
    let mut read = 0;
    for _ in 0..20_000 {
        let mut bytes = chance.pick(&seeds).clone().into_bytes();
        for _ in 0..=chance.below(2) {
            let at = chance.below(bytes.len());
            match chance.below(3) {
                0 => bytes[at] = *chance.pick(b"0123456789:./{}[]\",x\0\xff"),
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, *chance.pick(b"0123456789abcdef.:/\"")),
            }
        }
        read += usize::from(look_at(bytes));
    }
    assert!((5_000..20_000).contains(&read), "{read} were lists: some must be, and some must not");
}
