//! Each system call of `netctl create`, `connect`, `disconnect` and `rm` fails once.
//!
//! What failed has changed nothing, or is made good by the same words once more; and it says why. There are hundreds of calls:
//! a sample of them is tried every day, and all with `ALL_POINTS=1` in the environment.

use lab::faults::Point;
use tests::disturb::{ERROR, sample};
use tests::disturbed_line::{CONNECT, CREATE, DISCONNECT, Scene};
use tests::facts::addresses;
use tests::{Allowed, Before, Test};

/// So many points of a line are tried.
const MOST: usize = 90;

#[test]
fn a_create_that_fails_leaves_nothing() -> Test {
    let Some(scene) = Scene::new(&[])? else { return Ok(()) };
    let before = Before::of(scene.stage())?;
    let points = scene.points(CREATE)?;
    scene.then("rm mybr0", "undisturbed")?;
    for point in &sample(&points, MOST) {
        let attempt = scene.disturb(CREATE, point, ERROR)?;
        let context = &attempt.context;
        attempt.assert_told(point);
        if attempt.succeeded() || attempt.is_unheard() {
            let bridge = addresses(scene.stage().host(), "mybr0")?;
            assert_eq!(bridge, ["172.26.0.1/24", "fd00:26::1/64"], "{context}");
            scene.then("rm mybr0", context)?;
        }
        scene.assert_as(&before, context)?;
    }
    Ok(())
}

#[test]
fn a_connect_that_fails_leaves_nothing() -> Test {
    let Some(scene) = Scene::new(&[CREATE, CONNECT, DISCONNECT])? else { return Ok(()) };
    let before = Before::of(scene.stage())?;
    let points = scene.points(CONNECT)?;
    scene.then(DISCONNECT, "undisturbed")?;
    for point in &sample(&points, MOST) {
        let attempt = scene.disturb(CONNECT, point, ERROR)?;
        attempt.assert_told(point);
        if attempt.succeeded() {
            scene.assert_connected(&attempt.context)?;
            scene.then(DISCONNECT, &attempt.context)?;
        }
        scene.assert_as(&before, &attempt.context)?;
    }
    Ok(())
}

#[test]
fn a_disconnect_that_fails_is_made_good_by_the_next() -> Test {
    let Some(scene) = Scene::new(&[CREATE, CONNECT, DISCONNECT])? else { return Ok(()) };
    let before = Before::of(scene.stage())?;
    scene.then(CONNECT, "before")?;
    let points = scene.points(DISCONNECT)?;
    for point in &sample(&points, MOST) {
        scene.then(CONNECT, "before")?;
        let attempt = scene.disturb(DISCONNECT, point, ERROR)?;
        attempt.assert_told(point);
        if !attempt.succeeded() {
            scene.then_or(DISCONNECT, "is not connected", &attempt.context)?;
        }
        // Who says that all is done must have done it all.
        scene.assert_as(&before, &attempt.context)?;
    }
    Ok(())
}

#[test]
fn an_rm_that_fails_is_made_good_by_the_next() -> Test {
    let Some(scene) = Scene::new(&[CREATE, CONNECT])? else { return Ok(()) };
    let points = scene.points("rm -f mybr0")?;
    let before = Before::of(scene.stage())?;
    for point in &sample(&points, MOST) {
        scene.then(CREATE, "before")?;
        scene.then(CONNECT, "before")?;
        let attempt = scene.disturb("rm -f mybr0", point, ERROR)?;
        attempt.assert_told(point);
        if !attempt.succeeded() {
            scene.then("rm -f mybr0", &attempt.context)?;
        }
        scene.assert_as(&before, &attempt.context)?;
    }
    Ok(())
}

#[test]
fn an_rm_that_cannot_see_who_is_there_does_not_take_it_for_nobody() -> Test {
    let Some(scene) = Scene::new(&[CREATE, CONNECT])? else { return Ok(()) };
    let before = Before::of(scene.stage())?;
    let looking = [
        "open",
        "openat",
        "read",
        "getdents64",
        "fstat",
        "fstatfs",
        "stat",
        "setns",
        "socket",
        "clone",
        "recvfrom",
    ];
    for syscall in looking {
        for nth in 1.. {
            let point = Point { syscall: syscall.to_owned(), nth };
            let attempt = scene.disturb_if_met("rm mybr0", &point, ERROR)?;
            assert!(!attempt.succeeded(), "{}", attempt.context);
            let changes = before.changes(Allowed::Books)?;
            assert!(changes.is_empty(), "{}: {changes:#?}", attempt.context);
            if !attempt.is_hit() {
                break;
            }
        }
    }
    scene.assert_connected("after all")
}
