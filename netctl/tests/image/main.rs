//! Images by the command line: loaded, listed, named, saved, removed.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use lab::{Call, Here};
use serde_json::Value;

type Test = Result<(), Box<dyn std::error::Error>>;

const NETCTL: &str = env!("CARGO_BIN_EXE_netctl");

/// A folder with a store of images, as long as a test runs.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self, Box<dyn std::error::Error>> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("netctl-image-{}-{number}", std::process::id()));
        fs::create_dir_all(path.join("root/bin"))?;
        fs::write(path.join("root/bin/tool"), "#!/bin/sh\n")?;
        symlink("tool", path.join("root/bin/sh"))?;
        Ok(Self(path))
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    /// `netctl` with these words, on this store.
    fn netctl(&self, words: &str) -> Call {
        self.at("state", words)
    }

    fn at(&self, state: &str, words: &str) -> Call {
        let words = words.replace("ROOT", &self.path("root")).replace("FILE", &self.path("file"));
        let words: Vec<&str> = words.split_whitespace().collect();
        Call::new([NETCTL].iter().chain(&words)).env("NETCTL_STATE_DIR", self.path(state))
    }

    fn ok(&self, words: &str) -> Result<String, Box<dyn std::error::Error>> {
        Ok(self.netctl(words).run(&Here).ok()?)
    }

    fn refused(&self, words: &str) -> Result<String, Box<dyn std::error::Error>> {
        Ok(self.netctl(words).run(&Here).refused()?.stderr().to_owned())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn an_image_is_made_saved_and_loaded_elsewhere_as_the_same() -> Test {
    let scratch = Scratch::new()?;
    let id = scratch.ok("import -m made ROOT tools:1")?;
    assert!(id.starts_with("sha256:") && id.trim().len() == 71, "{id}");
    assert_eq!(scratch.ok("save -o FILE tools:1")?, "");
    for words in ["load -i FILE", "load -q -i FILE"] {
        let said = scratch.at("other", words).run(&Here).ok()?;
        let expected = if words.contains("-q") { id.clone() } else { "Loaded image: tools:1\n".to_owned() };
        assert_eq!(said, expected);
    }
    let stream = Call::new(["sh", "-c", "\"$0\" save tools:1 | gzip | \"$0\" load", NETCTL]);
    let said = stream.env("NETCTL_STATE_DIR", scratch.path("state")).run(&Here).ok()?;
    assert_eq!(said, "Loaded image: tools:1\n");
    let ids = |state: &str| scratch.at(state, "images -q --no-trunc").run(&Here).ok();
    assert_eq!((ids("state")?, ids("other")?), (id.clone(), id));
    Ok(())
}

#[test]
fn images_are_listed_by_each_of_their_names() -> Test {
    let scratch = Scratch::new()?;
    scratch.ok("import ROOT tools:1")?;
    assert_eq!(scratch.ok("tag tools:1 registry.example:5000/tools")?, "");
    let table = scratch.ok("images")?;
    let columns: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(columns[0], ["REPOSITORY", "TAG", "IMAGE", "ID", "CREATED", "SIZE"]);
    assert_eq!(columns[1][..2], ["registry.example:5000/tools", "latest"]);
    assert_eq!(columns[2][..2], ["tools", "1"]);
    assert_eq!(scratch.ok("images --format {{.Repository}}:{{.Tag}} tools")?, "tools:1\n");
    let all: Vec<Value> = serde_json::from_str(&scratch.ok("images -o json")?)?;
    assert_eq!((all.len(), &all[0]["ID"]), (2, &all[1]["ID"]));
    assert_eq!(scratch.ok("images -q")?.lines().count(), 1);
    assert_eq!(scratch.ok("image ls -q")?, scratch.ok("images -q")?);
    Ok(())
}

#[test]
fn a_name_that_moves_to_another_image_is_told() -> Test {
    let scratch = Scratch::new()?;
    let first = scratch.ok("import -m one ROOT tools:1")?;
    scratch.ok("import -m two ROOT tools:2")?;
    let said = scratch.netctl("tag tools:2 tools:1").run(&Here);
    assert!(said.succeeded());
    let expected = format!("note: tools:1 was the name of image {} before\n", first.trim());
    assert_eq!(said.stderr(), expected);
    // The first has no name now, and is what prune is for.
    assert!(scratch.ok("images")?.contains("<none>"));
    assert_eq!(scratch.ok("image prune")?, first);
    assert_eq!(scratch.ok("images -q")?.lines().count(), 1);
    Ok(())
}

#[test]
fn what_has_no_name_left_is_deleted_with_its_layers() -> Test {
    let scratch = Scratch::new()?;
    let id = scratch.ok("import ROOT tools:1")?;
    scratch.ok("tag tools:1 tools:2")?;
    assert_eq!(scratch.ok("rmi tools:1")?, "Untagged: tools:1\n");
    let said = scratch.ok("rmi tools:2")?;
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[..2], ["Untagged: tools:2", &format!("Deleted: {}", id.trim())]);
    assert!(lines[2].starts_with("Deleted: sha256:"), "{said}");
    let left =
        |folder: &str| fs::read_dir(Path::new(&scratch.path("state")).join(folder)).map(Iterator::count);
    assert_eq!((left("layers")?, left("images")?, left("tmp")?), (0, 0, 0));
    assert!(scratch.refused("rmi tools:2")?.starts_with("error: find an image named tools:2: there is none"));
    scratch.ok("rmi -f tools:2")?;
    Ok(())
}

