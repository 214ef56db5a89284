//! Archives that mean harm, or are damaged: each is refused with its entry's name, nothing is written outside, nothing stays.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod support;

use images::{LimitExceeded, Limits, LoadError, LoadOptions, Store};
use std::fs;
use support::{
    Header, Layout, Scratch, Tar, configuration, docker, gzip, kept, load, snapshot, stream, told, zstd,
};

/// What the store says of a layer. Beside the store lies a folder of which nothing may be changed.
fn refused(layer: Tar) -> String {
    refused_archive(docker("evil", &[&layer.end()]))
}

fn refused_archive(archive: Vec<u8>) -> String {
    let scratch = Scratch::new();
    let store = scratch.store();
    scratch.write("outside/file", b"untouched");
    let before = snapshot(&scratch.path().join("outside"));
    let error = load(&store, archive).expect_err("the archive was loaded");
    assert_eq!(snapshot(&scratch.path().join("outside")), before);
    assert_eq!(kept(&scratch), Vec::<String>::new());
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 2, "something was written beside the store");
    told(&error)
}

/// Of a long path upward that would reach the folder beside the store.
const UP: &str = "../../../../../outside/file";

#[test]
fn paths_that_leave_the_root_are_refused() {
    if !support::may_unpack() {
        return;
    }
    let of = "of layer 0000000000000000000000000000000000000000000000000000000000000000/layer.tar of standard input";
    assert_eq!(
        refused(Tar::default().file("/etc/passwd", "x")),
        format!("unpack entry \"/etc/passwd\" {of}: its path is absolute")
    );
    assert_eq!(
        refused(Tar::default().file(UP, "x")),
        format!("unpack entry \"{UP}\" {of}: its path leads upward with \"..\"")
    );
    assert!(refused(Tar::default().file("a/../../b", "x")).ends_with("upward with \"..\""));
    assert!(refused(Tar::default().long(b'L', UP.as_bytes()).file("x", "x")).ends_with("upward with \"..\""));
    assert!(
        refused(Tar::default().pax(&[("path", UP.as_bytes())]).file("x", "x"))
            .ends_with("upward with \"..\"")
    );
    assert!(
        refused(Tar::default().pax(&[("path", b"a\0b")]).file("x", "x")).ends_with("a NUL byte in its path")
    );
    for name in [".wh...", ".wh..", ".wh.", "a/.wh..."] {
        assert!(
            refused(Tar::default().folder("a").file(name, "")).contains("which is no name of a file"),
            "{name}"
        );
    }
}

#[test]
fn nothing_goes_through_a_symbolic_link() {
    if !support::may_unpack() {
        return;
    }
    for target in ["/", "..", "../../../../../outside", "inside"] {
        let layer = Tar::default().folder("inside").symlink("way", target);
        for evil in [
            layer.clone().file("way/file", "x"),
            layer.clone().file("way/deep/file", "x"),
            layer.clone().folder("way/dir"),
            layer.clone().symlink("way/link", "x"),
            layer.clone().file("way/.wh.file", ""),
            layer.clone().file("way/.wh..wh..opq", ""),
            layer.clone().file("x", "x").hard_link("way/file", "x"),
        ] {
            assert!(refused(evil).contains("leads through way, which is a symbolic link"), "{target}");
        }
        assert!(
            refused(layer.hard_link("x", "way/file")).contains("leads through way, which is a symbolic link")
        );
    }
    assert!(
        refused(Tar::default().file("a", "x").file("a/b", "x"))
            .ends_with("leads through a, which is no folder")
    );
    assert!(refused(Tar::default().symlink(".", "/tmp")).ends_with("the root would no longer be a folder"));
    assert!(refused(Tar::default().symlink("a", "")).ends_with("it is a link to nothing"));
}

#[test]
fn hard_links_out_of_the_layer_are_refused() {
    if !support::may_unpack() {
        return;
    }
    assert!(
        refused(Tar::default().hard_link("a", "/etc/shadow")).ends_with("is refused: its path is absolute")
    );
    assert!(
        refused(Tar::default().hard_link("a", UP)).ends_with("is refused: its path leads upward with \"..\"")
    );
    assert!(
        refused(Tar::default().hard_link("a", "later").file("later", "x")).contains("in no entry before it")
    );
    assert!(refused(Tar::default().folder("d").hard_link("a", "d")).ends_with("d, which is a folder"));
    assert!(refused(Tar::default().hard_link("a", ".")).ends_with("which is a folder"));
    assert!(refused(Tar::default().file(".wh.a", "").hard_link("b", "a")).contains("in no entry before it"));
}

