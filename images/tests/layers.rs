//! What entries of a layer become: files as they were, and marks of what lower layers lose.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod support;

use images::Digest;
use lab::{Host, Place};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use support::{Header, Scratch, Tar, docker, load, root, told};

fn unpacked(layer: Tar) -> (Scratch, PathBuf) {
    let scratch = Scratch::new();
    let store = scratch.store();
    let loaded = load(&store, docker("test", &[&layer.end()])).unwrap_or_else(|e| panic!("{}", told(&e)));
    let root = root(&store, &loaded[0].id);
    (scratch, root)
}

fn is_whiteout(path: &Path) -> bool {
    let about = path.symlink_metadata().unwrap();
    about.file_type().is_char_device() && about.rdev() == 0
}

fn attribute(path: &Path, name: &str) -> Option<Vec<u8>> {
    let mut value = [0; 100];
    let count = rustix::fs::lgetxattr(path, name, &mut value[..]).ok()?;
    Some(value[..count].to_vec())
}

fn is_opaque(path: &Path) -> bool {
    attribute(path, "trusted.overlay.opaque").as_deref() == Some(b"y")
}

#[test]
fn files_keep_their_mode_owner_time_and_capabilities() {
    if !support::may_unpack() {
        return;
    }
    let capability = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let suid = Header { mode: 0o4755, uid: 12, gid: 34, size: 3, ..Header::new("bin/su", b'0') };
    let (_scratch, root) = unpacked(
        Tar::default()
            .entry(&Header { mode: 0o1777, mtime: 1_500_000_000, ..Header::new("tmp/", b'5') }, b"")
            .entry(&suid, b"abc")
            .pax(&[
                ("SCHILY.xattr.security.capability", &capability),
                ("SCHILY.xattr.security.selinux", b"left out"),
                ("mtime", b"1600000000.25"),
                ("uid", b"3000000"),
            ])
            .file("bin/ping", "x")
            .file("tmp/late", "changes the time of its folder")
            .symlink("bin/sh", "/../../etc/passwd")
            .entry(&Header { mode: 0o622, ..Header::new("pipe", b'6') }, b""),
    );
    let about = |name: &str| root.join(name).symlink_metadata().unwrap();
    assert_eq!((about("tmp").mode() & 0o7777, about("tmp").mtime()), (0o1777, 1_500_000_000));
    let su = about("bin/su");
    assert_eq!((su.mode() & 0o7777, su.uid(), su.gid(), su.mtime()), (0o4755, 12, 34, 1_600_000_000));
    assert_eq!((about("bin/ping").uid(), about("bin/ping").mtime_nsec()), (3_000_000, 250_000_000));
    assert_eq!(attribute(&root.join("bin/ping"), "security.capability").unwrap(), capability);
    assert_ne!(
        attribute(&root.join("bin/ping"), "security.selinux").as_deref(),
        Some(b"left out".as_slice())
    );
    assert_eq!(fs::read_link(root.join("bin/sh")).unwrap(), Path::new("/../../etc/passwd"));
    assert!(about("pipe").file_type().is_fifo());
    assert_eq!(about("pipe").mode() & 0o7777, 0o622);
    // No entry described it: it is the same wherever the layer is unpacked.
    assert_eq!((about("bin").mode() & 0o7777, about("bin").uid(), about("bin").mtime()), (0o755, 0, 0));
    assert_eq!((about("").mode() & 0o7777, about("").mtime()), (0o755, 0));
}

#[test]
fn names_may_be_long_and_need_not_be_text() {
    if !support::may_unpack() {
        return;
    }
    let long = "d/".repeat(100) + &"n".repeat(200);
    let pax = "p/".repeat(100) + "x";
    let strange = b"a\xff\x01\n b".as_slice();
    let (_scratch, root) = unpacked(
        Tar::default()
            .long(b'L', long.as_bytes())
            .file("cut", "long")
            .pax(&[("path", pax.as_bytes())])
            .file("cut", "pax")
            .file(strange, "strange")
            .long(b'K', long.as_bytes())
            .hard_link("link", "cut"),
    );
    assert_eq!(fs::read(root.join(long)).unwrap(), b"long");
    assert_eq!(fs::read(root.join(pax)).unwrap(), b"pax");
    assert_eq!(fs::read(root.join(OsStr::from_bytes(strange))).unwrap(), b"strange");
    assert_eq!(fs::read(root.join("link")).unwrap(), b"long");
    assert!(!root.join("cut").exists());
}

#[test]
fn hard_links_are_one_file() {
    if !support::may_unpack() {
        return;
    }
    let (_scratch, root) = unpacked(
        Tar::default()
            .file("a", "one")
            .hard_link("dir/b", "./a")
            .hard_link("a", "a")
            .symlink("link", "a")
            .hard_link("link2", "link"),
    );
    let inode = |name: &str| root.join(name).symlink_metadata().unwrap().ino();
    assert_eq!(inode("a"), inode("dir/b"));
    assert_eq!(inode("link"), inode("link2"));
    assert_ne!(inode("a"), inode("link"));
}

