//! Each system call of the plugin `firewall` fails once, and at each it is killed once.
//!
//! A failed ADD leaves the host as it was; a killed one is cleaned up by DEL, a failed or killed DEL by the next DEL,
//! which need not be told anything; a failed or killed GC by the next GC.

use lab::faults::{Fault, Point, Strace};
use lab::{Host, Place};
use serde_json::{Value, json};
use tests::config::{dual, with};
use tests::disturb::is_harmless;
use tests::facts::ruleset;
use tests::{Call, Stage, Test};

/// A host that drops what it forwards, by iptables and by nftables.
const DROPS: &str = "iptables -P FORWARD DROP; ip6tables -P FORWARD DROP; nft -f - <<END
table inet strict { chain forward { type filter hook forward priority 0; policy drop
} ; } ;\nEND";

fn config() -> Value {
    json!({"cniVersion": "1.1.0", "name": "net", "type": "firewall", "ingressPolicy": "same-bridge"})
}

fn result() -> Value {
    json!({
        "cniVersion": "1.1.0",
        "interfaces": [{"name": "br0"}, {"name": "veth1"}, {"name": "eth0", "sandbox": "/run/netns/web"}],
        "ips": [{"address": "10.1.0.2/24", "interface": 2}, {"address": "fd00:1::2/64", "interface": 2}],
    })
}

/// What a container leaves: its rules and elements, and its notes.
fn traces(host: &Host) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let text = ruleset(host)?;
    let rules = text.lines().filter(|line| {
        ["10.1.0.2", "fd00:1::2", "netctl_forward", "netctl: ", "br0"].iter().any(|mark| line.contains(mark))
    });
    let notes = host.sh("find /run/netctl/firewall -type l 2>/dev/null || true").ok()?;
    Ok(rules.chain(notes.lines()).map(|line| line.trim().to_owned()).collect())
}

fn points(
    stage: &Stage,
    strace: &Strace,
    call: &Call<'_>,
    verb: &str,
) -> Result<Vec<Point>, Box<dyn std::error::Error>> {
    let points = strace.points(stage.host(), &call.command(verb))?;
    let points: Vec<_> = points.into_iter().filter(|point| !is_harmless(point)).collect();
    assert!(points.iter().filter(|point| point.syscall.starts_with("send")).count() > 10, "{points:?}");
    Ok(points)
}

/// An ADD without anybody before it, so that it makes what all containers share, too.
fn disturb_add(fault: Fault) -> Test {
    let stage = Stage::new("adds")?;
    let Some(strace) = Strace::require(stage.host()) else { return Ok(()) };
    stage.host().sh(DROPS).ok()?;
    let web = stage.container("web")?;
    let call = stage.call("firewall", &config()).of(&web).after(&result());
    let untold = call.clone().without("CNI_NETNS").with("prevResult", Value::Null);
    // What Debian's iptables would have made first.
    let clean = || -> Test {
        untold.del().done()?;
        stage.host().sh("iptables -F; iptables -X; ip6tables -F; ip6tables -X").ok()?;
        Ok(())
    };
    clean()?;
    let all = points(&stage, &strace, &call, "ADD")?;
    assert!(traces(stage.host())?.len() > 15, "{:#?}", traces(stage.host())?);
    clean()?;
    for point in &all {
        assert_eq!(traces(stage.host())?, Vec::<String>::new(), "before {point}");
        let disturbed = strace.inject(stage.host(), &call.command("ADD"), point, fault)?;
        let outcome = &disturbed.outcome;
        let was_told = !outcome.stdout().is_empty();
        if outcome.succeeded() {
            call.check().done()?;
        } else if was_told {
            assert_eq!(traces(stage.host())?, Vec::<String>::new(), "{point}: {outcome}");
        }
        clean()?;
    }
    Ok(())
}

