//! What is closed by DEL and GC, what the reference made among it, and what is refused.

use crate::scene::{Attached, POLICY, STRICT, WITHIN, firewall, notes, saved, without_counters};
use lab::Place;
use serde_json::{Value, json};
use tests::config::{dual, with};
use tests::facts::ruleset;
use tests::{Allowed, Before, Stage, Test, programs};

#[test]
fn what_the_reference_opened_we_close_and_the_reverse() -> Test {
    let Some(_) = programs::reference("firewall") else { return Ok(()) };
    let stage = Stage::new("mixed")?;
    let other = Attached::by_bridge(&stage, "other", json!({}))?;
    other.reference("ADD")?;
    let empty = saved(&stage)?;
    let web = Attached::by_bridge(&stage, "web", json!({"backend": "iptables"}))?;
    web.reference("ADD")?;
    web.call()
        .check()
        .error(100, &["--ctstate DNAT", "is missing"])
        .or_else(|_| web.call().check().error(100, &["--ctstate DNAT", "are missing"]))?;
    web.call().del().done()?;
    assert_eq!(saved(&stage)?, empty);
    web.call().add().result()?;
    web.reference("CHECK")?;
    web.reference("DEL")?;
    let left = saved(&stage)?;
    let left: Vec<_> = left.iter().filter(|line| !line.contains("--ctstate DNAT")).collect();
    assert_eq!(left, empty.iter().collect::<Vec<_>>());
    // What it does not know goes with GC.
    stage.call("firewall", &web.config).gc(&[]).done()?;
    assert_eq!(saved(&stage)?, empty);
    Ok(())
}

#[test]
fn del_needs_neither_the_result_nor_the_namespace() -> Test {
    for drops in [POLICY, STRICT] {
        let stage = Stage::new("forgetful")?;
        stage.host().sh(drops).ok()?;
        let [one, two] = ["one", "two"].map(|name| Attached::by_bridge(&stage, name, json!({})));
        let (one, two) = (one?, two?);
        two.call().add().result()?;
        let before = ruleset(stage.host())?;
        one.call().add().result()?;
        assert!(ruleset(stage.host())?.contains("10.1.0.2"));
        one.container.vanish(&stage)?;
        for _ in 0..2 {
            one.call().without("CNI_NETNS").with("prevResult", Value::Null).del().done()?;
            assert_eq!(without_counters(&ruleset(stage.host())?), without_counters(&before));
        }
        two.call().check().done()?;
        assert!(!notes(&stage)?.contains("one"));
    }
    Ok(())
}

#[test]
fn a_late_del_does_not_close_the_way_of_whoever_has_the_address_now() -> Test {
    let stage = Stage::new("late")?;
    stage.host().sh(POLICY).ok()?;
    let early = Attached::by_bridge(&stage, "early", json!({}))?;
    early.call().add().result()?;
    // The address is leased anew before the runtime calls DEL a second time.
    stage.call("bridge", &dual()).of(&early.container).del().done()?;
    stage.host().sh("rm -f /var/lib/cni/networks/net/last_reserved_ip.*").ok()?;
    let late = Attached::by_bridge(&stage, "late", json!({}))?;
    assert_eq!(late.address(0), early.address(0));
    late.call().add().result()?;
    early.call().del().done()?;
    late.call().check().done()?;
    late.call().del().done()?;
    assert_eq!(notes(&stage)?, "");
    Ok(())
}

