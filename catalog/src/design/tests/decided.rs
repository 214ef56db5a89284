//! What a design says where the wish says nothing, and what it makes of the host.

use super::*;

fn told(design: &Design) -> Vec<String> {
    let told = |plan: &SubnetPlan| {
        let range = plan.range.map(|(first, last)| format!(" {first}-{last}")).unwrap_or_default();
        format!("{} {}{range}", plan.subnet, plan.gateway)
    };
    design.subnets.iter().map(told).collect()
}

#[test]
fn a_network_of_which_only_the_name_is_said_is_a_bridge_behind_nat() {
    let design = designed(|_| {});
    assert_eq!((design.name.as_str(), design.link.as_str(), design.driver), ("web", "web", Driver::Bridge));
    assert_eq!(told(&design), ["172.18.0.0/22 172.18.0.1"]);
    assert_eq!((design.gateway_mode, design.masquerade, design.icc), (GatewayMode::Nat, true, true));
    assert_eq!((design.isolate, design.default_route, design.has_gateway()), (false, true, true));
    assert_eq!(design.mtu, None);
}

#[test]
fn free_subnets_keep_clear_of_routes_addresses_name_servers_and_networks() {
    let mut scene = Scene::new();
    scene.pools =
        ["172.26.0.0/16", "10.20.4.0/22", "10.40.0.0/24", "10.50.0.0/24", "192.168.7.0/24", "10.60.0.0/16"]
            .map(|base| Pool::new(one(base), 24).unwrap())
            .into();
    assert_eq!(told(&scene.design(|_| {}).unwrap()), ["10.60.0.0/24 10.60.0.1"]);
}

#[test]
fn a_free_subnet_keeps_clear_of_those_that_are_named_beside_it() {
    let mut scene = Scene::new();
    let base = "fd10::/48";
    scene.pools = vec![Pool::new(one(base), 64).unwrap()];
    let wish = |wish: &mut Wish| {
        wish.ipv4 = false;
        wish.ipv6 = true;
    };
    assert_eq!(told(&scene.design(wish).unwrap()), ["fd10::/64 fd10::1"]);
    let beside = |wish: &mut Wish| {
        wish.ipv6 = true;
        wish.subnets = networks("10.60.0.0/16");
    };
    assert_eq!(told(&scene.design(beside).unwrap()), ["10.60.0.0/16 10.60.0.1", "fd10::/64 fd10::1"]);
    scene.pools.insert(0, Pool::new(one("10.60.0.0/15"), 16).unwrap());
    let both = |wish: &mut Wish| wish.subnets = networks("fd10::/64 fd10:0:0:1::/64");
    let expected = ["fd10::/64 fd10::1", "fd10:0:0:1::/64 fd10:0:0:1::1", "10.60.0.0/16 10.60.0.1"];
    assert_eq!(told(&scene.design(both).unwrap()), expected);
}

#[test]
fn every_gateway_and_range_finds_its_subnet() {
    let design = designed(|wish| {
        wish.subnets = networks("10.1.0.0/24 10.2.0.0/24 fd10::/64");
        wish.gateways = addresses("fd10::fe 10.2.0.254");
        wish.ranges = networks("10.2.0.0/25 10.1.0.128/25 fd10::/64");
    });
    let expected = [
        "10.1.0.0/24 10.1.0.1 10.1.0.128-10.1.0.254",
        "10.2.0.0/24 10.2.0.254 10.2.0.1-10.2.0.127",
        "fd10::/64 fd10::fe fd10::1-fd10::ffff:ffff:ffff:ffff",
    ];
    assert_eq!(told(&design), expected);
}

#[test]
fn one_address_beside_the_gateway_is_enough() {
    let range = |range: &str| {
        designed(|wish| {
            wish.subnets = networks("10.1.0.0/24");
            wish.ranges = networks(range);
        })
        .subnets[0]
            .range
            .map(|(first, last)| format!("{first} {last}"))
    };
    assert_eq!(range("10.1.0.0/30").unwrap(), "10.1.0.1 10.1.0.3");
    assert_eq!(range("10.1.0.2/32").unwrap(), "10.1.0.2 10.1.0.2");
    assert_eq!(range("10.1.0.254/31").unwrap(), "10.1.0.254 10.1.0.254");
}

#[test]
fn the_mtu_is_that_of_the_way_out_unless_somebody_says_otherwise() {
    let mut scene = Scene::new();
    let mtu_of = |scene: &Scene, ask: fn(&mut Wish)| scene.design(ask).unwrap().mtu.map(Mtu::bytes);
    let ipv6: fn(&mut Wish) = |wish| wish.ipv6 = true;
    let internal: fn(&mut Wish) = |wish| wish.internal = true;
    scene.facts.uplink = Some(Uplink { name: link("wg0"), mtu: 1420 });
    assert_eq!(mtu_of(&scene, |_| {}), Some(1420));
    assert_eq!(mtu_of(&scene, internal), None, "nothing of it goes there");
    assert_eq!(mtu_of(&scene, |wish| wish.mtu = mtu(9000)), Some(9000));
    assert_eq!(mtu_of(&scene, |wish| wish.options("mtu=1300")), Some(1300));
    assert_eq!(
        mtu_of(&scene, |wish| {
            wish.mtu = mtu(1300);
            wish.options("mtu=1300");
        }),
        Some(1300)
    );
    scene.facts.uplink = Some(Uplink { name: link("wg0"), mtu: 1200 });
    assert_eq!((mtu_of(&scene, |_| {}), mtu_of(&scene, ipv6)), (Some(1200), None));
    scene.facts.uplink = None;
    assert_eq!(mtu_of(&scene, |_| {}), None);
}

