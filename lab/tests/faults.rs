//! Faults hit what they are meant to hit, and only that.

use lab::faults::{Fault, Point, Strace};
use lab::{Call, Host, Place};
use std::error::Error;

type Test = Result<(), Box<dyn Error>>;

#[test]
fn a_failing_call_is_seen_by_the_program() -> Test {
    let host = Host::new("failing")?;
    let Some(strace) = Strace::require(&host) else { return Ok(()) };
    let call = Call::new(["ip", "link"]);
    let socket = Point { syscall: "socket".to_owned(), nth: 1 };
    assert!(strace.points(&host, &call)?.contains(&socket));
    let disturbed = strace.inject(&host, &call, &socket, Fault::Error("ENOMEM"))?;
    assert!(disturbed.hit);
    assert!(disturbed.outcome.refused()?.stderr().contains("Cannot allocate memory"));
    Ok(())
}

#[test]
fn a_killed_program_has_not_made_the_call() -> Test {
    let host = Host::new("killed")?;
    let Some(strace) = Strace::require(&host) else { return Ok(()) };
    let call = Call::new(["mkdir", "/run/never"]);
    let point = Point { syscall: "mkdir".to_owned(), nth: 1 };
    let disturbed = strace.inject(&host, &call, &point, Fault::Kill)?;
    assert!(disturbed.hit, "{disturbed:?}");
    assert_eq!(disturbed.outcome.code(), None);
    host.sh("test ! -e /run/never").ok()?;
    call.run(&host).ok()?;
    Ok(())
}

#[test]
fn a_fault_that_finds_nothing_says_so() -> Test {
    let host = Host::new("missed")?;
    let Some(strace) = Strace::require(&host) else { return Ok(()) };
    let point = Point { syscall: "socket".to_owned(), nth: 99 };
    let disturbed = strace.inject(&host, &Call::new(["ip", "link"]), &point, Fault::Kill)?;
    assert!(!disturbed.hit);
    disturbed.outcome.ok()?;
    Ok(())
}

#[test]
fn every_point_of_a_program_can_be_hit() -> Test {
    let host = Host::new("every")?;
    let Some(strace) = Strace::require(&host) else { return Ok(()) };
    let call = Call::new(["cat", "-"]).stdin("some input");
    let points = strace.points(&host, &call)?;
    assert!(points.len() > 10, "{points:?}");
    for point in &points {
        assert!(strace.inject(&host, &call, point, Fault::Kill)?.hit, "{point}");
    }
    assert_eq!(host.sh("ls /dev/shm").ok()?, "", "no log stays");
    Ok(())
}
