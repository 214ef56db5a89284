//! Each system call of portmap's ADD and DEL fails once, and at each the plugin is killed once.
//!
//! A failed ADD has changed nothing. A killed one is cleaned up by the DEL that runtimes call then, or by GC; a failed or
//! killed DEL by the next.

use lab::Place;
use lab::faults::{Fault, Point, Strace};
use serde_json::{Value, json};
use tests::config::{dual, portmap, with};
use tests::disturb::{ERROR, assert_add_told, disturb, points};
use tests::{Allowed, Before, Call, Container, Stage, Surprise, Test};

/// Ports of every kind.
fn everything() -> Value {
    portmap(&["8080:80", "8000-8005:9000-9005/udp", "127.0.0.1:8081:80", "10.1.0.1:8082:80/udp"])
}

/// A container with another beside it that has ports, too, and `portmap`'s call for it.
fn scene<'a>(stage: &'a Stage, config: &Value) -> Result<(Container, Call<'a>), Box<dyn std::error::Error>> {
    let other = stage.container("other")?;
    let attached = stage.call("bridge", &dual()).of(&other).add().result()?;
    let others = with(portmap(&["7000:70", "127.0.0.1:7001:70"]), json!({"backend": config["backend"]}));
    stage.call("portmap", &others).of(&other).after(&attached).add().result()?;
    let web = stage.container("web")?;
    let attached = stage.call("bridge", &dual()).of(&web).add().result()?;
    let call = stage.call("portmap", config).of(&web).after(&attached);
    // What stays as long as the links do: the port's hairpin mode.
    call.add().result()?;
    call.del().done()?;
    Ok((web, call))
}

fn assert_as_before(before: &Before<'_>, context: &str) -> Test {
    let changes = before.changes(Allowed::Books)?;
    assert!(changes.is_empty(), "{context}: {changes:#?}");
    Ok(())
}

fn fail_each_call_of_add(config: &Value) -> Test {
    let stage = Stage::new("failing")?;
    let Some(strace) = Strace::require(stage.host()) else { return Ok(()) };
    let (_web, call) = scene(&stage, config)?;
    let before = Before::of(&stage)?;
    let points = points(&stage, &strace, &call, "ADD")?;
    call.del().done()?;
    assert_as_before(&before, "undisturbed")?;
    for point in &points {
        let disturbed = disturb(&stage, &strace, (&call, "ADD"), point, ERROR)?;
        let context = format!("{point}: {}", disturbed.outcome);
        assert_add_told(point, &disturbed, &call)?;
        if disturbed.outcome.succeeded() {
            // What went another way and succeeded must be whole. A program of others that is disturbed may write nonsense
            // and be content, as iptables-restore is; that it is nonsense, CHECK says.
            match call.check().done() {
                Err(error) if !disturbed.hit_another => return Err(Surprise::new(context, error).into()),
                Ok(()) | Err(_) => {}
            }
            call.del().done()?;
        }
        assert_as_before(&before, &context)?;
    }
    call.add().result()?;
    call.check().done()?;
    Ok(())
}

#[test]
fn an_add_that_fails_leaves_nothing() -> Test {
    fail_each_call_of_add(&everything())
}

#[test]
fn an_add_with_iptables_that_fails_leaves_nothing() -> Test {
    fail_each_call_of_add(&with(everything(), json!({"backend": "iptables"})))
}

fn kill_at_each_call_of_add(config: &Value) -> Test {
    let stage = Stage::new("killing")?;
    let Some(strace) = Strace::require(stage.host()) else { return Ok(()) };
    let (_web, call) = scene(&stage, config)?;
    let before = Before::of(&stage)?;
    let points = points(&stage, &strace, &call, "ADD")?;
    call.del().done()?;
    // A runtime that knows nothing any more, which is the hard case.
    let blind =
        call.clone().without("CNI_NETNS").with("runtimeConfig", Value::Null).with("prevResult", Value::Null);
    for point in &points {
        disturb(&stage, &strace, (&call, "ADD"), point, Fault::Kill)?;
        if let Err(error) = blind.del().done() {
            return Err(Surprise::new(point.to_string(), error).into());
        }
        assert_as_before(&before, &point.to_string())?;
    }
    call.add().result()?;
    Ok(())
}

#[test]
fn an_add_that_is_killed_is_cleaned_up_by_a_del_that_knows_nothing() -> Test {
    kill_at_each_call_of_add(&everything())
}

#[test]
fn an_add_with_iptables_that_is_killed_is_cleaned_up_by_a_del_that_knows_nothing() -> Test {
    kill_at_each_call_of_add(&with(everything(), json!({"backend": "iptables"})))
}

#[test]
fn an_add_that_is_killed_is_cleaned_up_by_gc() -> Test {
    let stage = Stage::new("collecting")?;
    let Some(strace) = Strace::require(stage.host()) else { return Ok(()) };
    let (_web, call) = scene(&stage, &everything())?;
    let before = Before::of(&stage)?;
    let points = points(&stage, &strace, &call, "ADD")?;
    call.del().done()?;
    let other = json!([{"containerID": "other", "ifname": "eth0"}]);
    let gc = call.clone().with("cni.dev/valid-attachments", other);
    for point in points.iter().filter(|point| point.syscall.starts_with("send")) {
        disturb(&stage, &strace, (&call, "ADD"), point, Fault::Kill)?;
        gc.run("GC").done()?;
        assert_as_before(&before, &point.to_string())?;
    }
    Ok(())
}

fn disturb_each_call_of_del(config: &Value, fault: Fault) -> Test {
    let stage = Stage::new("undone")?;
    let Some(strace) = Strace::require(stage.host()) else { return Ok(()) };
    let (_web, call) = scene(&stage, config)?;
    let before = Before::of(&stage)?;
    call.add().result()?;
    let points: Vec<Point> = points(&stage, &strace, &call, "DEL")?;
    for point in &points {
        call.add().result()?;
        let disturbed = disturb(&stage, &strace, (&call, "DEL"), point, fault)?;
        let context = format!("{point}: {}", disturbed.outcome);
        if disturbed.outcome.succeeded() {
            assert_as_before(&before, &context)?;
        }
        if let Err(error) = call.del().done() {
            return Err(Surprise::new(context, error).into());
        }
        assert_as_before(&before, &context)?;
    }
    let rules = stage.host().sh("nft list ruleset").ok()?;
    assert!(rules.contains("7000"), "the other container's: {rules}");
    Ok(())
}

#[test]
fn a_del_that_fails_is_made_good_by_the_next() -> Test {
    disturb_each_call_of_del(&everything(), ERROR)
}

#[test]
fn a_del_that_is_killed_is_made_good_by_the_next() -> Test {
    disturb_each_call_of_del(&everything(), Fault::Kill)
}

#[test]
fn a_del_with_iptables_that_is_disturbed_is_made_good_by_the_next() -> Test {
    let config = with(everything(), json!({"backend": "iptables"}));
    disturb_each_call_of_del(&config, ERROR)?;
    disturb_each_call_of_del(&config, Fault::Kill)
}
