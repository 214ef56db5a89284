//! `netctl install` and `netctl uninstall` in directories of their own.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};

/// A machine as far as files are concerned.
struct Machine(PathBuf);

impl Machine {
    fn new(name: &str) -> Self {
        let root = std::env::temp_dir().join(format!("netctl-install-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(&root).unwrap();
        Self(root)
    }

    fn cni_bin(&self) -> PathBuf {
        self.0.join("opt/cni/bin")
    }

    fn bin(&self) -> PathBuf {
        self.0.join("usr/bin")
    }

    fn share(&self) -> PathBuf {
        self.0.join("usr/share")
    }

    fn run(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_netctl"));
        command.args(words).arg("--cni-bin").arg(self.cni_bin()).arg("--prefix").arg(self.0.join("usr"));
        command.output().unwrap()
    }

    fn succeed(&self, words: &[&str]) -> String {
        let output = self.run(words);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && stderr.is_empty(), "{words:?}: {stderr}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Somebody else's file in the directory of plugins.
    fn stranger(&self, name: &str, content: &str) {
        fs::create_dir_all(self.cni_bin()).unwrap();
        fs::write(self.cni_bin().join(name), content).unwrap();
    }

    /// Every file of the machine, and its content.
    fn snapshot(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut folders = vec![self.cni_bin(), self.bin(), self.share()];
        while let Some(folder) = folders.pop() {
            let Ok(entries) = folder.read_dir() else { continue };
            for entry in entries {
                let path = entry.unwrap().path();
                if path.is_dir() && !path.is_symlink() {
                    folders.push(path);
                    continue;
                }
                let content = match path.is_symlink() {
                    true => path.read_link().unwrap().into_os_string().into_encoded_bytes(),
                    false => fs::read(&path).unwrap(),
                };
                files.insert(path, content);
            }
        }
        files
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn inode(path: &Path) -> u64 {
    fs::metadata(path).unwrap().ino()
}

#[test]
fn both_programs_and_a_link_for_every_plugin_are_put_in_place() {
    let machine = Machine::new("all");
    let told = machine.succeed(&["install"]);
    let plugins = machine.cni_bin().join("netctl-cni");
    let names: Vec<_> = netctl::PLUGINS.iter().map(|plugin| plugin.about().name).collect();
    for name in &names {
        assert_eq!(inode(&machine.cni_bin().join(name)), inode(&plugins), "{name}");
        assert!(told.contains(&format!("link {}/{name}\n", machine.cni_bin().display())), "{told}");
    }
    for program in [&plugins, &machine.bin().join("netctl")] {
        assert_eq!(fs::metadata(program).unwrap().permissions().mode() & 0o7777, 0o755);
    }
    let mut version = Command::new(machine.cni_bin().join(names[0]));
    let answer = version.env("CNI_COMMAND", "VERSION").output().unwrap();
    assert!(String::from_utf8_lossy(&answer.stdout).contains("supportedVersions"));
    let programs = machine.snapshot().into_keys().filter(|file| !file.starts_with(machine.share()));
    assert_eq!(programs.count(), names.len() + 4);
}

#[test]
fn manual_and_completions_are_where_others_look_for_them_and_go_with_netctl() {
    let machine = Machine::new("share");
    machine.succeed(&["install"]);
    let theirs = machine.share().join("man/man1/other.1");
    fs::write(&theirs, "somebody else's page").unwrap();
    for (name, beginning) in [
        ("man/man1/netctl.1", ".ie "),
        ("man/man1/netctl-netns-add.1", ".ie "),
        ("bash-completion/completions/netctl", "_netctl()"),
        ("zsh/site-functions/_netctl", "#compdef netctl"),
        ("fish/vendor_completions.d/netctl.fish", "# "),
    ] {
        let file = machine.share().join(name);
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.starts_with(beginning), "{name}: {text}");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o644);
    }
    // What is lost comes back.
    let page = machine.share().join("man/man1/netctl.1");
    let shown = fs::read(&page).unwrap();
    fs::remove_file(&page).unwrap();
    assert_eq!(machine.succeed(&["install"]), format!("write {}\n", page.display()));
    assert_eq!(fs::read(&page).unwrap(), shown);
    machine.succeed(&["uninstall"]);
    assert_eq!(machine.snapshot().into_keys().collect::<Vec<_>>(), [theirs]);
}

#[test]
fn somebody_elses_page_is_not_replaced_unless_asked_for() {
    let machine = Machine::new("page");
    let page = machine.share().join("man/man1/netctl.1");
    fs::create_dir_all(page.parent().unwrap()).unwrap();
    fs::write(&page, "another netctl").unwrap();
    let before = machine.snapshot();
    assert!(!machine.run(&["install"]).status.success());
    assert_eq!(machine.snapshot(), before);
    machine.succeed(&["install", "--force"]);
    machine.succeed(&["uninstall"]);
    assert_eq!(machine.snapshot(), before);
}

#[test]
fn again_changes_nothing_and_uninstall_leaves_nothing() {
    let machine = Machine::new("again");
    machine.succeed(&["install"]);
    let before = machine.snapshot();
    let inodes: Vec<_> = before.keys().map(|path| inode(path)).collect();
    assert_eq!(machine.succeed(&["install"]), "");
    assert_eq!(machine.snapshot(), before);
    assert_eq!(before.keys().map(|path| inode(path)).collect::<Vec<_>>(), inodes);
    machine.succeed(&["uninstall"]);
    assert!(machine.snapshot().is_empty());
    assert_eq!(machine.succeed(&["uninstall"]), "");
}

#[test]
fn strangers_are_refused_by_name_and_nothing_is_touched() {
    let machine = Machine::new("refused");
    machine.stranger("bridge", "the reference");
    machine.stranger("calico", "no business of ours");
    let before = machine.snapshot();
    let output = machine.run(&["install"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(
        stderr.contains("bridge there did not come with netctl") && stderr.contains("--force"),
        "{stderr}"
    );
    assert!(!stderr.contains("calico"), "{stderr}");
    assert_eq!(machine.snapshot(), before);
}

#[test]
fn strangers_come_back_when_netctl_goes() {
    let machine = Machine::new("restored");
    machine.stranger("bridge", "the reference");
    machine.stranger("calico", "no business of ours");
    symlink("/usr/lib/cni/loopback", machine.cni_bin().join("loopback")).unwrap();
    let before = machine.snapshot();
    machine.succeed(&["install", "--force"]);
    let kept = fs::read_to_string(machine.cni_bin().join("bridge.netctl-orig")).unwrap();
    assert_eq!(kept, "the reference");
    assert_eq!(machine.succeed(&["install"]), "", "what is kept stays kept");
    machine.succeed(&["uninstall"]);
    assert_eq!(machine.snapshot(), before);
}

#[test]
fn what_somebody_put_over_ours_is_left_to_them() {
    let machine = Machine::new("left");
    machine.succeed(&["install"]);
    fs::remove_file(machine.cni_bin().join("bridge")).unwrap();
    machine.stranger("bridge", "the reference, installed later");
    let told = machine.succeed(&["uninstall"]);
    assert!(told.contains("bridge: netctl did not install it"), "{told}");
    let left: Vec<_> = machine.snapshot().into_values().collect();
    assert_eq!(left, [b"the reference, installed later".to_vec()]);
}

#[test]
fn a_dry_run_tells_and_does_nothing() {
    let machine = Machine::new("dry");
    machine.stranger("bridge", "the reference");
    let before = machine.snapshot();
    let told = machine.succeed(&["install", "--dry-run", "--force"]);
    assert!(told.contains("bridge as") && told.contains("install "), "{told}");
    assert_eq!(machine.snapshot(), before);
    machine.succeed(&["install", "--force"]);
    let installed = machine.snapshot();
    assert!(machine.succeed(&["uninstall", "--dry-run"]).contains("restore "));
    assert_eq!(machine.snapshot(), installed);
}

#[test]
fn steps_are_told_as_json_a_line_each() {
    let machine = Machine::new("json");
    let told = machine.succeed(&["install", "--json"]);
    let steps: Vec<serde_json::Value> =
        told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(steps[0]["action"], "create-folder");
    assert!(steps.iter().any(|step| step["action"] == "link"));
}

#[test]
fn an_interrupted_installation_is_finished_or_taken_back() {
    let machine = Machine::new("interrupted");
    machine.stranger("bridge", "the reference");
    let before = machine.snapshot();
    machine.succeed(&["install", "--force"]);
    // As if it had been killed before the last name went over.
    fs::rename(machine.cni_bin().join("bridge.netctl-orig"), machine.cni_bin().join("bridge")).unwrap();
    fs::hard_link(machine.cni_bin().join("bridge"), machine.cni_bin().join("bridge.netctl-orig")).unwrap();
    fs::remove_file(machine.cni_bin().join("loopback")).unwrap();
    machine.succeed(&["uninstall"]);
    assert_eq!(machine.snapshot(), before);
}

#[test]
fn no_name_is_ever_missing_while_a_newer_version_is_installed() {
    let machine = Machine::new("upgrade");
    machine.succeed(&["install"]);
    let link = machine.cni_bin().join("host-local");
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            while !is_done.load(Ordering::Relaxed) {
                assert!(link.exists());
                std::thread::yield_now();
            }
        });
        for _ in 0..3 {
            // An older version: the same names, another content that the manifest knows.
            let manifest = machine.cni_bin().join(".netctl-install.json");
            let text = fs::read_to_string(&manifest).unwrap();
            let program = machine.cni_bin().join("netctl-cni");
            let old = machine.0.join("old");
            fs::write(&old, "old").unwrap();
            let digest = "cba06b5736faf67e54b07b561eae94395e774c517a7d910a54369e1263ccfbd4";
            let mut manifest_value: serde_json::Value = serde_json::from_str(&text).unwrap();
            for entry in manifest_value["files"].as_object_mut().unwrap().values_mut() {
                entry["sha256"] = serde_json::json!([digest]);
            }
            fs::write(&manifest, manifest_value.to_string()).unwrap();
            fs::rename(&old, &program).unwrap();
            for plugin in netctl::PLUGINS {
                let new = machine.0.join("link");
                fs::hard_link(&program, &new).unwrap();
                fs::rename(&new, machine.cni_bin().join(plugin.about().name)).unwrap();
            }
            assert!(machine.succeed(&["install"]).contains("install "));
        }
        is_done.store(true, Ordering::Relaxed);
        watcher.join().unwrap();
    });
}