#[test]
fn device_nodes_and_what_is_no_file_are_refused() {
    if !support::may_unpack() {
        return;
    }
    for kind in *b"34" {
        assert!(
            refused(Tar::default().entry(&Header::new("null", kind), b"")).contains("it is a device node")
        );
    }
    for kind in *b"sDMVN9" {
        let text = refused(Tar::default().entry(&Header::new("socket", kind), b""));
        assert!(text.contains("none that an archive of files has"), "{text}");
    }
    let sparse = Tar::default().pax(&[("GNU.sparse.major", b"1"), ("GNU.sparse.name", b"x")]).file("x", "y");
    assert!(refused(sparse).contains("sparse file in the PAX format"));
}

#[test]
fn what_overlayfs_reads_does_not_come_from_outside() {
    if !support::may_unpack() {
        return;
    }
    for name in ["trusted.overlay.redirect", "trusted.overlay.opaque", "user.overlay.redirect"] {
        let layer = Tar::default().pax(&[(&format!("SCHILY.xattr.{name}"), b"/secret")]).folder("d");
        assert!(refused(layer).ends_with(&format!("its attribute {name:?} is for the kernel's own use")));
    }
}

#[test]
fn wrong_digests_and_sizes_are_found() {
    if !support::may_unpack() {
        return;
    }
    let layer = Tar::default().file("a", "x").end();
    let other = Tar::default().file("a", "y").end();
    let config = configuration(&[&layer]);
    let with = |change: &dyn Fn(&mut serde_json::Value), kept: &[u8]| {
        let mut layout = Layout::new();
        let mut image = layout.image(&config, &[kept.to_vec()]);
        change(&mut image);
        layout.index(&[image]).tar()
    };
    let nothing = |_: &mut serde_json::Value| {};
    assert!(refused_archive(with(&nothing, &other)).contains("check the content of layer blobs/sha256/"));
    assert!(refused_archive(with(&nothing, &gzip(&other))).contains("check the content of layer"));
    assert!(refused_archive(with(&|image| image["size"] = 1.into(), &layer)).contains("bytes, not 1"));
    assert!(refused_archive(with(&|i| i["digest"] = "sha512:00".into(), &layer)).contains("only sha256"));
    assert!(refused_archive(with(&|i| i["digest"] = "../../x".into(), &layer)).contains("only sha256"));
    // A blob that is not what its name says.
    let mut layout = Layout::new();
    let image = layout.image(&config, std::slice::from_ref(&layer));
    for blob in layout.0.keys().filter(|name| name.starts_with("blobs")).cloned().collect::<Vec<_>>() {
        let mut changed = Layout(layout.0.clone());
        *changed.0.get_mut(&blob).unwrap().last_mut().unwrap() ^= 1;
        let text = refused_archive(changed.index(std::slice::from_ref(&image)).tar());
        assert!(text.starts_with(&format!("check {blob} of standard input: it is sha256:")), "{text}");
    }
    // In the old format the name of the configuration is its digest.
    let old = docker("old", &[&layer]);
    let at = old.windows(4).position(|window| window == b"\"sh\"").unwrap();
    let mut old_changed = old.clone();
    old_changed[at + 1] = b'X';
    assert!(refused_archive(old_changed).contains(".json of standard input: it is sha256:"));
}

#[test]
fn an_outer_archive_is_as_closely_looked_at() {
    if !support::may_unpack() {
        return;
    }
    assert!(refused_archive(Tar::default().file(UP, "x").end()).ends_with("upward with \"..\""));
    assert!(refused_archive(Tar::default().file("/x", "x").end()).ends_with("is absolute"));
    assert!(
        refused_archive(Tar::default().symlink("a", "../b").end())
            .contains("is refused: its path leads upward")
    );
    assert!(
        refused_archive(Tar::default().symlink("a", "/etc").end())
            .contains("is refused: its path is absolute")
    );
    assert!(
        refused_archive(Tar::default().entry(&Header::new("d", b'3'), b"").end()).contains("a device node")
    );
    let circle = Tar::default().symlink("manifest.json", "b").symlink("b", "manifest.json");
    assert!(refused_archive(circle.end()).ends_with("its links go in a circle"));
}

