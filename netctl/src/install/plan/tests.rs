//! Plans against text: a line a step.

use super::*;
use crate::install::facts::Content;

fn wanted() -> Wanted<'static> {
    let origin = Origin::Program(Path::new("/built/netctl-cni"));
    let program = WantedFile { name: "netctl-cni", digest: "new", origin };
    let link = |name| WantedFile { name, origin: Origin::NameOf("netctl-cni"), ..program };
    Wanted { folder: Path::new("/bin.d"), files: vec![program, link("bridge"), link("host")] }
}

fn texts() -> Wanted<'static> {
    let text = |name| WantedFile { name, digest: "new", origin: Origin::Text(b"words") };
    Wanted { folder: Path::new("/share"), files: ["man/a", "man/b", "zsh/a"].map(text).to_vec() }
}

fn file(digest: &str, inode: u64) -> Found {
    Found::File(Content { digest: digest.to_owned(), identity: (1, inode) })
}

fn entry(digest: &str, backup: Option<&str>) -> Entry {
    Entry { sha256: vec![digest.to_owned()], backup: backup.map(str::to_owned) }
}

fn facts(found: &[(&str, Found)], ours: &[(&str, Entry)]) -> Facts {
    let files = ours.iter().map(|(name, entry)| ((*name).to_owned(), entry.clone())).collect();
    let manifest = Manifest { netctl: env!("CARGO_PKG_VERSION").to_owned(), files };
    let found = found.iter().map(|(name, found)| ((*name).to_owned(), found.clone())).collect();
    Facts::new([PathBuf::from("/bin.d")].into(), manifest, found)
}

fn steps(plan: &Plan) -> Vec<String> {
    plan.steps.iter().map(ToString::to_string).collect()
}

/// The facts after an installation.
fn installed() -> Facts {
    let names = ["netctl-cni", "bridge", "host"];
    facts(&names.map(|name| (name, file("new", 1))), &names.map(|name| (name, entry("new", None))))
}

#[test]
fn an_empty_machine_gets_everything() {
    let plan = wanted().plan(&Facts::default(), Strangers::Refused).unwrap();
    let expected =
        ["create directory /bin.d", "install /bin.d/netctl-cni", "link /bin.d/bridge", "link /bin.d/host"];
    assert_eq!(steps(&plan), expected);
    assert_eq!(plan.promised, plan.recorded);
}

#[test]
fn texts_are_written_where_they_are_not_as_they_should_be() {
    let found = [("man/a", file("new", 1)), ("man/b", file("old", 2))];
    let ours = [("man/a", entry("new", None)), ("man/b", entry("old", None))];
    let plan = texts().plan(&facts(&found, &ours), Strangers::Refused).unwrap();
    let expected = [
        "create directory /share/man",
        "create directory /share/zsh",
        "write /share/man/b",
        "write /share/zsh/a",
    ];
    assert_eq!(steps(&plan), expected);
}

#[test]
fn a_second_installation_has_nothing_to_do() {
    let facts = installed();
    let plan = wanted().plan(&facts, Strangers::Refused).unwrap();
    assert!(plan.steps.is_empty());
    assert_eq!(plan.recorded, facts.manifest);
}

#[test]
fn a_newer_version_replaces_the_older_and_every_link_of_it() {
    let names = ["netctl-cni", "bridge", "host"];
    let ours =
        [names.map(|name| (name, entry("old", None))).as_slice(), &[("gone", entry("old", None))]].concat();
    let found = [names.map(|name| (name, file("old", 1))).as_slice(), &[("gone", file("old", 1))]].concat();
    let plan = wanted().plan(&facts(&found, &ours), Strangers::Refused).unwrap();
    let expected =
        ["install /bin.d/netctl-cni", "link /bin.d/bridge", "link /bin.d/host", "remove /bin.d/gone"];
    assert_eq!(steps(&plan), expected);
    // Interrupted at any moment, both versions are ours.
    assert_eq!(plan.promised.files["bridge"].sha256, ["new", "old"]);
    assert_eq!(plan.promised.files["gone"].sha256, ["old"]);
    assert_eq!(plan.recorded.files["bridge"].sha256, ["new"]);
    assert!(!plan.recorded.files.contains_key("gone"));
}

