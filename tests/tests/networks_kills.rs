//! `netctl create`, `connect`, `disconnect` and `rm` are killed once at each system call that may change something: a kill at
//! another is a kill at the next of these.
//!
//! Whatever is left is made good by the same words once more, and by `rm -f`. There are hundreds of calls: a sample of them is
//! tried every day, and all with `ALL_POINTS=1` in the environment.

use lab::faults::{Fault, Point};
use std::time::{Duration, Instant};
use tests::disturb::{changes, sample};
use tests::disturbed_line::{CONNECT, CREATE, DISCONNECT, Scene};
use tests::facts::{links, ports};
use tests::{Before, Test};

/// So many points of a line are tried.
const MOST: usize = 60;

/// Every other time one thing is done, and every other time another.
fn by_turns(points: &[Point]) -> impl Iterator<Item = (Point, bool)> {
    let changing: Vec<Point> = points.iter().filter(|point| changes(point)).cloned().collect();
    sample(&changing, MOST).into_iter().zip([true, false].into_iter().cycle())
}

#[test]
fn a_create_that_is_killed_is_made_good_by_the_next_and_by_rm() -> Test {
    let Some(scene) = Scene::new(&[])? else { return Ok(()) };
    let before = Before::of(scene.stage())?;
    let points = scene.points(CREATE)?;
    scene.then("rm mybr0", "undisturbed")?;
    for (point, is_repeated) in by_turns(&points) {
        let attempt = scene.disturb(CREATE, &point, Fault::Kill)?;
        if is_repeated {
            scene.then_or(CREATE, "already exists", &attempt.context)?;
            scene.then("connect mybr0 web", &attempt.context)?;
        }
        scene.then("rm -f mybr0", &attempt.context)?;
        scene.assert_as(&before, &attempt.context)?;
    }
    Ok(())
}

#[test]
fn a_connect_that_is_killed_is_made_good_by_the_next() -> Test {
    let Some(scene) = Scene::new(&[CREATE, CONNECT, DISCONNECT])? else { return Ok(()) };
    let before = Before::of(scene.stage())?;
    let points = scene.points(CONNECT)?;
    scene.then(DISCONNECT, "undisturbed")?;
    for (point, _) in by_turns(&points) {
        let attempt = scene.disturb(CONNECT, &point, Fault::Kill)?;
        scene.then_or(CONNECT, "is connected to network mybr0 already", &attempt.context)?;
        scene.assert_connected(&attempt.context)?;
        scene.then(DISCONNECT, &attempt.context)?;
        scene.assert_as(&before, &attempt.context)?;
    }
    Ok(())
}

#[test]
fn a_connect_that_is_killed_is_made_good_by_disconnect_and_by_rm() -> Test {
    let Some(scene) = Scene::new(&[])? else { return Ok(()) };
    let before = Before::of(scene.stage())?;
    scene.then(CREATE, "before")?;
    let points = scene.points(CONNECT)?;
    scene.then("rm -f mybr0", "undisturbed")?;
    for (point, is_left) in by_turns(&points) {
        scene.then(CREATE, "before")?;
        let attempt = scene.disturb(CONNECT, &point, Fault::Kill)?;
        if is_left {
            scene.then("disconnect -f mybr0 web", &attempt.context)?;
            assert_eq!(links(scene.web())?, ["lo"], "{}", attempt.context);
            scene.then("rm mybr0", &attempt.context)?;
        } else {
            scene.then("rm -f mybr0", &attempt.context)?;
        }
        scene.assert_as(&before, &attempt.context)?;
    }
    Ok(())
}

/// A container that went after its `connect` was killed: nobody knows of it but the one who comes next.
#[test]
fn a_connect_that_is_killed_and_whose_container_goes_is_made_good_by_the_next_to_come() -> Test {
    let Some(scene) = Scene::new(&["create small --subnet 172.27.0.0/29"])? else { return Ok(()) };
    let stage = scene.stage();
    stage.container("next")?;
    // Both have their books now.
    for line in ["connect small next", "disconnect small next"] {
        scene.then(line, "before")?;
    }
    let before = Before::of(stage)?;
    let points = scene.points("connect small web")?;
    scene.then("disconnect small web", "undisturbed")?;
    for (number, (point, _)) in by_turns(&points).enumerate() {
        let name = format!("gone{number}");
        let gone = stage.container(&name)?;
        let attempt = scene.disturb(&format!("connect small {name}"), &point, Fault::Kill)?;
        gone.vanish(stage)?;
        // Its link goes a moment after it; until then it may live where we cannot see it.
        let patience = Instant::now() + Duration::from_secs(3);
        while !ports(stage.host(), "small")?.is_empty() && Instant::now() < patience {
            std::thread::sleep(Duration::from_millis(10));
        }
        scene.then("connect small next", &attempt.context)?;
        scene.then("disconnect small next", &attempt.context)?;
        scene.assert_as(&before, &attempt.context)?;
    }
    Ok(())
}

#[test]
fn a_disconnect_that_is_killed_is_made_good_by_the_next() -> Test {
    let Some(scene) = Scene::new(&[CREATE, CONNECT, DISCONNECT])? else { return Ok(()) };
    let before = Before::of(scene.stage())?;
    scene.then(CONNECT, "before")?;
    let points = scene.points(DISCONNECT)?;
    for (point, _) in by_turns(&points) {
        scene.then(CONNECT, "before")?;
        let attempt = scene.disturb(DISCONNECT, &point, Fault::Kill)?;
        scene.then_or(DISCONNECT, "is not connected", &attempt.context)?;
        scene.assert_as(&before, &attempt.context)?;
    }
    Ok(())
}

/// Network bridge ends with its last container.
#[test]
fn the_last_disconnect_from_bridge_that_is_killed_is_made_good_by_the_next() -> Test {
    let (connect, disconnect) = ("connect bridge web", "disconnect bridge web");
    let Some(scene) = Scene::new(&[connect, disconnect])? else { return Ok(()) };
    let before = Before::of(scene.stage())?;
    scene.then(connect, "before")?;
    let points = scene.points(disconnect)?;
    for (point, _) in by_turns(&points) {
        scene.then(connect, "before")?;
        let attempt = scene.disturb(disconnect, &point, Fault::Kill)?;
        scene.then_or(disconnect, "is not connected", &attempt.context)?;
        scene.assert_as(&before, &attempt.context)?;
    }
    Ok(())
}

#[test]
fn an_rm_that_is_killed_is_made_good_by_the_next() -> Test {
    let Some(scene) = Scene::new(&[CREATE, CONNECT])? else { return Ok(()) };
    let points = scene.points("rm -f mybr0")?;
    let before = Before::of(scene.stage())?;
    for (point, _) in by_turns(&points) {
        scene.then(CREATE, "before")?;
        scene.then(CONNECT, "before")?;
        let attempt = scene.disturb("rm -f mybr0", &point, Fault::Kill)?;
        scene.then("rm -f mybr0", &attempt.context)?;
        scene.assert_as(&before, &attempt.context)?;
    }
    Ok(())
}
