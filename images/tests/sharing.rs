//! The store as several programs have it: names, removal, what is shared, what a killed program leaves.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod support;

use images::{DiffId, Digest, ImageId, LoadOptions, RemoveError, Source, Store};
use std::error::Error;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;
use support::{Scratch, Tar, docker, kept, load, told};

fn layer(name: &str) -> Vec<u8> {
    Tar::default().file(name, name).end()
}

fn diff(layer: &[u8]) -> DiffId {
    DiffId(Digest::of(layer))
}

fn nobody(_: &ImageId) -> Result<Vec<String>, Box<dyn Error + Send + Sync>> {
    Ok(Vec::new())
}

fn layers(scratch: &Scratch) -> usize {
    fs::read_dir(scratch.path().join("store/layers")).unwrap().count()
}

#[test]
fn a_layer_that_two_images_share_is_there_once_and_goes_with_the_last() -> Result<(), Box<dyn Error>> {
    if !support::may_unpack() {
        return Ok(());
    }
    let (base, one, two) = (layer("base"), layer("one"), layer("two"));
    let scratch = Scratch::new();
    let store = scratch.store();
    load(&store, docker("one", &[&base, &one]))?;
    load(&store, docker("two", &[&base, &two]))?;
    assert_eq!((layers(&scratch), store.images()?.len()), (3, 2));
    let removed = store.remove("one", false, &nobody)?;
    assert_eq!((removed.names.len(), removed.layers), (1, vec![diff(&one)]));
    assert!(store.lower_dirs(&store.find("two")?).iter().all(|dir| dir.is_dir()));
    assert!(store.remove("one", false, &nobody).is_err());
    let removed = store.remove("two", false, &nobody)?;
    assert_eq!(removed.layers.len(), 2);
    assert_eq!(kept(&scratch).len(), 1, "names.json alone stays: {:?}", kept(&scratch));
    assert_eq!(fs::read_to_string(scratch.path().join("store/names.json"))?, "{}\n");
    Ok(())
}

#[test]
fn an_image_in_use_stays_with_its_last_name() -> Result<(), Box<dyn Error>> {
    if !support::may_unpack() {
        return Ok(());
    }
    let scratch = Scratch::new();
    let store = scratch.store();
    let id = load(&store, docker("app:1", &[&layer("x")]))?[0].id;
    store.tag("app:1", "app:2".parse()?)?;
    let web = |image: &ImageId| Ok(if *image == id { vec!["web".to_owned()] } else { Vec::new() });
    assert_eq!(store.remove("app:2", false, &web)?.image, None);
    for wanted in ["app:1", &id.to_string()] {
        let error = store.remove(wanted, true, &web).unwrap_err();
        assert_eq!(error.to_string(), format!("remove image {id}: web use it"));
        assert_eq!(error.hint().as_deref(), Some("remove these first"));
    }
    assert_eq!(store.find("app:1")?.names.len(), 1);
    let unknown = |_: &ImageId| Err("nobody can tell".into());
    assert!(matches!(store.remove("app:1", true, &unknown), Err(RemoveError::Usage { .. })));
    assert!(store.find("app:1").is_ok());
    Ok(())
}

#[test]
fn an_id_with_several_names_is_removed_only_by_force() -> Result<(), Box<dyn Error>> {
    if !support::may_unpack() {
        return Ok(());
    }
    let scratch = Scratch::new();
    let store = scratch.store();
    let id = load(&store, docker("app:1", &[&layer("x")]))?[0].id;
    store.tag(&id.hex()[..8], "app:2".parse()?)?;
    let error = store.remove(&id.to_string(), false, &nobody).unwrap_err();
    assert_eq!(error.to_string(), format!("remove image {id}: it has the names app:1, app:2"));
    let removed = store.remove(&id.to_string(), true, &nobody)?;
    assert_eq!((removed.names.len(), removed.image), (2, Some(id)));
    Ok(())
}

#[test]
fn a_name_goes_to_whoever_was_loaded_last_and_ids_may_be_cut() -> Result<(), Box<dyn Error>> {
    if !support::may_unpack() {
        return Ok(());
    }
    let scratch = Scratch::new();
    let store = scratch.store();
    let first = load(&store, docker("app", &[&layer("1")]))?[0].id;
    let second = load(&store, docker("app", &[&layer("2")]))?[0].id;
    assert_eq!(store.find("app")?.id, second);
    assert!(store.find(&first.hex()[..12])?.names.is_empty());
    assert_eq!(store.tag(&first.to_string(), "app".parse()?)?, Some(second));
    assert_eq!(store.find("docker.io/library/app:latest")?.id, first);
    for wanted in ["nothing", "abc", "sha256:", "", "A B", "ffffffffffff"] {
        let text = told(&store.find(wanted).unwrap_err());
        assert!(text.ends_with("there is none on this machine"), "{wanted}: {text}");
    }
    Ok(())
}

