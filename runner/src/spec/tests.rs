use std::collections::BTreeMap;

use oci::NamespaceKind;

use super::*;
use crate::scratch::Scratch;
use crate::{Id, Name, Places, Source, Volume};

fn config(mode: Mode) -> Config {
    let id = Id::new(&"ab".repeat(32)).expect("an id");
    let mut config = Config::new(id, Name::new("web").expect("a name"), Source::Folder("/".into()), mode);
    config.program.cmd = vec!["true".to_owned()];
    config
}

fn made(config: &Config, shared: Option<&Shared>) -> Result<Spec, SpecError> {
    let places = Places { state_dir: "/nowhere".into(), run_dir: "/nowhere".into() };
    let folder = places.container(&config.id);
    spec(config, &Surroundings { folder: &folder, lower: &[], hostname: "box", shared })
}

fn kinds(spec: &Spec) -> BTreeMap<NamespaceKind, Option<PathBuf>> {
    spec.linux.namespaces.iter().map(|namespace| (namespace.kind, namespace.path.clone())).collect()
}

#[test]
fn a_container_on_networks_has_everything_of_its_own() {
    let spec = made(&config(Mode::Networks(Vec::new())), None).expect("a spec");
    assert!(kinds(&spec).values().all(Option::is_none) && kinds(&spec).len() == 6);
    assert_eq!(spec.linux.sysctl["net.ipv4.ip_unprivileged_port_start"], "0");
    assert_eq!(spec.hostname.as_deref(), Some("box"));
    assert!(spec.linux.seccomp.is_some() && !spec.linux.masked_paths.is_empty());
}

#[test]
fn the_hosts_network_is_no_namespace_and_its_settings_are_not_touched() {
    let mut asked = config(Mode::Host);
    let spec = made(&asked, None).expect("a spec");
    assert!(!kinds(&spec).contains_key(&NamespaceKind::Network) && spec.linux.sysctl.is_empty());
    asked.sysctl.insert("net.ipv4.ip_forward".to_owned(), "1".to_owned());
    let error = made(&asked, None).expect_err("refused");
    let said = "--sysctl net.ipv4.ip_forward: it would change the host, whose network the container has";
    assert_eq!(error.to_string(), said);
}

#[test]
fn another_containers_namespaces_and_files_are_shared() {
    let other = Id::new(&"cd".repeat(32)).expect("an id");
    let places = Places { state_dir: "/nowhere".into(), run_dir: "/nowhere".into() };
    let shared = Shared { pid: 7, folder: places.container(&other) };
    let spec = made(&config(Mode::Container(other)), Some(&shared)).expect("a spec");
    for (kind, name) in
        [(NamespaceKind::Network, "net"), (NamespaceKind::Uts, "uts"), (NamespaceKind::Ipc, "ipc")]
    {
        assert_eq!(kinds(&spec)[&kind], Some(PathBuf::from(format!("/proc/7/ns/{name}"))));
    }
    assert_eq!(spec.hostname, None);
    let hosts = spec.mounts.iter().find(|mount| mount.destination == Path::new("/etc/hosts"));
    assert_eq!(hosts.and_then(|mount| mount.source.clone()), Some(shared.folder.hosts()));
}

#[test]
fn whoever_is_privileged_is_not_confined() {
    let mut asked = config(Mode::None);
    asked.privileges.privileged = true;
    let spec = made(&asked, None).expect("a spec");
    assert!(spec.linux.seccomp.is_none() && spec.linux.masked_paths.is_empty());
    assert!(spec.linux.devices.iter().any(|device| device.path == Path::new("/dev/null")));
    assert_eq!(spec.linux.resources.devices.len(), 1);
}

#[test]
fn what_everybody_expects_of_an_environment_is_there_unless_it_was_given() {
    let mut asked = config(Mode::None);
    asked.program.env = vec!["PATH=/x".to_owned(), "A=b".to_owned()];
    asked.program.tty = true;
    let spec = made(&asked, None).expect("a spec");
    assert_eq!(spec.process.env, ["HOSTNAME=box", "TERM=xterm", "HOME=/", "PATH=/x", "A=b"]);
}

#[test]
fn volumes_are_made_and_lie_over_what_would_be_there() {
    let scratch = Scratch::new();
    let mut asked = config(Mode::None);
    let volume = |source: &str, destination: &str| Volume {
        source: scratch.path().join(source),
        destination: destination.into(),
        read_only: true,
        propagation: None,
    };
    asked.volumes =
        vec![volume("deep", "/data/deep"), volume("data", "/data"), volume("hosts", "/etc/hosts")];
    let spec = made(&asked, None).expect("a spec");
    let last: Vec<_> =
        spec.mounts.iter().rev().take(3).rev().map(|mount| mount.destination.to_str().unwrap()).collect();
    assert_eq!(last, ["/data", "/data/deep", "/etc/hosts"]);
    assert_eq!(spec.mounts.iter().filter(|mount| mount.destination == Path::new("/etc/hosts")).count(), 1);
    assert!(scratch.path().join("deep").is_dir());
}

#[test]
fn a_container_without_a_program_is_refused() {
    let mut asked = config(Mode::None);
    asked.program.cmd.clear();
    assert!(matches!(made(&asked, None), Err(SpecError::NoProgram)));
}

#[test]
fn a_device_that_is_none_is_refused_by_name() {
    let mut asked = config(Mode::None);
    asked.privileges.devices = vec![("/etc".into(), "/etc".into(), "rwm".to_owned())];
    assert_eq!(made(&asked, None).expect_err("refused").to_string(), "--device: /etc is no device");
    asked.privileges.devices = vec![("/dev/null".into(), "/dev/x".into(), "rx".to_owned())];
    let said = "--device: access \"rx\" has letters other than r, w and m";
    assert_eq!(made(&asked, None).expect_err("refused").to_string(), said);
}

#[test]
fn a_limit_that_is_none_is_refused_by_name() {
    let mut asked = config(Mode::None);
    asked.limits.ulimits = vec![crate::Ulimit { name: "files".to_owned(), soft: 1, hard: 1 }];
    assert_eq!(
        made(&asked, None).expect_err("refused").to_string(),
        "--ulimit: \"files\" is no limit of setrlimit(2)"
    );
}