fn disturb_del(fault: Fault) -> Test {
    let stage = Stage::new("dels")?;
    let Some(strace) = Strace::require(stage.host()) else { return Ok(()) };
    stage.host().sh(DROPS).ok()?;
    let web = stage.container("web")?;
    let call = stage.call("firewall", &config()).of(&web).after(&result());
    let untold = call.clone().without("CNI_NETNS").with("prevResult", Value::Null);
    call.add().result()?;
    let all = points(&stage, &strace, &untold, "DEL")?;
    for point in &all {
        call.add().result()?;
        let disturbed = strace.inject(stage.host(), &untold.command("DEL"), point, fault)?;
        if disturbed.outcome.succeeded() {
            assert_eq!(traces(stage.host())?, Vec::<String>::new(), "{point}: {}", disturbed.outcome);
        }
        untold.del().done()?;
        assert_eq!(traces(stage.host())?, Vec::<String>::new(), "{point}: {}", disturbed.outcome);
    }
    Ok(())
}

#[test]
fn an_add_that_fails_anywhere_leaves_nothing() -> Test {
    disturb_add(Fault::Error("ENOMEM"))
}

#[test]
fn an_add_that_is_killed_anywhere_is_cleaned_up_by_del() -> Test {
    disturb_add(Fault::Kill)
}

#[test]
fn a_del_that_fails_anywhere_is_completed_by_the_next() -> Test {
    disturb_del(Fault::Error("ENOMEM"))
}

#[test]
fn a_del_that_is_killed_anywhere_is_completed_by_the_next() -> Test {
    disturb_del(Fault::Kill)
}

fn disturb_gc(fault: Fault) -> Test {
    let stage = Stage::new("gcs")?;
    let Some(strace) = Strace::require(stage.host()) else { return Ok(()) };
    let web = stage.container("web")?;
    let call = stage.call("firewall", &config()).of(&web).after(&result());
    let collecting = call.clone().with("cni.dev/valid-attachments", json!([]));
    call.add().result()?;
    let all = points(&stage, &strace, &collecting, "GC")?;
    for point in &all {
        assert_eq!(ruleset(stage.host())?, "", "before {point}");
        call.add().result()?;
        let disturbed = strace.inject(stage.host(), &collecting.command("GC"), point, fault)?;
        if !disturbed.outcome.succeeded() {
            collecting.run("GC").done()?;
        }
    }
    assert_eq!(ruleset(stage.host())?, "");
    Ok(())
}

#[test]
fn a_gc_that_fails_anywhere_is_completed_by_the_next() -> Test {
    disturb_gc(Fault::Error("ENOMEM"))
}

#[test]
fn a_gc_that_is_killed_anywhere_is_completed_by_the_next() -> Test {
    disturb_gc(Fault::Kill)
}

#[test]
fn what_a_kill_leaves_of_masquerade_by_iptables_is_taken_by_gc() -> Test {
    let stage = Stage::new("masquerade")?;
    let Some(strace) = Strace::require(stage.host()) else { return Ok(()) };
    let web = stage.container("web")?;
    let config = with(dual(), json!({"ipMasq": true, "ipMasqBackend": "iptables"}));
    let call = stage.call("bridge", &config).of(&web);
    for verb in ["ADD", "DEL"] {
        let prepare = || -> Test {
            if verb == "DEL" {
                call.add().result()?;
            }
            Ok(())
        };
        prepare()?;
        let mut all = points(&stage, &strace, &call, verb)?;
        // Those at which no other program is under way that would go on.
        all.retain(|point| point.syscall.starts_with("send"));
        for point in &all {
            call.del().done()?;
            call.gc(&[]).done()?;
            assert_eq!(ruleset(stage.host())?, "", "before {point} of {verb}");
            prepare()?;
            strace.inject(stage.host(), &call.command(verb), point, Fault::Kill)?;
            call.gc(&[]).done()?;
            assert_eq!(ruleset(stage.host())?, "", "{point} of {verb}");
        }
    }
    Ok(())
}
