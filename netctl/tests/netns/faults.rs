//! `add` and `delete` with each of their system calls failing or being their last.

use lab::faults::{Fault, Strace};
use lab::{Outcome, Snapshot};

use crate::{Machine, Test, call};

/// Whether deleting ended as it should: the name is gone, or never was.
fn is_deleted(outcome: &Outcome) -> bool {
    outcome.succeeded() || outcome.stderr().contains("does not exist")
}

#[test]
fn whenever_add_is_killed_delete_cleans_up() -> Test {
    let machine = Machine::new("killed")?;
    let Some(strace) = Strace::require(&machine.0) else { return Ok(()) };
    machine.netctl("add other").ok()?;
    let before = Snapshot::take(&machine.0)?;
    let (add, delete) = (call("add blue"), call("delete blue"));
    let points = strace.points(&machine.0, &add)?;
    delete.run(&machine.0).ok()?;
    let mut hits = 0;
    for point in &points {
        let disturbed = strace.inject(&machine.0, &add, point, Fault::Kill)?;
        // How often its threads wait for each other depends on who else wants the processors.
        assert!(disturbed.hit || disturbed.outcome.succeeded(), "{point}: {}", disturbed.outcome);
        hits += usize::from(disturbed.hit);
        let deleted = delete.run(&machine.0);
        assert!(is_deleted(&deleted), "{point}: {deleted}");
        assert_eq!(machine.netctl("list").ok()?, "other\n", "{point}");
    }
    assert!(hits + 3 >= points.len(), "{hits} of {} calls were hit", points.len());
    assert_eq!(before.left_behind(&machine.0, &[])?, Vec::<String>::new());
    Ok(())
}

#[test]
fn whenever_delete_is_killed_the_next_one_finishes() -> Test {
    let machine = Machine::new("unfinished")?;
    let Some(strace) = Strace::require(&machine.0) else { return Ok(()) };
    machine.netctl("add blue").ok()?;
    let delete = call("delete blue");
    for point in strace.points(&machine.0, &delete)? {
        machine.netctl("add blue").ok()?;
        let _killed = strace.inject(&machine.0, &delete, &point, Fault::Kill)?;
        let deleted = delete.run(&machine.0);
        assert!(is_deleted(&deleted), "{point}: {deleted}");
        assert_eq!(machine.netctl("list").ok()?, "", "{point}");
    }
    Ok(())
}

#[test]
fn an_add_that_fails_leaves_no_file() -> Test {
    let machine = Machine::new("failing")?;
    let Some(strace) = Strace::require(&machine.0) else { return Ok(()) };
    machine.netctl("add other").ok()?;
    let before = Snapshot::take(&machine.0)?;
    let add = call("add blue");
    let points = strace.points(&machine.0, &add)?;
    machine.netctl("delete blue").ok()?;
    let kernel = ["mount", "unshare", "openat", "mkdir", "clone3", "flock"];
    for point in points.iter().filter(|point| kernel.contains(&point.syscall.as_str())) {
        let disturbed = strace.inject(&machine.0, &add, point, Fault::Error("ENOMEM"))?;
        let listed = machine.sh("ls /run/netns").ok()?;
        match disturbed.outcome.succeeded() {
            // What the runtime asks before `main` may fail without harm.
            true => drop(machine.netctl("delete blue").ok()?),
            false => assert_eq!(listed, "other\n", "{point}: {}", disturbed.outcome),
        }
    }
    assert_eq!(before.left_behind(&machine.0, &[])?, Vec::<String>::new());
    Ok(())
}
