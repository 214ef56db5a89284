//! Each system call of `netctl create`, `connect`, `disconnect` and `rm` fails once, and at each the program is killed once.
//!
//! What failed has changed nothing, and says why. What was killed is made good by the same words once more, and by `rm -f`.
//! There are hundreds of calls that only look around: each few of them fail, and a kill there is a kill at the next that
//! changes something.

use lab::faults::{Disturbed, Fault, Point, Strace};
use tests::disturb::{ERROR, changes, disturb_line, points_of_line};
use tests::facts::{addresses, links, pings};
use tests::{Allowed, Before, Container, Stage, Surprise, Test};

const CREATE: &str = "create mybr0 --ipv6 --subnet 172.26.0.0/24,fd00:26::/64";
const CONNECT: &str = "connect mybr0 web -p 8080:80 -p 8080:80/udp";
const DISCONNECT: &str = "disconnect mybr0 web";

/// Of the calls that only look around, each so many fail.
const STRIDE: u32 = 4;

type Wrong = Box<dyn std::error::Error>;

/// A host that has seen all of it once: what stays of that is nobody's.
struct Scene {
    stage: Stage,
    web: Container,
    strace: Strace,
}

impl Scene {
    /// With these lines typed, which the verb needs.
    fn new(lines: &[&str]) -> Result<Option<Self>, Wrong> {
        let stage = Stage::new("faults")?;
        let Some(strace) = Strace::require(stage.host()) else { return Ok(None) };
        let web = stage.container("web")?;
        for line in [&[CREATE, CONNECT, DISCONNECT, "rm mybr0"], lines].concat() {
            stage.typed(line)?;
        }
        Ok(Some(Self { stage, web, strace }))
    }

    /// The points of a line, which is run for it.
    fn points(&self, line: &str) -> Result<Vec<Point>, Wrong> {
        points_of_line(&self.stage, &self.strace, &self.stage.line(line)?, STRIDE)
    }

    fn disturb(&self, line: &str, point: &Point, fault: Fault) -> Result<Attempt, Wrong> {
        let disturbed = disturb_line(&self.stage, &self.strace, &self.stage.line(line)?, point, fault)?;
        let context = format!("{point}: {}", disturbed.outcome);
        Ok(Attempt { disturbed, context })
    }

    /// The container has nothing, and the host is as it was.
    fn assert_as(&self, before: &Before<'_>, context: &str) -> Test {
        let changes = before.changes(Allowed::Books)?;
        assert!(changes.is_empty(), "{context}: {changes:#?}");
        assert_eq!(links(&self.web)?, ["lo"], "{context}");
        Ok(())
    }

    /// Types a line that must succeed after what happened.
    #[track_caller]
    fn then(&self, line: &str, context: &str) -> Test {
        self.stage.typed(line).map(drop).map_err(|error| Surprise::new(context, error).into())
    }

    /// The container is on the network in full.
    fn assert_connected(&self, context: &str) -> Test {
        self.then("cni check mybr0 web --container-id web", context)?;
        assert!(pings(&self.web, "172.26.0.1") && pings(&self.web, "fd00:26::1"), "{context}");
        Ok(())
    }
}

/// A line that was disturbed.
struct Attempt {
    disturbed: Disturbed,
    context: String,
}

impl Attempt {
    fn succeeded(&self) -> bool {
        self.disturbed.outcome.succeeded()
    }

    /// Whether everything was done, and only the answer could not be printed.
    fn is_unheard(&self) -> bool {
        self.disturbed.outcome.stderr().contains("write to standard output")
    }

    /// Whoever fails says so, by exit code 1 and in words, unless it is words that fail.
    fn assert_told(&self, point: &Point) {
        let outcome = &self.disturbed.outcome;
        let is_told = outcome.stderr().contains("error: ") || point.syscall.starts_with("write");
        assert!(outcome.succeeded() || (outcome.code() == Some(1) && is_told), "{}", self.context);
    }
}

#[test]
fn a_create_that_fails_leaves_nothing() -> Test {
    let Some(scene) = Scene::new(&[])? else { return Ok(()) };
    let before = Before::of(&scene.stage)?;
    let points = scene.points(CREATE)?;
    scene.then("rm mybr0", "undisturbed")?;
    for point in &points {
        let attempt = scene.disturb(CREATE, point, ERROR)?;
        let context = &attempt.context;
        attempt.assert_told(point);
        if attempt.succeeded() || attempt.is_unheard() {
            let bridge = addresses(scene.stage.host(), "mybr0")?;
            assert_eq!(bridge, ["172.26.0.1/24", "fd00:26::1/64"], "{context}");
            scene.then("rm mybr0", context)?;
        }
        scene.assert_as(&before, context)?;
    }
    Ok(())
}

#[test]
fn a_create_that_is_killed_is_made_good_by_the_next_and_by_rm() -> Test {
    let Some(scene) = Scene::new(&[])? else { return Ok(()) };
    let before = Before::of(&scene.stage)?;
    let points = scene.points(CREATE)?;
    scene.then("rm mybr0", "undisturbed")?;
    for (point, again) in points.iter().filter(|point| changes(point)).zip([true, false].into_iter().cycle())
    {
        let attempt = scene.disturb(CREATE, point, Fault::Kill)?;
        if again {
            // It may be there in full, or in part.
            let repeated = scene.stage.netctl(CREATE)?;
            let is_there = repeated.stderr().contains("exists");
            assert!(repeated.succeeded() || is_there, "{}: {repeated}", attempt.context);
        }
        scene.then("rm -f mybr0", &attempt.context)?;
        scene.assert_as(&before, &attempt.context)?;
    }
    Ok(())
}