#[test]
fn an_image_that_a_container_is_made_of_stays() -> Test {
    let scratch = Scratch::new()?;
    let id = scratch.ok("import ROOT tools:1")?;
    let container = runner::Config::new(
        runner::Id::from_bytes([7; 32]),
        runner::Name::new("b1")?,
        runner::Source::Image(runner::ImageUse { id: id.trim().to_owned(), name: "tools:1".to_owned() }),
        runner::Mode::None,
    );
    let places =
        runner::Places { state_dir: scratch.path("state").into(), run_dir: scratch.path("run").into() };
    let store = runner::Store::new(places);
    let container = store.create(container)?;
    let said = scratch.refused("rmi -f tools:1")?;
    assert!(said.contains("container b1 use it") && said.contains("hint: remove these first"), "{said}");
    assert_eq!(scratch.ok("image prune --all")?, "");
    store.remove(&container)?;
    assert_eq!(scratch.ok("image prune --all")?, id);
    Ok(())
}

#[test]
fn history_tells_the_steps() -> Test {
    let scratch = Scratch::new()?;
    scratch.ok("import -m first ROOT tools:1")?;
    let steps: Vec<Value> = serde_json::from_str(&scratch.ok("history -o json tools:1")?)?;
    assert_eq!(steps.len(), 1);
    assert_eq!(steps[0]["Comment"], "first");
    assert_eq!(steps[0]["Size"], 10);
    assert!(scratch.ok("history tools:1")?.starts_with("IMAGE "));
    Ok(())
}

#[test]
fn an_image_is_shown_by_dockers_names() -> Test {
    let scratch = Scratch::new()?;
    assert!(scratch.refused("import -c SHELL=sh ROOT tools:1")?.contains("SHELL=sh"));
    let id = Call::new([NETCTL, "import", "-c", "CMD [\"sh\", \"-c\"]", "-c", "EXPOSE 80", "-m", "made"])
        .arg(scratch.path("root"))
        .arg("tools:1")
        .env("NETCTL_STATE_DIR", scratch.path("state"))
        .run(&Here)
        .ok()?;
    let shown: Vec<Value> = serde_json::from_str(&scratch.ok("image inspect tools:1")?)?;
    assert_eq!(shown[0]["Id"], id.trim());
    assert_eq!((&shown[0]["RepoTags"][0], &shown[0]["Comment"]), (&"tools:1".into(), &"made".into()));
    assert_eq!(shown[0]["Config"]["ExposedPorts"], serde_json::json!({"80/tcp": {}}));
    assert_eq!(shown[0]["RootFS"]["Layers"].as_array().map(Vec::len), Some(1));
    assert_eq!(scratch.ok("image inspect -f {{.Size}} tools:1")?, "10\n");
    let both = scratch.netctl("image inspect -f {{.Os}} tools:1 nothing").run(&Here);
    assert_eq!((both.code(), both.stdout()), (Some(1), "linux\n"));
    Ok(())
}

#[test]
fn what_a_killed_save_left_is_written_over_and_what_another_writes_is_not() -> Test {
    let scratch = Scratch::new()?;
    scratch.ok("import ROOT tools:1")?;
    let new = scratch.path(".netctl-new-file");
    fs::write(&new, "half an archive, longer than nothing")?;
    let held = fs::File::open(&new)?;
    held.lock()?;
    assert!(scratch.refused("save -o FILE tools:1")?.contains("another program writes it"));
    assert!(Path::new(&new).exists() && !Path::new(&scratch.path("file")).exists());
    drop(held);
    scratch.ok("save -o FILE tools:1")?;
    assert!(!Path::new(&new).exists());
    scratch.at("other", "load -i FILE").run(&Here).ok()?;
    Ok(())
}

#[test]
fn what_fails_leaves_neither_image_nor_file() -> Test {
    let scratch = Scratch::new()?;
    fs::write(scratch.path("file"), "no archive")?;
    let said = scratch.refused("load -i FILE")?;
    assert!(said.starts_with("error: ") && said.contains("/file"), "{said}");
    fs::remove_file(scratch.path("file"))?;
    assert!(scratch.refused("save -o FILE tools:9")?.contains("an image named tools:9"));
    let left: Vec<_> =
        fs::read_dir(&scratch.0)?.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    assert!(!left.iter().any(|name| name.starts_with("file")), "{left:?}");
    assert_eq!(scratch.ok("images -q")?, "");
    let said = scratch.netctl("import ROOT Tools").run(&Here);
    assert_eq!(said.code(), Some(2));
    assert!(said.stderr().contains("\"Tools\" is no name of an image"), "{}", said.stderr());
    Ok(())
}
