//! host-local by itself: every key, on the reference's files.

use lab::Place;
use serde_json::{Value, json};
use tests::config::{host_local, in_version, with};
use tests::facts::plain;
use tests::{Call, Stage, Test};

/// A call for a container that needs no namespace.
fn call<'a>(stage: &'a Stage, ipam: &Value, id: &str) -> Call<'a> {
    let mut ipam = ipam.clone();
    ipam["type"] = "host-local".into();
    let call = stage.call("host-local", &with(host_local(), json!({ "ipam": ipam })));
    call.id(id).netns("/not/needed").interface("eth0")
}

fn one_range(range: Value) -> Value {
    json!({"ranges": [[range]]})
}

/// The first addresses that ADD answers, for containers one after the other.
fn addresses(stage: &Stage, ipam: &Value, count: usize) -> Result<Vec<String>, tests::Surprise> {
    let add = |number| {
        let result = call(stage, ipam, &format!("c{number}")).add().result()?;
        let ips = result["ips"].as_array().into_iter().flatten();
        Ok(ips.map(|ip| plain(&ip["address"])).collect::<Vec<_>>().join(" "))
    };
    (0..count).map(add).collect()
}

#[test]
fn the_result_is_addresses_routes_and_dns_and_nothing_else() -> Test {
    let stage = Stage::new("result")?;
    stage.host().write_file(
        "/etc/own.conf",
        "nameserver 192.0.2.1\nsearch a.test b.test\noptions ndots:2\ndomain d.test\n",
    )?;
    let ipam = json!({
        "ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "fd00:1::/64"}]],
        "routes": [{"dst": "0.0.0.0/0"}, {"dst": "10.9.0.0/16", "gw": "10.1.0.9", "mtu": 1400, "priority": 5}],
        "resolvConf": "/etc/own.conf",
    });
    let result = call(&stage, &ipam, "c1").add().result()?;
    let expected = json!({
        "cniVersion": "1.1.0",
        "ips": [
            {"address": "10.1.0.2/24", "gateway": "10.1.0.1"},
            {"address": "fd00:1::2/64", "gateway": "fd00:1::1"},
        ],
        "routes": [{"dst": "0.0.0.0/0"}, {"dst": "10.9.0.0/16", "gw": "10.1.0.9", "mtu": 1400, "priority": 5}],
        "dns": {"nameservers": ["192.0.2.1"], "domain": "d.test", "search": ["a.test", "b.test"], "options": ["ndots:2"]},
    });
    assert_eq!(result, expected);
    Ok(())
}

