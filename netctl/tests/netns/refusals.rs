//! What is refused, with which words, and that nothing is touched.

use crate::{Machine, Test};

#[test]
fn a_bad_command_line_is_refused_before_anything_is_touched() -> Test {
    let machine = Machine::new("wrong")?;
    for (words, said) in [
        ("add a/b", "invalid network namespace name \"a/b\": a slash cannot be part of a file name"),
        ("add ..", "'.' and '..' are directories"),
        ("add", "required"),
        ("add a b", "unexpected argument 'b'"),
        ("delete", "required"),
        ("delete ../x", "a slash cannot be part of a file name"),
        ("delete --all x", "cannot be used with"),
        ("attach a", "required"),
        ("attach a x", "expected the number of a process"),
        ("attach a 0", "expected the number of a process"),
        ("set a -1", "invalid namespace id \"-1\": expected a number from 0 to 2147483647"),
        ("set a x", "invalid namespace id \"x\""),
        ("set a", "required"),
        ("list-id nsid", "value is required"),
        ("pids", "required"),
        ("identify x", "expected the number of a process"),
        ("frobnicate", "unrecognized subcommand 'frobnicate'"),
        ("exec a/b true", "a slash cannot be part of a file name"),
    ] {
        let outcome = machine.netctl(words);
        assert_eq!(outcome.code(), Some(2), "{outcome}");
        assert!(outcome.stderr().starts_with("error: ") && outcome.stderr().contains(said), "{outcome}");
    }
    let long = "x".repeat(256);
    assert_eq!(machine.netctl(&format!("add {long}")).code(), Some(2));
    assert_eq!(machine.sh("netctl netns add ''").code(), Some(2));
    machine.sh("test ! -e /run/netns").ok()?;
    Ok(())
}

#[test]
fn a_name_that_exists_is_not_made_again() -> Test {
    let machine = Machine::new("exists")?;
    machine.ip("netns add blue").ok()?;
    let inode = "stat -L -c %i /run/netns/blue";
    let before = machine.sh(inode).ok()?;
    let outcome = machine.netctl("add blue").refused()?;
    assert_eq!(
        outcome.stderr(),
        "error: create network namespace blue: /run/netns/blue exists\n\
         hint: choose another name, or delete it first: `netctl netns delete blue`\n"
    );
    assert_eq!(outcome.code(), Some(1));
    assert_eq!(machine.sh(inode).ok()?, before);
    Ok(())
}

#[test]
fn a_name_that_does_not_exist_is_answered_with_the_nearest() -> Test {
    let machine = Machine::new("nearest")?;
    let nothing = machine.netctl("delete blue").refused()?;
    assert!(
        nothing.stderr().ends_with("hint: there are none; `netctl netns add blue` makes it\n"),
        "{nothing}"
    );
    machine.sh("netctl netns add blue; netctl netns add green").ok()?;
    for words in ["delete blu", "exec blu true", "pids blu", "set blu 3"] {
        let outcome = machine.netctl(words).refused()?;
        assert!(outcome.stderr().ends_with("hint: did you mean blue?\n"), "{outcome}");
    }
    let unlike = machine.netctl("delete xyz").refused()?;
    assert!(unlike.stderr().ends_with("hint: `netctl netns list` shows which there are\n"), "{unlike}");
    Ok(())
}

#[test]
fn what_can_be_deleted_is_deleted_and_the_rest_is_told() -> Test {
    let machine = Machine::new("rest")?;
    machine.sh("netctl netns add a; mkdir /run/netns/b; netctl netns add c").ok()?;
    let outcome = machine.netctl("delete a b nobody c").refused()?;
    assert_eq!(outcome.code(), Some(1));
    assert!(
        outcome.stderr().contains("error: delete network namespace b\n  because: Is a directory"),
        "{outcome}"
    );
    assert!(
        outcome.stderr().contains("error: delete network namespace nobody: /run/netns/nobody does not exist")
    );
    assert_eq!(machine.sh("ls /run/netns").ok()?, "b\n");
    Ok(())
}

#[test]
fn words_are_coloured_only_for_people_who_like_it() -> Test {
    let machine = Machine::new("colour")?;
    let delete = "TERM=xterm script -qec 'netctl netns delete nobody' /dev/null || :";
    assert!(machine.sh(delete).ok()?.contains("\x1b[1;31merror\x1b[0m: delete"));
    assert!(!machine.sh(&format!("export NO_COLOR=1; {delete}")).ok()?.contains('\x1b'));
    assert!(!machine.netctl("delete nobody").stderr().contains('\x1b'));
    Ok(())
}

#[test]
fn who_may_not_is_told_what_it_takes() -> Test {
    let machine = Machine::new("nobody")?;
    let outcome = machine.sh("setpriv --bounding-set -sys_admin netctl netns add blue").refused()?;
    assert!(outcome.stderr().contains("  because: Operation not permitted"), "{outcome}");
    assert!(outcome.stderr().ends_with("hint: it needs root's capabilities (CAP_SYS_ADMIN)\n"), "{outcome}");
    Ok(())
}