#[test]
fn a_lost_or_separate_link_is_made_again() {
    let names = ["netctl-cni", "host"];
    let found = [("netctl-cni", file("new", 1)), ("host", file("new", 2))];
    let plan =
        wanted().plan(&facts(&found, &names.map(|name| (name, entry("new", None)))), Strangers::Refused);
    assert_eq!(steps(&plan.unwrap()), ["link /bin.d/bridge", "link /bin.d/host"]);
}

#[test]
fn strangers_are_named_unless_they_may_be_replaced() {
    let facts = facts(&[("bridge", file("theirs", 7)), ("host", Found::Symlink)], &[]);
    let obstacles = wanted().plan(&facts, Strangers::Refused).unwrap_err();
    assert_eq!(obstacles.strangers, [Path::new("/bin.d/bridge"), Path::new("/bin.d/host")]);
    let plan = wanted().plan(&facts, Strangers::Kept).unwrap();
    let expected = [
        "install /bin.d/netctl-cni",
        "keep /bin.d/bridge as /bin.d/bridge.netctl-orig",
        "link /bin.d/bridge",
        "keep /bin.d/host as /bin.d/host.netctl-orig",
        "link /bin.d/host",
    ];
    assert_eq!(steps(&plan), expected);
    assert_eq!(plan.recorded.files["host"].backup.as_deref(), Some("host.netctl-orig"));
}

#[test]
fn what_cannot_be_kept_is_never_replaced() {
    let folder = facts(&[("bridge", Found::Unusable)], &[]);
    let backup = facts(&[("bridge", file("theirs", 7)), ("bridge.netctl-orig", file("older", 8))], &[]);
    for (facts, name) in [(folder, "bridge"), (backup, "bridge.netctl-orig")] {
        let obstacles = wanted().plan(&facts, Strangers::Kept).unwrap_err();
        assert_eq!(obstacles.immovable, [Path::new("/bin.d").join(name)]);
    }
}

#[test]
fn removal_takes_ours_restores_theirs_and_leaves_the_rest() {
    let ours = [
        ("netctl-cni", entry("new", None)),
        ("a-restored", entry("new", Some("a.orig"))),
        ("b-gone", entry("new", None)),
        ("c-replaced", entry("new", None)),
        ("d-gone", entry("new", Some("d.orig"))),
        ("e-replaced", entry("new", Some("e.orig"))),
        ("f-interrupted", entry("new", Some("f.orig"))),
    ];
    let found = [
        ("netctl-cni", file("new", 1)),
        ("a-restored", file("new", 1)),
        ("a.orig", file("theirs", 2)),
        ("c-replaced", file("theirs", 3)),
        ("d.orig", Found::Symlink),
        ("e-replaced", file("newer", 4)),
        ("e.orig", file("theirs", 5)),
        ("f-interrupted", file("theirs", 6)),
        ("f.orig", file("theirs", 6)),
        ("unrelated", file("theirs", 9)),
    ];
    let plan = plan_removal(Path::new("/bin.d"), &facts(&found, &ours));
    let expected = [
        "restore /bin.d/a-restored",
        "leave /bin.d/c-replaced: netctl did not install it",
        "restore /bin.d/d-gone",
        "leave /bin.d/e-replaced: netctl did not install it",
        "leave /bin.d/e.orig: netctl did not install it",
        "remove /bin.d/f.orig",
        "remove /bin.d/netctl-cni",
    ];
    assert_eq!(steps(&plan), expected);
    assert!(plan.recorded.files.is_empty());
}

#[test]
fn a_second_removal_has_nothing_to_do() {
    assert_eq!(plan_removal(Path::new("/bin.d"), &Facts::default()), Plan::default());
}