#[test]
fn the_last_of_several_entries_counts_and_nothing_is_written_through_a_link() {
    if !support::may_unpack() {
        return;
    }
    let (_scratch, root) = unpacked(
        Tar::default()
            .file("a", "one")
            .hard_link("b", "a")
            .file("b", "two")
            .file("f", "file")
            .folder("f")
            .file("f/x", "y")
            .folder("d")
            .file("d/e/f", "gone")
            .file("d", "file now")
            .symlink("s", "a")
            .file("s", "no link now")
            .folder("keep")
            .file("keep/x", "stays")
            .entry(&Header { mode: 0o700, ..Header::new("keep", b'5') }, b""),
    );
    assert_eq!(fs::read(root.join("a")).unwrap(), b"one");
    assert_eq!(fs::read(root.join("b")).unwrap(), b"two");
    assert_eq!(fs::read(root.join("f/x")).unwrap(), b"y");
    assert_eq!(fs::read(root.join("d")).unwrap(), b"file now");
    assert_eq!(fs::read(root.join("s")).unwrap(), b"no link now");
    assert_eq!(fs::read(root.join("keep/x")).unwrap(), b"stays");
    assert_eq!(root.join("keep").metadata().unwrap().mode() & 0o777, 0o700);
}

#[test]
fn whiteouts_concern_lower_layers_only_in_whatever_order_they_come() {
    if !support::may_unpack() {
        return;
    }
    let (_scratch, root) = unpacked(
        Tar::default()
            .file("bin/.wh.yes", "")
            .folder("www")
            .file("www/.wh..wh..opq", "")
            .file("www/new", "x")
            .file("late/new", "x")
            .file("late/.wh..wh..opq", "")
            .file(".wh.first", "")
            .file("first", "after its mark")
            .file("second", "before its mark")
            .file(".wh.second", "")
            .file(".wh.third", "")
            .folder("third")
            .folder("fourth")
            .file(".wh.fourth", "")
            .file(".wh.fifth", "")
            .file("fifth/below", "x")
            .file(".wh..wh.aufs", "ignored")
            .file(".wh..wh.plnk/1.2", "ignored"),
    );
    assert!(is_whiteout(&root.join("bin/yes")));
    for opaque in ["www", "late", "third", "fourth", "fifth"] {
        assert!(is_opaque(&root.join(opaque)), "{opaque}");
    }
    assert!(!is_opaque(&root.join("bin")));
    for file in ["www/new", "late/new", "first", "second", "fifth/below"] {
        assert!(root.join(file).is_file(), "{file}");
    }
    assert!(!root.join(".wh..wh.aufs").exists());
}

#[test]
fn the_kernel_stacks_the_layers_as_docker_would() -> Result<(), Box<dyn std::error::Error>> {
    if !support::may_unpack() {
        return Ok(());
    }
    let lower =
        Tar::default().file("etc/a", "1").file("etc/b", "1").file("www/old", "1").file("top", "1").end();
    let middle = Tar::default().file("etc/.wh.a", "").file("www/.wh..wh..opq", "").file("www/new", "2").end();
    let upper = Tar::default().file("top", "3").file("etc/c", "3").end();
    let scratch = Scratch::new();
    let store = scratch.store();
    // Twice the same layer, as some builds have it.
    let layers: [&[u8]; 4] = [&lower, &middle, &upper, &middle];
    let loaded = load(&store, docker("stack", &layers))?;
    let image = store.find(&loaded[0].id.to_string())?;
    let dirs = store.lower_dirs(&image);
    assert_eq!((image.layers.len(), dirs.len()), (4, 3));
    assert!(dirs[0].ends_with(format!("{}/root", Digest::of(&middle).hex())));
    let host = Host::new("stack")?;
    let list: Vec<String> = dirs.iter().map(|dir| dir.display().to_string()).collect();
    let options = format!("lowerdir={}", list.join(":"));
    host.run(["mkdir", "/run/merged"]).ok()?;
    host.run(["mount", "-t", "overlay", "overlay", "-o", &options, "/run/merged"]).ok()?;
    let seen = host.run(["sh", "-c", "cd /run/merged && find . -type f | sort && cat top"]).ok()?;
    assert_eq!(seen, "./etc/b\n./etc/c\n./top\n./www/new\n3");
    Ok(())
}

#[test]
fn a_sparse_file_of_gnu_tar_is_whole() {
    if !support::may_unpack() {
        return;
    }
    let mut block = Header { size: 512, ..Header::new("sparse", b'S') }.bytes();
    block[257..265].copy_from_slice(b"ustar  \0");
    // One piece of 512 bytes at 512; the whole has 1536.
    block[386..398].copy_from_slice(b"00000001000\0");
    block[398..410].copy_from_slice(b"00000001000\0");
    block[410..422].copy_from_slice(b"00000003000\0");
    block[422..434].copy_from_slice(b"00000000000\0");
    block[483..495].copy_from_slice(b"00000003000\0");
    block[148..156].copy_from_slice(b"        ");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let tar = Tar([block.as_slice(), &[7; 512]].concat());
    let (_scratch, root) = unpacked(tar.file("after", "x"));
    assert_eq!(fs::read(root.join("sparse")).unwrap(), [vec![0; 512], vec![7; 512], vec![0; 512]].concat());
    assert_eq!(fs::read(root.join("after")).unwrap(), b"x");
}
