//! Each system call of `netctl create`, `connect`, `disconnect` and `rm` fails once, and at each the program is killed once.
//!
//! What failed has changed nothing, and says why. What was killed is made good by the same words once more, and by `rm -f`.
//! Of the calls that only look around each few fails, and none is where it is killed: there are hundreds.

use lab::Place;
use lab::faults::{Disturbed, Fault, Point, Strace};
use tests::disturb::{ERROR, changes, disturb_line, points_of_line};
use tests::facts::{addresses, links, pings};
use tests::{Allowed, Before, Container, Stage, Surprise, Test};

const CREATE: &str = "create mybr0 --ipv6 --subnet 172.26.0.0/24,fd00:26::/64";
const CONNECT: &str = "connect mybr0 web -p 8080:80 -p 8080:80/udp";

/// The points of a command line, which is run for it; and after each of these lines, the host is as it was.
fn points(stage: &Stage, strace: &Strace, line: &str, then: &[&str], stride: u32) -> Result<Vec<Point>, Box<dyn std::error::Error>> {
    let points = points_of_line(stage, strace, &stage.line(line)?, stride)?;
    for line in then {
        stage.typed(line)?;
    }
    Ok(points)
}

/// A host that has seen all of it once: what stays of that is nobody's.
fn warm(name: &str) -> Result<(Stage, Container), Box<dyn std::error::Error>> {
    let stage = Stage::new(name)?;
    let web = stage.container("web")?;
    for line in [CREATE, CONNECT, "disconnect mybr0 web", "rm mybr0"] {
        stage.typed(line)?;
    }
    Ok((stage, web))
}

fn assert_as_before(before: &Before<'_>, context: &str) -> Test {
    let changes = before.changes(Allowed::Books)?;
    assert!(changes.is_empty(), "{context}: {changes:#?}");
    Ok(())
}

/// Whoever fails says so: an error in words, and exit code 1.
fn assert_told(disturbed: &Disturbed, context: &str) {
    let outcome = &disturbed.outcome;
    let is_told = outcome.code() == Some(1) && outcome.stderr().contains("error: ");
    assert!(outcome.succeeded() || is_told, "{context}");
}

#[test]
fn a_create_that_fails_leaves_nothing() -> Test {
    let (stage, _) = warm("failing")?;
    let Some(strace) = Strace::require(stage.host()) else { return Ok(()) };
    let before = Before::of(&stage)?;
    let points = points(&stage, &strace, CREATE, &["rm mybr0"], 3)?;
    assert_as_before(&before, "undisturbed")?;
    let begin = std::time::Instant::now();
    for point in &points {
        let disturbed = disturb_line(&stage, &strace, &stage.line(CREATE)?, point, ERROR)?;
        let context = format!("{point}: {}", disturbed.outcome);
        println!("{:?} {context}", begin.elapsed());
        assert_told(&disturbed, &context);
        if disturbed.outcome.succeeded() {
            assert_eq!(addresses(stage.host(), "mybr0")?, ["172.26.0.1/24", "fd00:26::1/64"], "{context}");
        }
        if let Err(error) = stage.typed("rm -f mybr0") {
            return Err(Surprise::new(context, error).into());
        }
        assert_as_before(&before, &context)?;
    }
    Ok(())
}
