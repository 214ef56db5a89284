//! Each system call of an ADD and of a DEL fails once, and at each the plugin is killed once.
//!
//! A failed ADD leaves the host as it was without anybody's help. A killed one is cleaned up by DEL, as runtimes
//! call it then; a failed or killed DEL by the next DEL.

use lab::faults::{Fault, Point, Strace};
use serde_json::{Value, json};
use tests::config::{dual, v4, with};
use tests::disturb::{ERROR, assert_add_told, assert_told, assert_untouched, disturb, points};
use tests::{Allowed, Before, Stage, Surprise, Test, facts};

/// A network with everything that leaves something on a host.
fn everything() -> Value {
    with(dual(), json!({"ipMasq": true, "macspoofchk": true, "hairpinMode": true, "isDefaultGateway": true}))
}

fn warm_up(stage: &Stage, config: &Value) -> Test {
    let first = stage.container("first")?;
    let call = stage.call("bridge", config).of(&first);
    call.add().result()?;
    call.del().done()?;
    Ok(())
}

/// Fails each call of an ADD in turn.
fn fail_each_call_of_add(config: &Value) -> Test {
    let stage = Stage::new("failing")?;
    let Some(strace) = Strace::require(stage.host()) else { return Ok(()) };
    warm_up(&stage, config)?;
    let container = stage.container("web")?;
    let call = stage.call("bridge", config).of(&container);
    let before = Before::of(&stage)?;
    let points = points(&stage, &strace, &call, "ADD")?;
    call.del().done()?;
    assert_untouched(&before, &container, "undisturbed")?;
    for point in &points {
        let disturbed = disturb(&stage, &strace, (&call, "ADD"), point, ERROR)?;
        let context = format!("{point}: {}", disturbed.outcome);
        assert_add_told(point, &disturbed, &call)?;
        if disturbed.outcome.succeeded() {
            // What went another way and succeeded must be whole.
            assert!(facts::pings(&container, "10.1.0.1"), "{context}");
            call.del().done()?;
        }
        assert_untouched(&before, &container, &context)?;
    }
    call.add().result()?;
    assert!(facts::pings(&container, "10.1.0.1"));
    Ok(())
}

#[test]
fn an_add_that_fails_leaves_nothing() -> Test {
    fail_each_call_of_add(&v4())
}

#[test]
fn an_add_with_everything_that_fails_leaves_nothing() -> Test {
    fail_each_call_of_add(&everything())
}

#[test]
fn the_first_add_of_a_host_that_fails_leaves_no_bridge() -> Test {
    let counting = Stage::new("counting")?;
    let Some(strace) = Strace::require(counting.host()) else { return Ok(()) };
    let container = counting.container("web")?;
    let call = counting.call("bridge", &everything()).of(&container);
    let points = points(&counting, &strace, &call, "ADD")?;
    // Each needs a host of its own, so this looks at those that speak to the kernel only.
    for point in points.iter().filter(|point| point.syscall.starts_with("send")) {
        let stage = Stage::new("first")?;
        let container = stage.container("web")?;
        let call = stage.call("bridge", &everything()).of(&container);
        let before = Before::of(&stage)?;
        let disturbed = disturb(&stage, &strace, (&call, "ADD"), point, ERROR)?;
        assert_told(point, &disturbed)?;
        let allowed = if disturbed.outcome.succeeded() {
            call.del().done()?;
            Allowed::Network(tests::config::BRIDGE)
        } else {
            Allowed::Constants
        };
        let changes = before.changes(allowed)?;
        assert!(changes.is_empty(), "{point}: {}: {changes:#?}", disturbed.outcome);
    }
    Ok(())
}

#[test]
fn the_first_add_of_a_host_that_is_killed_leaves_no_bridge_after_gc() -> Test {
    let counting = Stage::new("counting")?;
    let Some(strace) = Strace::require(counting.host()) else { return Ok(()) };
    let container = counting.container("web")?;
    let call = counting.call("bridge", &v4()).of(&container);
    let points = points(&counting, &strace, &call, "ADD")?;
    for point in points.iter().filter(|point| point.syscall.starts_with("send")) {
        let stage = Stage::new("first")?;
        let container = stage.container("web")?;
        let call = stage.call("bridge", &v4()).of(&container);
        let before = Before::of(&stage)?;
        disturb(&stage, &strace, (&call, "ADD"), point, Fault::Kill)?;
        call.del().done()?;
        call.gc(&[]).done()?;
        let changes = before.changes(Allowed::Forwarding)?;
        assert!(changes.is_empty(), "{point}: {changes:#?}");
    }
    Ok(())
}