#[test]
fn a_layout_in_a_folder_is_not_left_through_its_links() {
    if !support::may_unpack() {
        return;
    }
    let scratch = Scratch::new();
    scratch.write("outside/manifest.json", b"[]");
    for target in ["../outside/manifest.json", "/etc/passwd", "/proc/self/environ"] {
        let folder = scratch.path().join("layout");
        fs::create_dir(&folder).unwrap();
        std::os::unix::fs::symlink(target, folder.join("manifest.json")).unwrap();
        let source = images::Source::Path(folder.clone());
        let error = scratch.store().load(source, &LoadOptions::default()).unwrap_err();
        assert!(told(&error).contains("entry \"manifest.json\""), "{}", told(&error));
        fs::remove_dir_all(folder).unwrap();
    }
}

fn limited(archive: Vec<u8>, limits: Limits) -> LimitExceeded {
    let scratch = Scratch::new();
    let options = LoadOptions { limits, ..LoadOptions::default() };
    let error = scratch.store().load(stream(archive), &options).expect_err("no limit was met");
    assert_eq!(kept(&scratch), Vec::<String>::new());
    let LoadError::Layer(refused) = &error else { panic!("{}", told(&error)) };
    assert!(matches!(refused.fault, images::Fault::Limit(_)), "{}", told(&error));
    match refused.fault {
        images::Fault::Limit(limit) => limit,
        _ => unreachable!(),
    }
}

#[test]
fn bombs_meet_a_limit() {
    if !support::may_unpack() {
        return;
    }
    let small = Limits { bytes: 1 << 20, ratio: 50, ratio_from: 1 << 16, entries: 1000, layers: 10 };
    let zeros = Tar::default().file("zeros", vec![0; 4 << 20]).end();
    let image = |kept: Vec<u8>| {
        let mut layout = Layout::new();
        let image = layout.image(&configuration(&[&zeros]), &[kept]);
        layout.index(&[image]).tar()
    };
    assert_eq!(limited(image(gzip(&zeros)), small), LimitExceeded::Ratio { limit: 50 });
    assert_eq!(limited(image(zstd(&zeros)), small), LimitExceeded::Ratio { limit: 50 });
    let dense = Limits { ratio: u64::MAX, ..small };
    assert_eq!(limited(image(gzip(&zeros)), dense), LimitExceeded::Bytes { limit: 1 << 20 });
    assert_eq!(limited(image(zeros.clone()), dense), LimitExceeded::Bytes { limit: 1 << 20 });
    assert_eq!(limited(gzip(&image(zeros.clone())), dense), LimitExceeded::Bytes { limit: 1 << 20 });
    // What follows the end of the tar belongs to its digest, and is read as well.
    let tail = [Tar::default().file("a", "x").end(), vec![0; 4 << 20]].concat();
    assert_eq!(limited(gzip(&tail), dense), LimitExceeded::Bytes { limit: 1 << 20 });
    let many = (0..1001).fold(Tar::default(), |tar, number| tar.file(format!("f{number}"), ""));
    assert_eq!(
        limited(docker("many", &[&many.clone().end()]), small),
        LimitExceeded::Entries { limit: 1000 }
    );
    assert_eq!(limited(many.end(), small), LimitExceeded::Entries { limit: 1000 });
    // A name of 8 MiB, which would be held in memory.
    let long = Tar::default().long(b'L', &vec![b'x'; 8 << 20]).file("x", "x");
    let limit = 2 << 20;
    assert_eq!(limited(long.clone().end(), Limits::default()), LimitExceeded::Header { limit });
    let pax = Tar::default().pax(&[("comment", &vec![b'x'; 8 << 20])]).file("x", "x").end();
    assert_eq!(limited(docker("pax", &[&pax]), Limits::default()), LimitExceeded::Header { limit });
}

#[test]
fn sizes_that_lie_and_ends_that_come_too_early_are_found() {
    if !support::may_unpack() {
        return;
    }
    let huge = Header { size: 0o77_777_777_777, ..Header::new("huge", b'0') };
    let layer = Tar::default().file("a", "x").entry(&huge, b"few");
    let text = refused(layer);
    assert!(text.contains("entry \"huge\"") && text.contains("read the archive"), "{text}");
    let pax = Tar::default().pax(&[("size", b"18446744073709551615")]).file("pax", "few");
    assert!(refused(pax).contains("unpack"));
    let whole = docker("cut", &[&Tar::default().file("a", "content".repeat(300)).end()]);
    for end in (0..whole.len() - 1024).step_by(97) {
        let text = refused_archive(whole[..end].to_vec());
        assert!(!text.is_empty(), "{end}");
    }
    let packed = gzip(&whole);
    for end in (0..packed.len()).step_by(31) {
        refused_archive(packed[..end].to_vec());
    }
}

