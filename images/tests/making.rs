//! Images that are made here, and what is saved of them and of others.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod support;

use images::{Change, Content, Draft, Limits, Platform, Source, Store};
use lab::{Host, Place};
use std::error::Error;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use support::{
    Header, Layout, Scratch, Tar, configuration, docker, gzip, load, root, snapshot, stream, told, zstd,
};

fn draft(name: &str) -> Draft {
    Draft {
        base: None,
        changes: Vec::new(),
        name: Some(name.parse().unwrap()),
        created_by: None,
        message: Some("made by a test".into()),
        author: None,
        created: "2024-01-02T03:04:05Z".parse().unwrap(),
        platform: Platform::of_this_machine(),
        limits: Limits::default(),
    }
}

fn saved(store: &Store, wanted: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    store.save(wanted, &mut bytes).unwrap_or_else(|error| panic!("{}", told(&error)));
    bytes
}

#[test]
fn what_is_saved_is_loaded_as_the_same_image() -> Result<(), Box<dyn Error>> {
    if !support::may_unpack() {
        return Ok(());
    }
    let layer = Tar::default().file("a", "x").file(".wh.b", "").end();
    for kept in [layer.clone(), gzip(&layer), zstd(&layer)] {
        let mut layout = Layout::new();
        let mut image = layout.image(&configuration(&[&layer]), &[kept]);
        image["annotations"] = serde_json::json!({"io.containerd.image.name": "docker.io/team/app:1"});
        let (first, second) = (Scratch::new(), Scratch::new());
        let id = load(&first.store(), layout.index(&[image]).tar())?[0].id;
        first.store().tag("team/app:1", "localhost:5000/app:2".parse()?)?;
        let bytes = saved(&first.store(), &["team/app:1", "localhost:5000/app:2"]);
        let loaded = load(&second.store(), bytes.clone())?;
        assert_eq!((loaded.len(), loaded[0].id, loaded[0].names.len()), (1, id, 2));
        // The same bytes, whoever saves it and in whatever order it was asked for.
        assert_eq!(saved(&second.store(), &["localhost:5000/app:2", "team/app:1"]), bytes);
        let layers = |scratch: &Scratch| snapshot(&scratch.path().join("store/layers"));
        assert_eq!(layers(&first), layers(&second));
    }
    Ok(())
}

#[test]
fn either_half_of_a_saved_archive_is_enough() -> Result<(), Box<dyn Error>> {
    if !support::may_unpack() {
        return Ok(());
    }
    let scratch = Scratch::new();
    let layer = Tar::default().file("a", "x").end();
    let id = load(&scratch.store(), docker("half", &[&layer]))?[0].id;
    let bytes = saved(&scratch.store(), &["half"]);
    for without in ["index.json", "manifest.json"] {
        let mut archive = tar::Archive::new(bytes.as_slice());
        let mut half = Layout(Default::default());
        for entry in archive.entries()? {
            let mut entry = entry?;
            let name = entry.path()?.display().to_string();
            if entry.header().entry_type().is_file()
                && name != without
                && (without != "index.json" || name != "oci-layout")
            {
                let mut text = Vec::new();
                std::io::Read::read_to_end(&mut entry, &mut text)?;
                half.0.insert(name, text);
            }
        }
        let other = Scratch::new();
        let loaded = load(&other.store(), half.tar())?;
        assert_eq!((loaded[0].id, loaded[0].names[0].short().as_str()), (id, "half:latest"), "{without}");
    }
    Ok(())
}

#[test]
fn a_blob_that_was_changed_is_not_saved() -> Result<(), Box<dyn Error>> {
    if !support::may_unpack() {
        return Ok(());
    }
    let scratch = Scratch::new();
    let layer = Tar::default().file("a", "x").end();
    load(&scratch.store(), docker("changed", &[&layer]))?;
    let blob = scratch.path().join(format!("store/layers/{}/blob", images::Digest::of(&layer).hex()));
    let mut bytes = fs::read(&blob)?;
    bytes[700] ^= 1;
    fs::write(&blob, bytes)?;
    let error = scratch.store().save(&["changed"], std::io::sink()).unwrap_err();
    assert!(error.to_string().ends_with("is not what it was when it was loaded"), "{error}");
    Ok(())
}