#[test]
fn a_connect_that_fails_leaves_nothing() -> Test {
    let Some(scene) = Scene::new(&[CREATE])? else { return Ok(()) };
    let before = Before::of(&scene.stage)?;
    let points = scene.points(CONNECT)?;
    scene.then(DISCONNECT, "undisturbed")?;
    for point in &points {
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
fn a_connect_that_is_killed_is_made_good_by_the_next() -> Test {
    let Some(scene) = Scene::new(&[CREATE])? else { return Ok(()) };
    let before = Before::of(&scene.stage)?;
    let points = scene.points(CONNECT)?;
    scene.then(DISCONNECT, "undisturbed")?;
    for point in points.iter().filter(|point| changes(point)) {
        let attempt = scene.disturb(CONNECT, point, Fault::Kill)?;
        let repeated = scene.stage.netctl(CONNECT)?;
        let is_there = repeated.stderr().contains("is connected to network mybr0 already");
        assert!(repeated.succeeded() || is_there, "{}: {repeated}", attempt.context);
        assert_eq!(links(&scene.web)?, ["lo", "eth0"], "{}", attempt.context);
        scene.assert_connected(&attempt.context)?;
        scene.then(DISCONNECT, &attempt.context)?;
        scene.assert_as(&before, &attempt.context)?;
    }
    Ok(())
}

#[test]
fn a_connect_that_is_killed_is_made_good_by_disconnect_and_by_rm() -> Test {
    let Some(scene) = Scene::new(&[])? else { return Ok(()) };
    let before = Before::of(&scene.stage)?;
    scene.then(CREATE, "before")?;
    let points = scene.points(CONNECT)?;
    for (point, is_left) in
        points.iter().filter(|point| changes(point)).zip([true, false].into_iter().cycle())
    {
        scene.then("rm -f mybr0", "before")?;
        scene.then(CREATE, "before")?;
        let attempt = scene.disturb(CONNECT, point, Fault::Kill)?;
        if is_left {
            scene.then("disconnect -f mybr0 web", &attempt.context)?;
            assert_eq!(links(&scene.web)?, ["lo"], "{}", attempt.context);
            scene.then("rm mybr0", &attempt.context)?;
        } else {
            scene.then("rm -f mybr0", &attempt.context)?;
        }
        scene.assert_as(&before, &attempt.context)?;
    }
    Ok(())
}

fn disturb_disconnect(fault: Fault) -> Test {
    let Some(scene) = Scene::new(&[CREATE])? else { return Ok(()) };
    let before = Before::of(&scene.stage)?;
    scene.then(CONNECT, "before")?;
    let points = scene.points(DISCONNECT)?;
    for point in points.iter().filter(|point| fault == ERROR || changes(point)) {
        scene.then(CONNECT, "before")?;
        let attempt = scene.disturb(DISCONNECT, point, fault)?;
        if fault == ERROR {
            attempt.assert_told(point);
        }
        if !attempt.succeeded() {
            let repeated = scene.stage.netctl(DISCONNECT)?;
            let is_gone = repeated.stderr().contains("is not connected");
            assert!(repeated.succeeded() || is_gone, "{}: {repeated}", attempt.context);
        }
        // Who says that all is done must have done it all.
        scene.assert_as(&before, &attempt.context)?;
    }
    Ok(())
}

#[test]
fn a_disconnect_that_fails_is_made_good_by_the_next() -> Test {
    disturb_disconnect(ERROR)
}

#[test]
fn a_disconnect_that_is_killed_is_made_good_by_the_next() -> Test {
    disturb_disconnect(Fault::Kill)
}

fn disturb_rm(fault: Fault) -> Test {
    let Some(scene) = Scene::new(&[])? else { return Ok(()) };
    let before = Before::of(&scene.stage)?;
    let make = |scene: &Scene| [CREATE, CONNECT].iter().try_for_each(|line| scene.then(line, "before"));
    make(&scene)?;
    let points = scene.points("rm -f mybr0")?;
    for point in points.iter().filter(|point| fault == ERROR || changes(point)) {
        make(&scene)?;
        let attempt = scene.disturb("rm -f mybr0", point, fault)?;
        if fault == ERROR {
            attempt.assert_told(point);
        }
        if !attempt.succeeded() {
            scene.then("rm -f mybr0", &attempt.context)?;
        }
        scene.assert_as(&before, &attempt.context)?;
    }
    Ok(())
}

#[test]
fn an_rm_that_fails_is_made_good_by_the_next() -> Test {
    disturb_rm(ERROR)
}

#[test]
fn an_rm_that_is_killed_is_made_good_by_the_next() -> Test {
    disturb_rm(Fault::Kill)
}

#[test]
fn an_rm_that_cannot_see_who_is_there_does_not_take_it_for_nobody() -> Test {
    let Some(scene) = Scene::new(&[CREATE, CONNECT])? else { return Ok(()) };
    let before = Before::of(&scene.stage)?;
    for syscall in [
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
    ] {
        for nth in 1..=40 {
            let point = Point { syscall: syscall.to_owned(), nth };
            // It fails in any case, and what is not there is not hit.
            let disturbed =
                scene.strace.inject(scene.stage.host(), &scene.stage.line("rm mybr0")?, &point, ERROR)?;
            let context = format!("{point}: {}", disturbed.outcome);
            assert_eq!(disturbed.outcome.code(), Some(1), "{context}");
            let changes = before.changes(Allowed::Books)?;
            assert!(changes.is_empty(), "{context}: {changes:#?}");
            if !disturbed.hit {
                break;
            }
        }
    }
    scene.assert_connected("after all")
}