#[test]
fn many_load_the_same_at_once_and_others_remove_it() -> Result<(), Box<dyn Error>> {
    if !support::may_unpack() {
        return Ok(());
    }
    let archive = docker("same", &[&layer("base"), &layer("top")]);
    let scratch = Scratch::new();
    thread::scope(|scope| {
        for number in 0..8 {
            let (store, archive) = (scratch.store(), archive.clone());
            scope.spawn(move || {
                for _ in 0..8 {
                    load(&store, archive.clone()).unwrap_or_else(|error| panic!("{}", told(&error)));
                    if number % 4 == 0 {
                        let _ = store.remove("same", false, &nobody);
                        store.collect().unwrap();
                    }
                }
            });
        }
    });
    let store = scratch.store();
    load(&store, archive)?;
    let image = store.find("same")?;
    assert_eq!(fs::read(store.lower_dirs(&image)[0].join("top"))?, b"top");
    assert_eq!((layers(&scratch), store.images()?.len()), (2, 1));
    assert_eq!(fs::read_dir(scratch.path().join("store/tmp"))?.count(), 0);
    Ok(())
}

#[test]
fn collect_takes_layers_of_no_image_and_nothing_else() -> Result<(), Box<dyn Error>> {
    if !support::may_unpack() {
        return Ok(());
    }
    let scratch = Scratch::new();
    let store = scratch.store();
    let gone = load(&store, docker("gone", &[&layer("base"), &layer("orphan")]))?[0].id;
    load(&store, docker("stays", &[&layer("base")]))?;
    // As a kill between the names and the layers leaves it.
    fs::remove_file(scratch.path().join(format!("store/images/{}.json", gone.hex())))?;
    fs::create_dir(scratch.path().join("store/tmp/1-1"))?;
    scratch.write("store/tmp/1-1/f0/root/file", b"half");
    let collected = store.collect()?;
    assert_eq!((collected.abandoned, collected.layers), (1, vec![diff(&layer("orphan"))]));
    assert_eq!(store.collect()?, images::Collected::default());
    assert!(store.find("stays").is_ok());
    Ok(())
}

/// What a killed program does: loads again and again.
#[test]
#[ignore = "a part of another test, in a process of its own"]
fn loads_and_removes_until_it_is_killed() {
    let Ok(folder) = std::env::var("IMAGES_TEST_FOLDER") else { return };
    let store = Store::open(format!("{folder}/store")).unwrap();
    loop {
        let source = Source::Path(format!("{folder}/archive").into());
        store.load(source, &LoadOptions::default()).unwrap();
        store.remove("killed", false, &nobody).unwrap();
    }
}

#[test]
fn whoever_is_killed_leaves_nothing_that_the_next_does_not_clear() -> Result<(), Box<dyn Error>> {
    if !support::may_unpack() {
        return Ok(());
    }
    let scratch = Scratch::new();
    let many =
        (0..300).fold(Tar::default(), |tar, number| tar.file(format!("{}/{number}", number % 9), "content"));
    scratch.write("archive", &docker("killed", &[&many.end(), &layer("top")]));
    let mut rubbish = 0;
    for round in 0..40 {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["--exact", "loads_and_removes_until_it_is_killed", "--ignored"])
            .env("IMAGES_TEST_FOLDER", scratch.path())
            .stdout(Stdio::null())
            .spawn()?;
        thread::sleep(Duration::from_millis(15 + round * 3));
        child.kill()?;
        child.wait()?;
        let store = scratch.store();
        rubbish += fs::read_dir(scratch.path().join("store/tmp"))?.count();
        // All that has a name is whole.
        for image in store.images()? {
            assert_eq!(fs::read(store.lower_dirs(&image)[0].join("top"))?, b"top");
            assert_eq!(fs::read_dir(store.lower_dirs(&image)[1].join("0"))?.count(), 34);
        }
        if round % 2 == 0 {
            store.collect()?;
            if store.find("killed").is_err() {
                // An image without a name may have been left, in one piece.
                for image in store.images()? {
                    store.remove(&image.id.to_string(), false, &nobody)?;
                }
                assert!(
                    kept(&scratch).iter().all(|line| line.starts_with("names.json ")),
                    "{:?}",
                    kept(&scratch)
                );
            }
        } else {
            store.load(Source::Path(scratch.path().join("archive")), &LoadOptions::default())?;
            assert_eq!(fs::read_dir(scratch.path().join("store/tmp"))?.count(), 0);
        }
    }
    assert!(rubbish > 5, "nobody was killed at work: {rubbish}");
    Ok(())
}