#[test]
fn a_root_file_system_is_imported_as_a_tar_and_as_a_folder() -> Result<(), Box<dyn Error>> {
    if !support::may_unpack() {
        return Ok(());
    }
    let scratch = Scratch::new();
    let store = scratch.store();
    let tar = Tar::default()
        .entry(&Header { mode: 0o1777, ..Header::new("tmp", b'5') }, b"")
        .entry(&Header { mode: 0o4755, uid: 7, gid: 8, size: 2, ..Header::new("bin/su", b'0') }, b"su")
        .pax(&[("SCHILY.xattr.user.note", b"kept")])
        .file("noted", "x")
        .hard_link("bin/sudo", "bin/su")
        .symlink("sh", "bin/su")
        .entry(&Header::new("pipe", b'6'), b"")
        .long(b'L', "n".repeat(200).as_bytes())
        .file("x", "long")
        .file(b"\xff", "no text")
        .end();
    let from_tar = store.build(Content::RootFs(stream(gzip(&tar))), draft("tar"))?;
    let folder = root(&store, &from_tar.id);
    let of_folder = || Content::RootFs(Source::Path(folder.clone()));
    let from_folder = store.build(of_folder(), draft("folder"))?;
    let copy = root(&store, &from_folder.id);
    assert_ne!(folder, copy);
    assert_eq!(snapshot(&folder), snapshot(&copy));
    assert_eq!(copy.join("bin/su").metadata()?.ino(), copy.join("bin/sudo").metadata()?.ino());
    let mut value = [0; 10];
    assert_eq!(rustix::fs::getxattr(copy.join("noted"), "user.note", &mut value[..])?, 4);
    // The same folder makes the same image.
    assert_eq!(store.build(of_folder(), draft("folder"))?.id, from_folder.id);
    assert_eq!(
        store.find("folder")?.configuration.created().map(|time| time.as_second()),
        Some(1_704_164_645)
    );
    Ok(())
}

#[test]
fn what_no_layer_can_have_is_left_out_of_a_folder_and_said() -> Result<(), Box<dyn Error>> {
    if !support::may_unpack() {
        return Ok(());
    }
    let scratch = Scratch::new();
    scratch.write("rootfs/file", b"x");
    let _socket = std::os::unix::net::UnixListener::bind(scratch.path().join("rootfs/socket"))?;
    let content = Content::RootFs(Source::Path(scratch.path().join("rootfs")));
    let built = scratch.store().build(content, draft("left"))?;
    assert_eq!(built.left_out, [Path::new("socket")]);
    scratch.write("rootfs/.wh.file", b"");
    let content = Content::RootFs(Source::Path(scratch.path().join("rootfs")));
    let error = scratch.store().build(content, draft("left")).unwrap_err();
    assert!(error.to_string().contains("names that begin with .wh. mean that a file is removed"));
    assert_eq!(fs::read_dir(scratch.path().join("store/tmp"))?.count(), 0);
    Ok(())
}

#[test]
fn what_a_container_changed_becomes_a_layer_on_its_image() -> Result<(), Box<dyn Error>> {
    if !support::may_unpack() {
        return Ok(());
    }
    let scratch = Scratch::new();
    let store = scratch.store();
    let base =
        Tar::default().file("etc/a", "1").file("etc/b", "1").file("www/old", "1").file("top", "1").end();
    load(&store, docker("base", &[&base]))?;
    let lower = store.lower_dirs(&store.find("base")?)[0].display().to_string();
    let work = scratch.path().display().to_string();
    let host = Host::new("commit")?;
    let script = format!(
        "cd {work} && mkdir upper work /run/m && mount -t overlay o -o lowerdir={lower},upperdir=upper,workdir=work /run/m &&
         cd /run/m && rm etc/a && rm -r www && mkdir www && echo new >www/new && echo 2 >top && find . | sort >{work}/seen &&
         cd / && umount /run/m"
    );
    host.run(["sh", "-ec", &script]).ok()?;
    let changes = ["ENV A=b", "CMD [\"run\"]"].map(|text| text.parse::<Change>().unwrap()).to_vec();
    let draft = Draft { base: Some("base".into()), changes, ..draft("committed") };
    let built = store.build(Content::Changes(scratch.path().join("upper")), draft)?;
    let image = store.find("committed")?;
    assert_eq!((image.id, image.layers.len()), (built.id, 2));
    assert_eq!(image.configuration.config.env, ["PATH=/bin", "A=b"]);
    assert_eq!(image.configuration.config.cmd, ["run"]);
    let unknown: serde_json::Value = serde_json::from_slice(&store.raw_configuration(&built.id)?)?;
    assert_eq!(unknown["x-unknown"]["stays"], true);
    assert_eq!(image.history()[0].0.comment.as_deref(), Some("made by a test"));
    // Saved and loaded elsewhere, it looks as it looked to the container.
    let other = Scratch::new();
    load(&other.store(), saved(&store, &["committed"]))?;
    let dirs = other.store().lower_dirs(&other.store().find("committed")?);
    let list: Vec<String> = dirs.iter().map(|dir| dir.display().to_string()).collect();
    let script = format!(
        "mount -t overlay o -o lowerdir={} /run/m && cd /run/m && find . | sort && cat top www/new",
        list.join(":")
    );
    let seen = host.run(["sh", "-ec", &script]).ok()?;
    assert_eq!(seen, format!("{}2\nnew\n", fs::read_to_string(scratch.path().join("seen"))?));
    assert!(seen.contains("www/new") && !seen.contains("etc/a"));
    Ok(())
}

#[test]
fn a_base_that_is_not_there_leaves_nothing() {
    if !support::may_unpack() {
        return;
    }
    let scratch = Scratch::new();
    let content = Content::RootFs(stream(Tar::default().file("a", "x").end()));
    let draft = Draft { base: Some("nothing".into()), ..draft("x") };
    assert!(scratch.store().build(content, draft).is_err());
    assert_eq!(support::kept(&scratch), Vec::<String>::new());
}