/// Kills at each call of an ADD in turn; DEL cleans up.
fn kill_at_each_call_of_add(config: &Value, knows_namespace: bool) -> Test {
    let stage = Stage::new("killing")?;
    let Some(strace) = Strace::require(stage.host()) else { return Ok(()) };
    warm_up(&stage, config)?;
    let container = stage.container("web")?;
    let call = stage.call("bridge", config).of(&container);
    let before = Before::of(&stage)?;
    let points = points(&stage, &strace, &call, "ADD")?;
    call.del().done()?;
    for point in &points {
        disturb(&stage, &strace, (&call, "ADD"), point, Fault::Kill)?;
        let clean = if knows_namespace { call.clone() } else { call.clone().without("CNI_NETNS") };
        if let Err(error) = clean.del().done() {
            return Err(Surprise::new(point.to_string(), error).into());
        }
        assert_untouched(&before, &container, &point.to_string())?;
    }
    call.gc(&[]).done()?;
    call.add().result()?;
    Ok(())
}

#[test]
fn an_add_that_is_killed_is_cleaned_up_by_del() -> Test {
    kill_at_each_call_of_add(&everything(), true)
}

#[test]
fn an_add_that_is_killed_is_cleaned_up_by_a_del_that_knows_no_namespace() -> Test {
    kill_at_each_call_of_add(&v4(), false)
}

#[test]
fn an_add_that_is_killed_is_cleaned_up_by_gc() -> Test {
    let stage = Stage::new("collecting")?;
    let Some(strace) = Strace::require(stage.host()) else { return Ok(()) };
    let config = everything();
    let kept = stage.container("kept")?;
    let container = stage.container("web")?;
    stage.call("bridge", &config).of(&kept).add().result()?;
    let before = Before::of(&stage)?;
    let call = stage.call("bridge", &config).of(&container);
    let points = points(&stage, &strace, &call, "ADD")?;
    call.del().done()?;
    let speaking = |point: &&Point| {
        ["sendto", "sendmsg", "linkat", "write", "clone3", "clone"].contains(&point.syscall.as_str())
    };
    for point in points.iter().filter(speaking) {
        disturb(&stage, &strace, (&call, "ADD"), point, Fault::Kill)?;
        call.gc(&[&kept]).done()?;
        assert_untouched(&before, &container, &point.to_string())?;
    }
    Ok(())
}

/// Disturbs each call of a DEL in turn; another DEL cleans up.
fn disturb_each_call_of_del(fault: Fault) -> Test {
    let stage = Stage::new("undone")?;
    let Some(strace) = Strace::require(stage.host()) else { return Ok(()) };
    let config = everything();
    warm_up(&stage, &config)?;
    let container = stage.container("web")?;
    let call = stage.call("bridge", &config).of(&container);
    let before = Before::of(&stage)?;
    call.add().result()?;
    let points = points(&stage, &strace, &call, "DEL")?;
    for point in &points {
        call.add().result()?;
        let disturbed = disturb(&stage, &strace, (&call, "DEL"), point, fault)?;
        let context = format!("{point}: {}", disturbed.outcome);
        if disturbed.outcome.code() == Some(1) {
            let said: Value = serde_json::from_str(disturbed.outcome.stdout())
                .map_err(|error| Surprise::new(error.to_string(), &context))?;
            assert!(said["msg"].is_string(), "{context}");
        }
        if disturbed.outcome.succeeded() {
            // Who says that all is done must have done it all.
            assert_untouched(&before, &container, &context)?;
        }
        if let Err(error) = call.del().done() {
            return Err(Surprise::new(context, error).into());
        }
        assert_untouched(&before, &container, &context)?;
    }
    Ok(())
}

#[test]
fn a_del_that_fails_is_made_good_by_the_next() -> Test {
    disturb_each_call_of_del(ERROR)
}

#[test]
fn a_del_that_is_killed_is_made_good_by_the_next() -> Test {
    disturb_each_call_of_del(Fault::Kill)
}

#[test]
fn gc_that_fails_is_made_good_by_the_next() -> Test {
    let stage = Stage::new("collecting")?;
    let Some(strace) = Strace::require(stage.host()) else { return Ok(()) };
    let config = everything();
    let container = stage.container("web")?;
    let before = Before::of(&stage)?;
    let call = stage.call("bridge", &config).of(&container);
    let gc = call.clone().with("cni.dev/valid-attachments", json!([]));
    call.add().result()?;
    let points = points(&stage, &strace, &gc, "GC")?;
    let speaking = |point: &&Point| {
        ["sendto", "sendmsg", "unlink", "unlinkat", "socket"].contains(&point.syscall.as_str())
    };
    for point in points.iter().filter(speaking) {
        call.add().result()?;
        disturb(&stage, &strace, (&gc, "GC"), point, ERROR)?;
        gc.run("GC").done()?;
        let changes = before.changes(Allowed::Forwarding)?;
        assert!(changes.is_empty(), "{point}: {changes:#?}");
    }
    Ok(())
}