#[test]
fn macvlan_works_on_the_link_of_the_default_route_with_its_router_and_mtu() {
    let design = designed(|wish| wish.macvlan("192.168.7.0/24"));
    assert_eq!((design.link.as_str(), design.mtu), ("eth0", None));
    assert_eq!(told(&design), ["192.168.7.0/24 192.168.7.1"]);
    // Not the host's router: it is in another network.
    let design = designed(|wish| {
        wish.macvlan("10.20.7.0/24");
        wish.options("parent=wg0");
        wish.mtu = mtu(1420);
    });
    assert_eq!((design.link.as_str(), design.mtu), ("wg0", mtu(1420)));
    assert_eq!(told(&design), ["10.20.7.0/24 10.20.7.1"]);
    let design = designed(|wish| {
        wish.macvlan("192.168.7.0/24");
        wish.gateways = addresses("192.168.7.9");
    });
    assert_eq!(told(&design), ["192.168.7.0/24 192.168.7.9"], "what is named wins");
}

#[test]
fn macvlan_is_in_the_host_s_own_network_but_in_no_other_of_the_catalog() {
    let on_uplink =
        |subnets: &str| Scene::new().design(|wish| wish.macvlan(subnets)).map(|design| told(&design));
    assert_eq!(
        on_uplink("192.168.7.0/24").unwrap().len(),
        1,
        "its address, route and name server are its own"
    );
    assert_eq!(on_uplink("2001:db8:7::/64").unwrap(), ["2001:db8:7::/64 2001:db8:7::1"]);
    let error = on_uplink("172.26.9.0/24").unwrap_err().to_string();
    assert_eq!(error, "subnet 172.26.9.0/24 overlaps network db (172.26.0.0/16)");
}

#[test]
fn who_reaches_it_follows_from_its_mode() {
    let masquerade = |options: &'static str, internal: bool| {
        let design = designed(|wish| {
            wish.internal = internal;
            wish.options(options);
        });
        (design.masquerade, design.default_route, design.has_gateway())
    };
    assert_eq!(masquerade("", false), (true, true, true));
    assert_eq!(masquerade("", true), (false, false, true));
    assert_eq!(masquerade("bridge.gateway_mode_ipv4=routed", false), (false, true, true));
    assert_eq!(masquerade("bridge.gateway_mode_ipv4=nat-unprotected", false), (true, true, true));
    assert_eq!(masquerade("bridge.gateway_mode_ipv4=isolated", true), (false, false, false));
    assert_eq!(masquerade("bridge.enable_ip_masquerade=false", false), (false, true, true));
    let routed = "bridge.gateway_mode_ipv4=routed bridge.enable_ip_masquerade=true";
    assert_eq!(masquerade(routed, false), (true, true, true));
    assert_eq!(masquerade("no_default_route=true", false), (true, false, true));
}

#[test]
fn isolation_has_a_flag_and_an_option() {
    let isolate = |flag, options: &'static str| {
        let ask = |wish: &mut Wish| {
            wish.isolate = flag;
            wish.options(options);
        };
        designed(ask).isolate
    };
    assert!(isolate(true, "") && isolate(false, "isolate=true") && isolate(true, "isolate=true"));
    assert!(!isolate(false, "") && !isolate(false, "isolate=false"));
}

#[test]
fn a_bridge_that_is_named_or_was_ours_is_used_and_its_addresses_are_in_nobody_s_way() {
    let mut scene = Scene::new();
    let named = |wish: &mut Wish| {
        wish.options("bridge.name=br9");
        wish.subnets = networks("172.30.0.0/16");
    };
    assert_eq!(scene.design(named).unwrap().link.as_str(), "br9");
    let ours = |scene: &Scene| {
        let mut wish = Wish::new(name("br9"));
        wish.subnets = networks("172.30.0.0/16");
        Design::new(wish, scene.around(), CREATED).map(|design| design.link.to_string())
    };
    assert!(ours(&scene).is_err(), "somebody made it");
    scene.facts.links[1].alias = Some("netctl network br9".to_owned());
    assert_eq!(ours(&scene).unwrap(), "br9");
}

#[test]
fn a_name_that_is_too_long_for_a_link_is_none_of_its_bridge() {
    let wish = Wish::new(name("a-name-that-no-link-can-have"));
    let design = Design::new(wish, Scene::new().around(), CREATED).unwrap();
    assert!(design.link.as_str().starts_with("br-") && design.link.as_str().len() == 15, "{}", design.link);
}