#[test]
fn gc_closes_the_way_of_everybody_who_is_not_valid() -> Test {
    for drops in [POLICY, STRICT] {
        let stage = Stage::new("collect")?;
        stage.host().sh(drops).ok()?;
        let all = ["kept", "lost", "gone"].map(|name| Attached::by_bridge(&stage, name, json!({})));
        let [kept, lost, gone] = all;
        let (kept, lost, gone) = (kept?, lost?, gone?);
        kept.call().add().result()?;
        let before = without_counters(&ruleset(stage.host())?);
        for attached in [&lost, &gone] {
            attached.call().add().result()?;
        }
        let foreign = with(firewall(json!({})), json!({"name": "foreign"}));
        stage.call("firewall", &foreign).gc(&[]).done()?;
        gone.call().check().done()?;
        stage.call("firewall", &kept.config).gc(&[&kept.container]).done()?;
        assert_eq!(without_counters(&ruleset(stage.host())?), before, "{drops}");
        kept.call().check().done()?;
        stage.call("firewall", &kept.config).gc(&[]).done()?;
        assert!(!ruleset(stage.host())?.contains("10.1.0.2 "));
        assert_eq!(notes(&stage)?, "");
    }
    Ok(())
}

#[test]
fn what_cannot_work_is_refused_before_anything_is_touched() -> Test {
    let stage = Stage::new("refused")?;
    let web = stage.container("web")?;
    let before = Before::of(&stage)?;
    let call = |more: Value| stage.call("firewall", &firewall(more)).of(&web);
    let result = json!({"cniVersion": "1.1.0", "ips": [{"address": "10.1.0.2/24"}]});
    call(json!({})).add().error(7, &["prevResult"])?;
    call(json!({})).check().error(7, &["prevResult"])?;
    let after = |more: Value| call(more).after(&result);
    after(json!({"backend": "ebtables"})).add().error(7, &["backend", "ebtables", "expected iptables"])?;
    after(json!({"ingressPolicy": "closed"})).add().error(7, &["ingressPolicy", "closed", "same-bridge"])?;
    after(json!({"iptablesAdminChainName": "FORWARD"})).add().error(7, &["iptablesAdminChainName"])?;
    after(json!({"ingressPolicy": "isolated"})).add().error(7, &["ingressPolicy isolated", "bridge"])?;
    after(json!({"backend": "firewalld"})).add().error(999, &["firewalld"])?;
    after(json!({"backend": "firewalld"})).status().error(50, &["firewalld"])?;
    after(json!({"cniVersion": "0.3.1"})).add().error(1, &["0.3.1", "0.4.0, 1.0.0, 1.1.0"])?;
    // Without addresses there is nothing to do; DEL of what never was is fine.
    let bare = json!({"cniVersion": "1.1.0", "interfaces": [{"name": "br0"}]});
    assert_eq!(call(json!({})).after(&bare).add().result()?, bare);
    call(json!({})).del().done()?;
    after(json!({})).del().done()?;
    assert_eq!(before.changes(Allowed::Books)?, Vec::<String>::new());
    Ok(())
}

#[test]
fn an_add_that_fails_half_way_leaves_nothing() -> Test {
    // An IPv6 address comes after an IPv4 one, and nobody may change a table that has an owner.
    let stage = Stage::new("halfway")?;
    let keeper = lab::Call::new(["nft", "-i"]);
    let mut keeper = lab::Background::start(stage.host(), &keeper)?;
    keeper.tell(
        "add table inet kept { flags owner; }\n\
         add chain inet kept forward { type filter hook forward priority 0; policy drop; }\nlist tables\n",
    )?;
    keeper.wait_for("table inet kept", WITHIN)?;
    let web = Attached::by_bridge(&stage, "web", json!({"ingressPolicy": "isolated"}))?;
    let other = Attached::by_bridge(&stage, "other", json!({"backend": "iptables"}))?;
    other.call().add().result()?;
    let ports = || stage.host().sh("bridge -d link show").ok();
    let ports_before = ports()?;
    let before = without_counters(&ruleset(stage.host())?);
    web.call()
        .add()
        .error(999, &["mynet", "flags owner"])
        .or_else(|_| web.call().add().error(999, &["net/web/eth0", "flags owner"]))?;
    assert_eq!(without_counters(&ruleset(stage.host())?), before);
    assert_eq!(ports()?, ports_before);
    assert!(!notes(&stage)?.contains("web"));
    other.call().check().done()?;
    Ok(())
}