/// What a program does that is killed at a call of its choice.
#[test]
#[ignore = "a part of another test, in a process of its own"]
fn loads_and_removes_once() {
    let Ok(folder) = std::env::var("IMAGES_TEST_FOLDER") else { return };
    let store = Store::open(format!("{folder}/store")).unwrap();
    let source = Source::Path(format!("{folder}/archive").into());
    store.load(source, &LoadOptions::default()).unwrap();
    store.remove("killed", false, &nobody).unwrap();
}

/// Calls that change the store. Between two of them it makes no difference when one is killed.
const CHANGES: [&str; 16] = [
    "rename",
    "renameat2",
    "mkdir",
    "mkdirat",
    "unlink",
    "unlinkat",
    "rmdir",
    "mknodat",
    "link",
    "linkat",
    "symlinkat",
    "open",
    "openat",
    "write",
    "flock",
    "fsync",
];

#[test]
fn whoever_is_killed_at_any_call_leaves_nothing_that_the_next_does_not_clear() -> Result<(), Box<dyn Error>> {
    let Some(strace) = lab::tools::require("strace").filter(|_| support::may_unpack()) else { return Ok(()) };
    let scratch = Scratch::new();
    let other = layer("base");
    load(&scratch.store(), docker("other", &[&other]))?;
    let top =
        Tar::default().file("a/b", "content").file(".wh.c", "").symlink("d", "e").hard_link("f", "a/b").end();
    scratch.write("archive", &docker("killed", &[&other, &top]));
    let (mut kills, mut rubbish, mut named) = (0, 0, 0);
    for call in CHANGES {
        for number in 1.. {
            let status = Command::new(&strace)
                .args(["-f", "-o", "/dev/null", "-e", &format!("trace={call}")])
                .args(["-e", &format!("inject={call}:signal=KILL:when={number}")])
                .arg(std::env::current_exe()?)
                .args(["--exact", "loads_and_removes_once", "--ignored", "--test-threads=1"])
                .env("IMAGES_TEST_FOLDER", scratch.path())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()?;
            if status.success() {
                break;
            }
            assert_eq!(status.signal(), Some(9), "{call} {number}: {status}");
            kills += 1;
            let store = scratch.store();
            rubbish += usize::from(fs::read_dir(scratch.path().join("store/tmp"))?.count() > 0);
            named += usize::from(store.find("killed").is_ok());
            clears(&scratch, kills % 2 == 0).map_err(|error| format!("{call} {number}: {error}"))?;
        }
    }
    assert!(
        kills > 60 && rubbish > 30 && named > 3,
        "{kills} kills, {rubbish} times rubbish, {named} times a name"
    );
    Ok(())
}

/// All that is there is whole, and the next collection or load leaves no trace of what was killed.
fn clears(scratch: &Scratch, by_collecting: bool) -> Result<(), Box<dyn Error>> {
    let store = scratch.store();
    for image in store.images()? {
        let is_whole = |dir: &std::path::PathBuf| dir.join("base").exists() || dir.join("a/b").exists();
        assert!(store.lower_dirs(&image).iter().all(is_whole), "{image:?}");
    }
    if by_collecting {
        store.collect()?;
    } else {
        store.load(Source::Path(scratch.path().join("archive")), &LoadOptions::default())?;
        store.remove("killed", false, &nobody)?;
    }
    assert_eq!(fs::read_dir(scratch.path().join("store/tmp"))?.count(), 0);
    // An image that lost its name, or did not get it yet, is whole, and found by its id.
    for image in store.images()? {
        if !image.names.iter().any(|name| name.short() == "other:latest") {
            store.remove(&image.id.to_string(), false, &nobody)?;
        }
    }
    assert_eq!((layers(scratch), store.images()?.len()), (1, 1));
    Ok(())
}
