//! Names made and deleted, alone and by many at once.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::Barrier;
use std::thread;

use netns::directory::Error;
use netns::monitor::{Event, Watch};
use netns::{Directory, Netns};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

use crate::sandbox::{self, mounts_at, name};

#[test]
fn a_name_lives_from_create_to_delete() {
    sandbox::run(|| {
        let directory = Directory::default();
        assert_eq!(directory.names().unwrap(), []);
        directory.create(&name("red")).unwrap();
        directory.create(&name("blue")).unwrap();
        assert_eq!(directory.names().unwrap(), [name("blue"), name("red")]);
        assert_eq!(fs::metadata("/run/netns").unwrap().permissions().mode() & 0o777, 0o755);

        assert!(matches!(directory.create(&name("red")), Err(Error::Exists { .. })));
        directory.delete(&name("red")).unwrap();
        assert!(matches!(directory.delete(&name("red")), Err(Error::Missing { .. })));
        assert!(directory.open(&name("red")).unwrap_err().is_gone());
        assert_eq!(directory.names().unwrap(), [name("blue")]);
        assert_eq!(mounts_at("/run/netns/red"), 0);
    });
}

#[test]
fn a_second_name_keeps_the_namespace() {
    sandbox::run(|| {
        let directory = Directory::new("/run/elsewhere/netns");
        let unnamed = Netns::create().unwrap();
        directory.attach(&name("one"), &unnamed).unwrap();
        directory.attach(&name("two"), &unnamed).unwrap();
        assert_eq!(directory.names_of(unnamed.identity()).unwrap(), [name("one"), name("two")]);
        directory.delete(&name("one")).unwrap();
        assert!(directory.open(&name("two")).unwrap().same_as(&unnamed));
    });
}

#[test]
fn the_first_names_of_a_machine_are_made_by_many_at_once() {
    sandbox::run(|| {
        let directory = Directory::default();
        thread::scope(|scope| {
            for number in 0..16 {
                let directory = &directory;
                scope.spawn(move || directory.create(&name(&format!("n{number}"))).unwrap());
            }
        });
        assert_eq!(directory.names().unwrap().len(), 16);
        assert_eq!(mounts_at("/run/netns"), 1);
        assert!(directory.names().unwrap().iter().all(|name| directory.open(name).is_ok()));
    });
}

#[test]
fn of_many_who_want_a_name_one_gets_it_and_of_many_who_delete_it_one_does() {
    sandbox::run(|| {
        let directory = Directory::default();
        let winners = |deed: fn(&Directory) -> Result<(), Error>| -> usize {
            thread::scope(|scope| {
                let racers: Vec<_> = (0..8).map(|_| scope.spawn(|| deed(&directory))).collect();
                let results: Vec<_> = racers.into_iter().map(|racer| racer.join().unwrap()).collect();
                for error in results.iter().filter_map(|result| result.as_ref().err()) {
                    assert!(matches!(error, Error::Exists { .. } | Error::Missing { .. }), "{error:?}");
                }
                results.iter().filter(|result| result.is_ok()).count()
            })
        };
        for _ in 0..20 {
            assert_eq!(winners(|directory| directory.create(&name("prize"))), 1);
            assert_eq!(winners(|directory| directory.delete(&name("prize"))), 1);
        }
        assert_eq!(mounts_at("/run/netns/prize"), 0);
    });
}

#[test]
fn whatever_occupies_a_name_can_be_deleted() {
    sandbox::run(|| {
        let directory = Directory::default();
        directory.create(&name("other")).unwrap();
        fs::write("/run/netns/left-behind", "").unwrap();
        symlink("/run/netns/other", "/run/netns/link").unwrap();
        symlink("/proc/0/ns/net", "/run/netns/dangling").unwrap();
        directory.create(&name("twice")).unwrap();
        let again = MsFlags::MS_BIND;
        mount(Some("/run/netns/other"), "/run/netns/twice", None::<&str>, again, None::<&str>).unwrap();

        for text in ["left-behind", "link", "dangling", "twice"] {
            directory.delete(&name(text)).unwrap();
        }
        assert_eq!(directory.names().unwrap(), [name("other")]);
        assert!(directory.open(&name("other")).is_ok(), "deleting a link leaves alone what it points to");
    });
}

#[test]
fn a_deleted_namespace_does_not_survive_in_a_copy_of_the_mounts() {
    sandbox::run(|| {
        let directory = Directory::default();
        directory.create(&name("blue")).unwrap();
        let (copied, deleted) = (Barrier::new(2), Barrier::new(2));
        thread::scope(|scope| {
            let copy = scope.spawn(|| {
                unshare(CloneFlags::CLONE_NEWNS).unwrap();
                directory.create(&name("made-in-the-copy")).unwrap();
                let before = mounts_at("/run/netns/blue");
                copied.wait();
                deleted.wait();
                (before, mounts_at("/run/netns/blue"))
            });
            copied.wait();
            assert!(directory.open(&name("made-in-the-copy")).is_ok());
            directory.delete(&name("blue")).unwrap();
            deleted.wait();
            assert_eq!(copy.join().unwrap(), (1, 0));
        });
    });
}

#[test]
fn a_watch_tells_what_happens() {
    sandbox::run(|| {
        let directory = Directory::default();
        let watch = Watch::start(&directory).unwrap();
        directory.create(&name("blue")).unwrap();
        directory.delete(&name("blue")).unwrap();
        let mut events = watch.wait().unwrap();
        while events.len() < 2 {
            events.extend(watch.wait().unwrap());
        }
        assert_eq!(events, [Event::Added(name("blue")), Event::Deleted(name("blue"))]);
    });
}
