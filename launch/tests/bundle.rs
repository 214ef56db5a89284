//! Bundles as runc and crun would get them, started by `examples/run-bundle.rs`. They mount and make namespaces, which takes
//! root; nothing of it is seen outside of the processes that they start.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use oci::{Mount, Namespace, NamespaceKind, Process, Root, Spec};

type Wrong = Box<dyn std::error::Error>;
type Test = Result<(), Wrong>;

/// A bundle, and a root file system in which busybox is every program.
struct Bundle(PathBuf);

impl Bundle {
    fn new() -> Result<Self, Wrong> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let bundle = Self(std::env::temp_dir().join(format!("launch-{}-{number}", std::process::id())));
        for folder in ["root/bin", "root/dev", "root/proc", "place", "upper", "work"] {
            fs::create_dir_all(bundle.path(folder))?;
        }
        fs::copy(busybox()?, bundle.path("root/bin/busybox"))?;
        for name in ["sh", "cat", "id", "ls", "pwd", "echo", "true"] {
            symlink("busybox", bundle.path("root/bin").join(name))?;
        }
        Ok(bundle)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn spec(&self, words: &[&str]) -> Spec {
        use NamespaceKind::{Ipc, Mount as Mounts, Network, Pid, Uts};
        let mut spec = Spec { oci_version: oci::VERSION.to_owned(), ..Spec::default() };
        spec.process = Process {
            args: words.iter().map(|word| (*word).to_owned()).collect(),
            env: vec!["PATH=/bin".to_owned()],
            cwd: "/".into(),
            ..Process::default()
        };
        spec.root = Root { path: self.path("place"), readonly: false };
        spec.mounts = vec![mount("proc", "proc", "/proc"), mount("tmpfs", "tmpfs", "/dev")];
        spec.linux.namespaces =
            [Mounts, Pid, Network, Uts, Ipc].map(|kind| Namespace { kind, path: None }).to_vec();
        spec
    }

    /// Runs it on an overlay of the root.
    fn run(&self, spec: &Spec) -> Result<Output, Wrong> {
        fs::write(self.path("config.json"), serde_json::to_vec(spec)?)?;
        let own = std::env::current_exe()?;
        let folder = own.parent().and_then(Path::parent).ok_or("no folder of examples")?;
        let program = folder.join("examples/run-bundle");
        Ok(Command::new(program).arg(&self.0).env("LOWER", self.path("root")).output()?)
    }

    fn prints(&self, spec: &Spec) -> Result<String, Wrong> {
        let output = self.run(spec)?;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?)
    }
}

impl Drop for Bundle {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn busybox() -> Result<PathBuf, Wrong> {
    let places = ["/usr/bin/busybox", "/bin/busybox"].map(PathBuf::from);
    places
        .into_iter()
        .find(|path| path.exists())
        .ok_or_else(|| "Debian's busybox-static is not installed".into())
}

fn mount(kind: &str, source: &str, destination: &str) -> Mount {
    Mount {
        destination: destination.into(),
        kind: Some(kind.to_owned()),
        source: Some(source.into()),
        options: Vec::new(),
    }
}

#[test]
fn a_bundle_runs_as_it_says() -> Test {
    let bundle = Bundle::new()?;
    let mut spec = bundle.spec(&[
        "sh",
        "-c",
        "hostname 2>/dev/null || cat /proc/sys/kernel/hostname; pwd; echo $A; id -u; ls /proc/1/exe",
    ]);
    spec.hostname = Some("inside".to_owned());
    spec.process.env.push("A=b".to_owned());
    spec.process.cwd = "/made/by/us".into();
    spec.process.user.uid = 7;
    assert_eq!(bundle.prints(&spec)?, "inside\n/made/by/us\nb\n7\n/proc/1/exe\n");
    // The root below has nothing of it.
    assert!(!bundle.path("root/made").exists() && bundle.path("upper/made/by/us").is_dir());
    Ok(())
}

#[test]
fn what_cannot_be_done_is_told_with_what_was_tried() -> Test {
    let bundle = Bundle::new()?;
    let told = |spec: &Spec| -> Result<_, Wrong> {
        let output = bundle.run(spec)?;
        Ok((output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned()))
    };
    let (code, said) = told(&bundle.spec(&["no-such-program"]))?;
    assert_eq!(
        (code, said.contains("find \"no-such-program\" in the container's PATH")),
        (Some(127), true),
        "{said}"
    );
    let (code, said) = told(&bundle.spec(&["/dev/null"]))?;
    assert_eq!((code, said.contains("execute /dev/null: ")), (Some(126), true), "{said}");
    let mut spec = bundle.spec(&["true"]);
    spec.mounts.push(Mount { options: vec!["rbind".to_owned()], ..mount("bind", "/no/such/folder", "/x") });
    let (code, said) = told(&spec)?;
    assert_eq!((code, said.contains("open /no/such/folder to mount it: ")), (Some(125), true), "{said}");
    let mut spec = bundle.spec(&["true"]);
    spec.mounts.push(mount("no-such-type", "none", "/x"));
    let (code, said) = told(&spec)?;
    assert_eq!((code, said.contains("mount no-such-type on /x: ")), (Some(125), true), "{said}");
    Ok(())
}

#[test]
fn a_mount_goes_where_a_link_leads_in_the_container() -> Test {
    let bundle = Bundle::new()?;
    let outside = bundle.path("outside");
    fs::create_dir(&outside)?;
    fs::create_dir(bundle.path("source"))?;
    fs::write(bundle.path("source/file"), "from the host\n")?;
    // By an absolute path, and by more steps up than there are.
    symlink(&outside, bundle.path("root/absolute"))?;
    symlink("../../../../../..".to_owned() + &outside.display().to_string(), bundle.path("root/relative"))?;
    let source = bundle.path("source");
    for place in ["/absolute", "/relative"] {
        let mut spec = bundle.spec(&["cat", &format!("{place}/sub/file")]);
        let volume = mount("bind", &source.display().to_string(), &format!("{place}/sub"));
        spec.mounts.push(Mount { options: vec!["rbind".to_owned(), "ro".to_owned()], ..volume });
        assert_eq!(bundle.prints(&spec)?, "from the host\n", "{place}");
        assert!(!outside.join("sub").exists(), "{place}");
    }
    Ok(())
}

#[test]
fn nothing_is_mounted_over_what_the_kernel_tells() -> Test {
    let bundle = Bundle::new()?;
    symlink("/proc/self", bundle.path("root/trap"))?;
    let mut spec = bundle.spec(&["true"]);
    spec.mounts.push(mount("tmpfs", "tmpfs", "/trap/fd"));
    let output = bundle.run(&spec)?;
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.code() == Some(125) && said.contains("mount on /trap/fd: that is within /proc"),
        "{said}"
    );
    Ok(())
}
