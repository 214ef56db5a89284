//! What can be opened, what cannot, and what happens inside.

use std::fs::{self, File};
use std::os::fd::{AsFd, AsRawFd};
use std::process::Command;

use netns::{Directory, Error, Kind, Netns, process};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use crate::sandbox::{self, name};

#[test]
fn a_namespace_is_itself_under_every_path() {
    sandbox::run(|| {
        let directory = Directory::default();
        directory.create(&name("blue")).unwrap();
        let blue = directory.open(&name("blue")).unwrap();
        let path = format!("/proc/thread-self/fd/{}", blue.as_fd().as_raw_fd());
        assert!(Netns::open(path).unwrap().same_as(&blue));
        assert!(!Netns::current().unwrap().same_as(&blue));
        assert!(blue.run(Netns::current).unwrap().unwrap().same_as(&blue));
    });
}

#[test]
fn what_does_not_exist_any_more_is_gone() {
    sandbox::run(|| {
        let mut child = Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        File::create("/run/left-behind").unwrap();
        let dead = process::path_of(child.id()).display().to_string();
        for path in ["/run/netns/nothing", "/run/left-behind", "/run/left-behind/x", "", &dead] {
            let error = Netns::open(path).unwrap_err();
            assert!(error.is_gone(), "{path}: {error}");
        }
    });
}

#[test]
fn what_is_something_else_is_called_by_its_name() {
    sandbox::run(|| {
        fs::write("/run/file", "not empty").unwrap();
        mkfifo("/run/fifo", Mode::S_IRUSR).unwrap();
        for (path, found) in [
            ("/run", "a directory"),
            ("/run/file", "a plain file"),
            ("/run/fifo", "a FIFO"),
            ("/dev/null", "a device"),
        ] {
            let error = Netns::open(path).unwrap_err();
            assert!(
                !error.is_gone() && error.to_string().ends_with(&format!("{path}: it is {found}")),
                "{error}"
            );
        }
        let error = Netns::open("/proc/self/ns/mnt").unwrap_err();
        assert!(matches!(error, Error::OtherKind { kind: Kind::Mount, .. }), "{error}");
    });
}

#[test]
fn whoever_runs_a_job_inside_stays_outside() {
    sandbox::run(|| {
        let (outside, inside) = (Netns::current().unwrap(), Netns::create().unwrap());
        let links = || fs::read_to_string("/proc/thread-self/net/dev").unwrap().lines().count();
        assert_eq!(inside.run(links).unwrap(), 3);
        assert!(inside.run(Netns::current).unwrap().unwrap().same_as(&inside));
        assert!(Netns::current().unwrap().same_as(&outside));
    });
}

#[test]
fn a_panic_inside_arrives_outside() {
    sandbox::run(|| {
        let inside = Netns::create().unwrap();
        let panic = std::panic::catch_unwind(|| inside.run(|| panic!("inside"))).unwrap_err();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"inside"));
    });
}

#[test]
fn processes_are_found_in_their_namespace() {
    sandbox::run(|| {
        let inside = Netns::create().unwrap();
        assert_eq!(process::pids(&inside).unwrap(), []);
        let mut sleeper = inside.run(|| Command::new("sleep").arg("60").spawn()).unwrap().unwrap();
        assert_eq!(process::pids(&inside).unwrap(), [sleeper.id()]);
        sleeper.kill().unwrap();
        sleeper.wait().unwrap();
        assert_eq!(process::pids(&inside).unwrap(), []);
    });
}