#[test]
fn a_tree_deeper_than_any_stack_goes_again() {
    if !support::may_unpack() {
        return;
    }
    // As deep as a path can be, then a fault.
    let deep = "d/".repeat(2000);
    let text = refused(Tar::default().long(b'L', deep.as_bytes()).folder("x").file("/absolute", "x"));
    assert!(text.ends_with("its path is absolute"), "{text}");
    let deeper = "d/".repeat(3000);
    assert!(refused(Tar::default().long(b'L', deeper.as_bytes()).folder("x")).contains("name too long"));
}

/// Chance that is the same every time.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }
}

/// Changes a few bytes, mostly in headers, with right checksums so that the change is looked at.
fn mutate(archive: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = archive.to_vec();
    for _ in 0..=dice.throw(3) {
        let block = dice.throw(bytes.len() / 512) * 512;
        let at = block + dice.throw(512);
        match dice.throw(6) {
            0 => bytes[at] ^= 1 << dice.throw(8),
            1 => bytes[block + 156] = b"0123456LKxgSD\0"[dice.throw(14)],
            2 => {
                let name =
                    [b"../../outside/file\0".as_slice(), b"/outside\0", b"way/x\0", b".\0", b".wh...\0"]
                        [dice.throw(5)];
                let field = block + [0, 157, 345][dice.throw(3)];
                bytes[field..field + name.len()].copy_from_slice(name);
            }
            3 => bytes[block + 124..block + 136]
                .copy_from_slice([b"77777777777\0", b"00000000001\0"][dice.throw(2)]),
            4 => bytes.truncate(at.max(1024)),
            _ => {
                let copy = bytes[block..block + 512].to_vec();
                let to = dice.throw(bytes.len() / 512) * 512;
                bytes[to..to + 512].copy_from_slice(&copy);
            }
        }
        if block + 512 <= bytes.len() && bytes[block..block + 512].windows(5).any(|window| window == b"ustar")
        {
            bytes[block + 148..block + 156].copy_from_slice(b"        ");
            let sum: u32 = bytes[block..block + 512].iter().map(|byte| u32::from(*byte)).sum();
            bytes[block + 148..block + 156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
    }
    bytes
}

#[test]
fn whatever_is_changed_in_an_archive_nothing_panics_and_nothing_is_written_outside() {
    if !support::may_unpack() {
        return;
    }
    let layer = Tar::default()
        .folder("d")
        .symlink("way", "../../../../../outside")
        .file("d/file", "content")
        .hard_link("d/link", "d/file")
        .file(".wh.gone", "")
        .file("d/.wh..wh..opq", "")
        .pax(&[("path", b"long/name"), ("mtime", b"1.5"), ("SCHILY.xattr.user.a", b"b")])
        .file("x", "y")
        .long(b'L', "n".repeat(150).as_bytes())
        .file("x", "y")
        .entry(&Header::new("pipe", b'6'), b"")
        .end();
    let scratch = Scratch::new();
    scratch.write("outside/file", b"untouched");
    let before = snapshot(&scratch.path().join("outside"));
    let limits = Limits { bytes: 1 << 22, ..Limits::default() };
    let options = LoadOptions { limits, ..LoadOptions::default() };
    let mut dice = Dice(0x2545_F491_4F6C_DD1D);
    let (mut refused, mut accepted) = (0, 0);
    for _ in 0..800 {
        // The digest of the layer follows the change, so that the change is what is looked at.
        let changed = mutate(&layer, &mut dice);
        let mut archive = docker("fuzz", &[&changed]);
        if dice.throw(3) == 0 {
            archive = mutate(&archive, &mut dice);
        }
        let store = Store::open(scratch.path().join("store")).unwrap();
        match store.load(stream(archive), &options) {
            Ok(_) => accepted += 1,
            Err(error) => {
                refused += 1;
                assert!(!told(&error).is_empty());
            }
        }
        assert_eq!(fs::read_dir(scratch.path().join("store/tmp")).unwrap().count(), 0);
    }
    assert!(
        refused > 200 && accepted > 60,
        "{refused} refused, {accepted} accepted: the changes prove nothing"
    );
    assert_eq!(snapshot(&scratch.path().join("outside")), before);
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 2);
}

#[test]
#[ignore = "takes two minutes: run by hand"]
fn a_million_entries_are_no_trouble() {
    let many = (0..1_000_000)
        .fold(Tar::default(), |tar, number| tar.file(format!("{}/f{number}", number / 1000), ""));
    let scratch = Scratch::new();
    let loaded = load(&scratch.store(), docker("many", &[&many.end()])).unwrap();
    assert_eq!(scratch.store().find(&loaded[0].id.to_string()).unwrap().layers[0].entries, 1_000_000);
}