#[test]
fn leases_are_files_in_the_references_form() -> Test {
    let stage = Stage::new("files")?;
    let ipam = json!({"ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "fd00:1:0:0::/64"}]]});
    call(&stage, &ipam, "c1").add().result()?;
    let script = "cd /var/lib/cni/networks/net; stat -c '%n %a' . *; od -An -c 10.1.0.2; cat last_reserved_ip.0; echo; cat last_reserved_ip.1";
    let said = stage.host().sh(script).ok()?;
    let expected =
        ". 755\n10.1.0.2 600\nfd00:1::2 600\nlast_reserved_ip.0 600\nlast_reserved_ip.1 600\nlock 600\n";
    let modes = said.replace("lock 644", "lock 600");
    assert!(modes.starts_with(expected), "{said}");
    assert!(said.contains("c   1  \\r  \\n   e   t   h   0\n"), "{said}");
    assert!(said.ends_with("10.1.0.2\nfd00:1::2"), "{said}");
    call(&stage, &ipam, "c1").del().done()?;
    let left = stage.host().run(["ls", "/var/lib/cni/networks/net"]).ok()?;
    assert_eq!(left, "last_reserved_ip.0\nlast_reserved_ip.1\nlock\n");
    Ok(())
}

#[test]
fn data_dir_is_where_the_leases_are() -> Test {
    let stage = Stage::new("data-dir")?;
    let ipam = with(one_range(json!({"subnet": "10.1.0.0/24"})), json!({"dataDir": "/run/leases"}));
    call(&stage, &ipam, "c1").add().result()?;
    assert_eq!(stage.host().read_file("/run/leases/net/10.1.0.2")?, "c1\r\neth0");
    stage.host().sh("test ! -e /var/lib/cni/networks").ok()?;
    call(&stage, &ipam, "c1").del().done()?;
    stage.host().sh("test ! -e /run/leases/net/10.1.0.2").ok()?;
    Ok(())
}

#[test]
fn addresses_go_round_before_one_is_given_again() -> Test {
    let stage = Stage::new("round")?;
    let ipam = one_range(json!({"subnet": "10.1.0.0/29"}));
    let mut given = Vec::new();
    for number in 0..7 {
        let call = call(&stage, &ipam, &format!("c{number}"));
        given.push(plain(&call.add().result()?["ips"][0]["address"]));
        call.del().done()?;
    }
    let expected = [2, 3, 4, 5, 6, 2, 3].map(|number| format!("10.1.0.{number}/29"));
    assert_eq!(given, expected);
    Ok(())
}

#[test]
fn a_range_is_from_its_start_to_its_end_without_the_gateway() -> Test {
    let stage = Stage::new("bounds")?;
    let range = json!({"subnet": "10.1.0.0/24", "rangeStart": "10.1.0.9", "rangeEnd": "10.1.0.12", "gateway": "10.1.0.10"});
    assert_eq!(
        addresses(&stage, &one_range(range.clone()), 3)?,
        ["10.1.0.9/24", "10.1.0.11/24", "10.1.0.12/24"]
    );
    call(&stage, &one_range(range), "late").add().error(11, &["10.1.0.9", "10.1.0.12"])?;
    Ok(())
}

#[test]
fn podmans_range_that_ends_with_the_broadcast_address_is_one_without_it() -> Test {
    let stage = Stage::new("podman")?;
    let range = json!({"subnet": "10.91.0.0/29", "rangeStart": "10.91.0.5", "rangeEnd": "10.91.0.7", "gateway": "10.91.0.1"});
    assert_eq!(addresses(&stage, &one_range(range.clone()), 2)?, ["10.91.0.5/29", "10.91.0.6/29"]);
    // Nobody could talk to a container that has the broadcast address.
    call(&stage, &one_range(range), "late").add().error(11, &["10.91.0.5"])?;
    Ok(())
}

#[test]
fn a_set_of_ranges_is_one_pool_and_each_set_gives_one_address() -> Test {
    let stage = Stage::new("sets")?;
    let ipam = json!({"ranges": [
        [{"subnet": "10.1.0.0/30"}, {"subnet": "10.2.0.0/30"}],
        [{"subnet": "fd00:1::/126"}],
    ]});
    let given = addresses(&stage, &ipam, 2)?;
    assert_eq!(given, ["10.1.0.2/30 fd00:1::2/126", "10.2.0.2/30 fd00:1::3/126"]);
    // The IPv6 set is exhausted, so no IPv4 address may be lost to the attempt.
    call(&stage, &ipam, "late").add().error(11, &[])?;
    let left = stage.host().sh("ls /var/lib/cni/networks/net | grep -c '^[1f]'").ok()?;
    assert_eq!(left, "4\n");
    Ok(())
}

#[test]
fn the_old_form_and_the_runtimes_ranges_come_first() -> Test {
    let stage = Stage::new("order")?;
    let ipam = json!({
        "subnet": "10.1.0.0/24", "rangeStart": "10.1.0.50", "gateway": "10.1.0.254",
        "ranges": [[{"subnet": "10.2.0.0/24"}]],
    });
    let runtime = json!({"ipRanges": [[{"subnet": "10.3.0.0/24", "rangeStart": "10.3.0.7"}]]});
    let result = call(&stage, &ipam, "c1").with("runtimeConfig", runtime).add().result()?;
    let ips: Vec<_> =
        result["ips"].as_array().into_iter().flatten().map(|ip| plain(&ip["address"])).collect();
    assert_eq!(ips, ["10.3.0.7/24", "10.1.0.50/24", "10.2.0.2/24"]);
    assert_eq!(result["ips"][1]["gateway"], "10.1.0.254");
    Ok(())
}

#[test]
fn an_address_may_be_asked_for_in_three_ways() -> Test {
    let stage = Stage::new("wishes")?;
    let ipam = json!({"ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "fd00:1::/64"}]]});
    let first = call(&stage, &ipam, "c1").args("IP=10.1.0.70").add().result()?;
    assert_eq!(first["ips"][0]["address"], "10.1.0.70/24");
    assert_eq!(first["ips"][1]["address"], "fd00:1::2/64");
    let ips = json!({"cni": {"ips": ["10.1.0.71", "fd00:1::71"]}});
    let second = call(&stage, &ipam, "c2").with("args", ips).add().result()?;
    assert_eq!(second["ips"][1]["address"], "fd00:1::71/64");
    let ips = json!({"ips": ["fd00:1::72/64", "10.1.0.72"]});
    let third =
        call(&stage, &ipam, "c3").with("runtimeConfig", ips).args("K8S=1;IgnoreUnknown=1").add().result()?;
    assert_eq!(third["ips"][0]["address"], "10.1.0.72/24");
    assert_eq!(third["ips"][1]["address"], "fd00:1::72/64");
    // What was asked for does not lose its place to what comes after.
    let fourth = call(&stage, &ipam, "c4").add().result()?;
    assert_eq!(fourth["ips"][0]["address"], "10.1.0.73/24");
    Ok(())
}

#[test]
fn an_address_that_cannot_be_had_is_named() -> Test {
    let stage = Stage::new("refusals")?;
    let ipam = one_range(json!({"subnet": "10.1.0.0/24", "rangeEnd": "10.1.0.99"}));
    call(&stage, &ipam, "c1").args("IP=10.1.0.70").add().result()?;
    for wish in ["10.1.0.70", "10.1.0.1", "10.1.0.200", "10.9.0.1", "fd00::1"] {
        let text = call(&stage, &ipam, "c2").args(&format!("IP={wish}")).add().any_error()?;
        assert!(text.contains(wish), "{text}");
    }
    let text = call(&stage, &ipam, "c2").args("IP=one").add().any_error()?;
    assert!(text.contains("IP") && text.contains("one"), "{text}");
    let both = json!({"ips": ["10.1.0.80", "10.1.0.81"]});
    let text = call(&stage, &ipam, "c2").with("runtimeConfig", both).add().any_error()?;
    assert!(text.contains("10.1.0.81") || text.contains("10.1.0.80"), "{text}");
    assert_eq!(stage.host().sh("ls /var/lib/cni/networks/net | grep ^10").ok()?, "10.1.0.70\n");
    Ok(())
}

#[test]
fn a_second_add_for_the_same_interface_is_refused_but_not_for_another() -> Test {
    let stage = Stage::new("second")?;
    let ipam = one_range(json!({"subnet": "10.1.0.0/24"}));
    call(&stage, &ipam, "c1").add().result()?;
    let text = call(&stage, &ipam, "c1").add().any_error()?;
    assert!(text.contains("c1") && text.contains("10.1.0.2"), "{text}");
    let other = call(&stage, &ipam, "c1").interface("eth1").add().result()?;
    assert_eq!(other["ips"][0]["address"], "10.1.0.3/24");
    call(&stage, &ipam, "c1").interface("eth1").del().done()?;
    assert_eq!(stage.host().sh("ls /var/lib/cni/networks/net | grep ^10").ok()?, "10.1.0.2\n");
    Ok(())
}

#[test]
fn two_addresses_of_a_family_need_0_3_0() -> Test {
    let stage = Stage::new("families")?;
    let ipam =
        json!({"type": "host-local", "ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "10.2.0.0/24"}]]});
    let config = with(host_local(), json!({ "ipam": ipam }));
    let call = |version| {
        stage.call("host-local", &in_version(config.clone(), version)).id("c1").netns("/x").interface("eth0")
    };
    for version in ["0.1.0", "0.2.0"] {
        call(version).add().error(7, &["ipam.ranges", version])?;
    }
    call("0.3.0").add().result()?;
    Ok(())
}

#[test]
fn check_wants_the_lease_that_add_has_made() -> Test {
    let stage = Stage::new("check")?;
    let ipam = one_range(json!({"subnet": "10.1.0.0/24"}));
    let call = call(&stage, &ipam, "c1");
    call.check().any_error()?;
    let result = call.add().result()?;
    let call = call.after(&result);
    call.check().done()?;
    call.clone().without("CNI_ARGS").check().done()?;
    stage.host().sh("cd /var/lib/cni/networks/net; mv 10.1.0.2 10.1.0.3").ok()?;
    let text = call.check().any_error()?;
    assert!(text.contains("10.1.0.2"), "{text}");
    Ok(())
}

#[test]
fn del_releases_whatever_became_of_the_ranges() -> Test {
    let stage = Stage::new("ranges")?;
    let ipam = one_range(json!({"subnet": "10.1.0.0/24"}));
    for (index, other) in
        [one_range(json!({"subnet": "10.2.0.0/24"})), json!({}), one_range(json!({"subnet": "x"}))]
            .iter()
            .enumerate()
    {
        let id = format!("c{index}");
        call(&stage, &ipam, &id).add().result()?;
        call(&stage, other, &id).del().done()?;
    }
    assert_eq!(stage.host().sh("ls /var/lib/cni/networks/net | grep ^10 || true").ok()?, "");
    Ok(())
}

#[test]
fn leases_of_the_old_form_belong_to_the_container() -> Test {
    let stage = Stage::new("old-form")?;
    let ipam = one_range(json!({"subnet": "10.1.0.0/24"}));
    stage.host().write_file("/var/lib/cni/networks/net/10.1.0.2", "c1")?;
    stage.host().write_file("/var/lib/cni/networks/net/10.1.0.3", "c9\n")?;
    call(&stage, &ipam, "c1").check().done()?;
    assert_eq!(addresses(&stage, &ipam, 1)?, ["10.1.0.4/24"]);
    call(&stage, &ipam, "c1").del().done()?;
    assert_eq!(stage.host().sh("ls /var/lib/cni/networks/net | grep ^10").ok()?, "10.1.0.3\n10.1.0.4\n");
    Ok(())
}

#[test]
fn a_torn_lease_file_is_no_end_of_the_world() -> Test {
    let stage = Stage::new("torn")?;
    let ipam = one_range(json!({"subnet": "10.1.0.0/30"}));
    stage.host().sh("mkdir -p /var/lib/cni/networks/net; cd /var/lib/cni/networks/net; : >10.1.0.2; : >notes; echo x >last_reserved_ip.0").ok()?;
    // Its writer may still be at it, hence not at once; but a file from before the boot has none.
    call(&stage, &ipam, "c1").add().error(11, &["10.1.0"])?;
    stage.host().sh("touch -d 2001-01-01 /var/lib/cni/networks/net/10.1.0.2").ok()?;
    assert_eq!(addresses(&stage, &ipam, 1)?, ["10.1.0.2/30"]);
    assert_eq!(stage.host().sh("ls /var/lib/cni/networks/net | grep notes").ok()?, "notes\n");
    Ok(())
}

#[test]
fn gc_frees_the_leases_of_those_who_are_gone() -> Test {
    let stage = Stage::new("gc")?;
    let ipam = one_range(json!({"subnet": "10.1.0.0/24"}));
    let containers = stage.containers("c", 4)?;
    addresses(&stage, &ipam, 4)?;
    call(&stage, &ipam, "c1").interface("eth1").add().result()?;
    call(&stage, &ipam, "c0").gc(&[&containers[1], &containers[3]]).done()?;
    assert_eq!(stage.host().sh("ls /var/lib/cni/networks/net | grep ^10").ok()?, "10.1.0.3\n10.1.0.5\n");
    // CRI-O writes null when there is nobody.
    call(&stage, &ipam, "c0").with("cni.dev/valid-attachments", Value::Null).run("GC").done()?;
    assert_eq!(stage.host().sh("ls /var/lib/cni/networks/net | grep ^10 || true").ok()?, "");
    Ok(())
}

#[test]
fn gc_without_a_list_removes_nothing() -> Test {
    let stage = Stage::new("no-list")?;
    let ipam = one_range(json!({"subnet": "10.1.0.0/24"}));
    addresses(&stage, &ipam, 2)?;
    call(&stage, &ipam, "c0").run("GC").error(7, &["cni.dev/valid-attachments"])?;
    let bad = json!([{"containerID": "../c0", "ifname": "eth0"}]);
    let answer = call(&stage, &ipam, "c0").with("cni.dev/valid-attachments", bad).run("GC");
    let text = answer.any_error()?;
    assert!(text.contains("cni.dev/valid-attachments[0].containerID") && text.contains("../c0"), "{text}");
    assert_eq!(stage.host().sh("ls /var/lib/cni/networks/net | grep -c ^10").ok()?, "2\n");
    Ok(())
}

#[test]
fn status_tells_when_the_pool_is_exhausted() -> Test {
    let stage = Stage::new("exhausted")?;
    let ipam = one_range(json!({"subnet": "10.1.0.0/30"}));
    call(&stage, &ipam, "c0").status().done()?;
    addresses(&stage, &ipam, 1)?;
    call(&stage, &ipam, "c0").status().error(50, &["net", "10.1.0"])?;
    call(&stage, &ipam, "late").add().error(11, &["10.1.0"])?;
    // The bridge hands its delegate's answer on.
    let config = with(host_local(), json!({"ipam": with(ipam.clone(), json!({"type": "host-local"}))}));
    stage.call("bridge", &config).status().error(50, &["10.1.0"])?;
    call(&stage, &ipam, "c0").del().done()?;
    call(&stage, &ipam, "c0").status().done()?;
    Ok(())
}

#[test]
fn a_data_folder_that_cannot_be_written_is_an_io_error() -> Test {
    let stage = Stage::new("unwritable")?;
    stage.host().write_file("/run/leases", "a file, no folder")?;
    let ipam = with(one_range(json!({"subnet": "10.1.0.0/24"})), json!({"dataDir": "/run/leases"}));
    call(&stage, &ipam, "c1").add().error(5, &["/run/leases"])?;
    call(&stage, &ipam, "c1").status().error(50, &["/run/leases"])?;
    Ok(())
}

#[test]
fn hints_may_vanish_at_any_time() -> Test {
    let stage = Stage::new("hints")?;
    let ipam = one_range(json!({"subnet": "10.1.0.0/24"}));
    addresses(&stage, &ipam, 3)?;
    stage.host().sh("rm -rf /run/netctl").ok()?;
    call(&stage, &ipam, "c1").del().done()?;
    stage.host().sh("find /run/netctl -type f -exec sh -c 'echo nonsense >\"$1\"' _ {} \\;").ok()?;
    call(&stage, &ipam, "c2").del().done()?;
    let again = call(&stage, &ipam, "c3").add().result()?;
    assert_eq!(again["ips"][0]["address"], "10.1.0.5/24");
    // Somebody else's hand on the files is noticed.
    stage
        .host()
        .sh("rm /var/lib/cni/networks/net/10.1.0.5; printf 'x\\r\\neth0' >/var/lib/cni/networks/net/10.1.0.6")
        .ok()?;
    let next = call(&stage, &ipam, "c4").add().result()?;
    assert_eq!(next["ips"][0]["address"], "10.1.0.7/24");
    call(&stage, &ipam, "x").del().done()?;
    stage.host().sh("test ! -e /var/lib/cni/networks/net/10.1.0.6").ok()?;
    Ok(())
}
