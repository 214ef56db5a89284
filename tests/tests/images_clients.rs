//! Images go from podman and containerd to us and back, in every format that they write.

use images::{LoadOptions, Source, Store};
use lab::Place;
use std::fs::{self, File};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::PathBuf;
use tests::clients::{Containerd, Podman, image};
use tests::{PluginFolder, Test};

const CHANGED: &str = "localhost/changed:1";

/// A folder that the host sees as well.
struct Shared(PathBuf);

impl Shared {
    fn new(name: &str) -> std::io::Result<Self> {
        let path = std::env::temp_dir().join(format!("netctl-{name}-{}", std::process::id()));
        fs::create_dir(&path)?;
        Ok(Self(path))
    }
    fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A second layer, which takes away what the first has.
fn change(podman: &Podman) -> Test {
    let script = "rm /bin/nc && rm -r /www && mkdir /www && echo new >/www/new && chmod 4711 /bin/busybox";
    podman.run(["run", "--name", "c", "--network", "none", image::NAME, "sh", "-c", script]).ok()?;
    podman.run(["commit", "-q", "c", CHANGED]).ok()?;
    podman.run(["rm", "c"]).ok()?;
    Ok(())
}

#[test]
fn what_podman_saves_is_loaded_and_goes_back() -> Test {
    let Some(podman) = Podman::start("images", PluginFolder::ours()?)? else { return Ok(()) };
    let shared = Shared::new("podman-images")?;
    change(&podman)?;
    let id = podman.inspect(CHANGED)?["Id"].as_str().unwrap_or_default().to_owned();
    for (format, file) in [
        ("docker-archive", "docker.tar"),
        ("docker-archive", "docker.tar.gz"),
        ("oci-archive", "oci.tar"),
        ("oci-dir", "oci"),
    ] {
        let (archive, plain) = (shared.path(file), shared.path(file).replace(".gz", ""));
        if archive == plain {
            podman.run(["save", "-q", "--format", format, "-o", &archive, CHANGED]).ok()?;
        } else {
            podman.stage().host().run(["gzip", "-k", &plain]).ok()?;
        }
        let store = Store::open(shared.path(&format!("store-{file}")))?;
        let loaded = store.load(Source::Path(archive.clone().into()), &LoadOptions::default())?;
        // podman's OCI archives say what an image is in other words, so its id is another.
        assert!(format != "docker-archive" || loaded[0].id.hex() == id, "{file}");
        let image = store.find(&loaded[0].id.to_string())?;
        let names: Vec<String> = image.names.iter().map(ToString::to_string).collect();
        assert_eq!(names, [CHANGED], "{file}");
        let top = &store.lower_dirs(&image)[0];
        assert!(top.join("bin/nc").symlink_metadata()?.file_type().is_char_device(), "{file}");
        assert_eq!(fs::metadata(top.join("bin/busybox"))?.permissions().mode() & 0o7777, 0o4711);
        goes_back(&podman, &store, &shared)?;
    }
    Ok(())
}

/// podman, which has the image no more, loads what we save, and runs it.
fn goes_back(podman: &Podman, store: &Store, shared: &Shared) -> Test {
    let path = shared.path("back.tar");
    store.save(&[CHANGED], File::create(&path)?)?;
    podman.run(["rmi", "-f", CHANGED]).ok()?;
    for way in ["docker-archive", "oci-archive"] {
        // By its id: of an OCI archive podman takes the tag alone for a name.
        let id = podman.run(["pull", "-q", &format!("{way}:{path}")]).ok()?;
        let script = "echo /www/*; ls -d /bin/nc";
        let seen = podman.run(["run", "--rm", "--network", "none", id.trim(), "sh", "-c", script]);
        assert_eq!(seen.stdout(), "/www/new\n", "{way}: {seen}");
        podman.run(["rmi", "-f", id.trim()]).ok()?;
    }
    podman.run(["load", "-q", "-i", &path]).ok()?;
    podman.inspect(CHANGED)?;
    Ok(())
}

#[test]
fn what_containerd_exports_is_loaded_and_goes_back() -> Test {
    let Some(containerd) = Containerd::start("images", PluginFolder::ours()?)? else { return Ok(()) };
    let shared = Shared::new("containerd-images")?;
    let (theirs, ours) = (shared.path("theirs.tar"), shared.path("ours.tar"));
    containerd.ctr(["image", "export", &theirs, image::NAME]).ok()?;
    let store = Store::open(shared.path("store"))?;
    store.load(Source::Path(theirs.into()), &LoadOptions::default())?;
    let image = store.find(image::NAME)?;
    assert!(store.lower_dirs(&image)[0].join("bin/busybox").is_file());
    store.tag(image::NAME, "localhost/ours:2".parse()?)?;
    store.save(&["localhost/ours:2"], File::create(&ours)?)?;
    containerd.ctr(["image", "import", "--snapshotter", "native", &ours]).ok()?;
    let run = ["run", "--rm", "--runc-binary", "runc", "--snapshotter", "native"];
    let run = run.into_iter().chain(["localhost/ours:2", "ours", "sh", "-c", "echo it runs"]);
    assert_eq!(containerd.ctr(run).ok()?, "it runs\n");
    Ok(())
}
