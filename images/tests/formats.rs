//! Every form in which images come, from a file, a folder or a stream; and what it is loaded as.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod support;

use images::{ImageId, LayoutError, LoadError, LoadOptions, Loaded, Source, Store};
use std::error::Error;
use std::fs;
use support::{Layout, Scratch, Tar, configuration, docker, gzip, load, root, stream, told, zstd};

fn layer() -> Vec<u8> {
    Tar::default().file("hello", "hello").end()
}

fn names(loaded: &[Loaded]) -> Vec<String> {
    loaded.iter().flat_map(|image| image.names.iter().map(images::Reference::short)).collect()
}

fn says_hello(store: &Store, id: &ImageId) {
    assert_eq!(fs::read(root(store, id).join("hello")).unwrap(), b"hello");
}

fn annotated(mut image: serde_json::Value, key: &str, name: &str) -> serde_json::Value {
    image["annotations"] = serde_json::json!({key: name});
    image
}

#[test]
fn the_old_docker_archive_is_loaded_compressed_or_not() -> Result<(), Box<dyn Error>> {
    if !support::may_unpack() {
        return Ok(());
    }
    let archive = docker("team/app:1", &[&layer()]);
    for (number, bytes) in [archive.clone(), gzip(&archive), zstd(&archive)].into_iter().enumerate() {
        let scratch = Scratch::new();
        let store = scratch.store();
        let path = scratch.write("archive", &bytes);
        let source = if number == 0 { stream(bytes) } else { Source::Path(path) };
        let loaded = store.load(source, &LoadOptions::default())?;
        assert_eq!(names(&loaded), ["team/app:1"]);
        says_hello(&store, &loaded[0].id);
        let image = store.find("team/app:1")?;
        assert_eq!(image.configuration.config.cmd, ["sh"]);
        assert_eq!(image.bytes(), 5);
        let history = image.history();
        assert_eq!(history.len(), 2);
        assert_eq!((history[0].1.map(|layer| layer.bytes), history[1].1), (Some(5), None));
    }
    Ok(())
}

#[test]
fn layers_of_an_old_archive_may_be_links_to_others() -> Result<(), Box<dyn Error>> {
    if !support::may_unpack() {
        return Ok(());
    }
    let layer = layer();
    let config = configuration(&[&layer, &layer]);
    let list = r#"[{"Config":"c.json","RepoTags":null,"Layers":["a/layer.tar","b/layer.tar"]}]"#;
    let archive = Tar::default()
        .file("manifest.json", list)
        .file("c.json", &config)
        .symlink("b/layer.tar", "../a/layer.tar")
        .hard_link("a/layer.tar", "x/data")
        .file("x/data", &layer);
    let scratch = Scratch::new();
    let store = scratch.store();
    let loaded = load(&store, archive.end())?;
    assert_eq!(names(&loaded), Vec::<String>::new());
    says_hello(&store, &loaded[0].id);
    Ok(())
}

#[test]
fn an_oci_layout_is_loaded_as_a_folder_and_as_a_tar_with_layers_of_every_compression()
-> Result<(), Box<dyn Error>> {
    if !support::may_unpack() {
        return Ok(());
    }
    for kept in [layer(), gzip(&layer()), zstd(&layer())] {
        let mut layout = Layout::new();
        let image = layout.image(&configuration(&[&layer()]), &[kept]);
        let image = annotated(image, "org.opencontainers.image.ref.name", "quay.io/a/b:c");
        let layout = layout.index(&[image]);
        let scratch = Scratch::new();
        layout.write(&scratch.path().join("layout"));
        let folder = Source::Path(scratch.path().join("layout"));
        for source in [folder, stream(layout.tar())] {
            let store = Store::open(scratch.path().join(format!("{source:?}").replace('/', "_")))?;
            let loaded = store.load(source, &LoadOptions::default())?;
            assert_eq!(names(&loaded), ["quay.io/a/b:c"]);
            says_hello(&store, &loaded[0].id);
        }
    }
    Ok(())
}

#[test]
fn a_tag_alone_names_nothing() -> Result<(), Box<dyn Error>> {
    if !support::may_unpack() {
        return Ok(());
    }
    let mut layout = Layout::new();
    let image = layout.image(&configuration(&[&layer()]), &[layer()]);
    let image = annotated(image, "org.opencontainers.image.ref.name", "latest");
    let scratch = Scratch::new();
    let store = scratch.store();
    let loaded = load(&store, layout.index(&[image]).tar())?;
    assert_eq!(names(&loaded), Vec::<String>::new());
    assert!(store.find(&loaded[0].id.hex()[..12])?.names.is_empty());
    Ok(())
}

#[test]
fn an_index_within_an_index_is_searched_for_the_platform() -> Result<(), Box<dyn Error>> {
    if !support::may_unpack() {
        return Ok(());
    }
    let other = Tar::default().file("hello", "other machine").end();
    let mut layout = Layout::new();
    let here = images::Platform::of_this_machine();
    let mut mine = layout.image(&configuration(&[&layer()]), &[layer()]);
    mine["platform"] = serde_json::json!({"os": here.os, "architecture": here.architecture});
    let mut foreign = layout.image(&configuration(&[&other]), &[other]);
    foreign["platform"] = serde_json::json!({"os": "linux", "architecture": "mips64", "variant": "r6"});
    let mut attestation = layout.image(&configuration(&[]), &[]);
    attestation["platform"] = serde_json::json!({"os": "unknown", "architecture": "unknown"});
    let media_type = "application/vnd.oci.image.index.v1+json";
    let index = serde_json::json!({"schemaVersion": 2, "manifests": [attestation, foreign, mine]});
    let index = layout.blob(media_type, index.to_string().as_bytes());
    let layout = layout.index(&[annotated(index, "io.containerd.image.name", "docker.io/library/multi:1")]);

    let scratch = Scratch::new();
    let store = scratch.store();
    let loaded = load(&store, layout.tar())?;
    assert_eq!(names(&loaded), ["multi:1"]);
    says_hello(&store, &loaded[0].id);

    let options =
        |platform: &str| LoadOptions { platform: platform.parse().unwrap(), ..LoadOptions::default() };
    let loaded = store.load(stream(layout.tar()), &options("linux/mips64"))?;
    assert_eq!(fs::read(root(&store, &loaded[0].id).join("hello"))?, b"other machine");
    let error = store.load(stream(layout.tar()), &options("linux/s390x")).unwrap_err();
    let LoadError::Layout(LayoutError::NoPlatform { offered, .. }) = error else { panic!("{error:?}") };
    assert_eq!(offered, ["linux/mips64/r6".to_owned(), format!("linux/{}", here.architecture)]);
    Ok(())
}

#[test]
fn all_images_of_an_archive_are_loaded_and_docker_s_list_adds_names() -> Result<(), Box<dyn Error>> {
    if !support::may_unpack() {
        return Ok(());
    }
    let mut layout = Layout::new();
    let config = configuration(&[&layer()]);
    let one = layout.image(&config, &[layer()]);
    let two = layout.image(&configuration(&[&layer(), &layer()]), &[layer(), layer()]);
    let list = serde_json::json!([{
        "Config": format!("blobs/sha256/{}", images::Digest::of(&config).hex()),
        "RepoTags": ["one:a", "one:b"], "Layers": []}]);
    layout.0.insert("manifest.json".into(), list.to_string().into_bytes());
    let layout = layout.index(&[annotated(one, "io.containerd.image.name", "docker.io/library/one:a"), two]);
    let scratch = Scratch::new();
    let loaded = load(&scratch.store(), layout.tar())?;
    assert_eq!((loaded.len(), names(&loaded)), (2, vec!["one:a".to_owned(), "one:b".to_owned()]));
    Ok(())
}

#[test]
fn what_is_no_image_says_what_is_missing() {
    if !support::may_unpack() {
        return;
    }
    let scratch = Scratch::new();
    let store = scratch.store();
    let refused = |bytes: Vec<u8>| told(&load(&store, bytes).unwrap_err());
    assert_eq!(
        refused(layer()),
        "find images in standard input: it has neither index.json with oci-layout nor manifest.json"
    );
    assert!(refused(Vec::new()).starts_with("find images in"));
    assert!(refused(b"BZh91AY".to_vec()).ends_with("it is compressed by bzip2, which is not read here"));
    let broken = Tar::default().file("manifest.json", "[{]").end();
    assert!(refused(broken).starts_with("understand manifest.json of standard input: "));
    let list = r#"[{"Config":"c.json","RepoTags":[],"Layers":["a.tar"]}]"#;
    let without = Tar::default().file("manifest.json", list);
    assert_eq!(
        refused(without.clone().end()),
        "find c.json in standard input: it is named there, and missing"
    );
    let config = configuration(&[]);
    let miscounted = without.file("c.json", config).file("a.tar", layer()).end();
    assert!(refused(miscounted).contains("its configuration has 0, its manifest 1"));
    let mut layout = Layout::new();
    let chart = layout.blob("application/vnd.cncf.helm.config.v1+json", b"{}");
    let manifest = serde_json::json!({"schemaVersion": 2, "config": chart, "layers": []});
    let manifest = layout.blob("application/vnd.oci.image.manifest.v1+json", manifest.to_string().as_bytes());
    assert!(refused(layout.index(&[manifest]).tar()).contains("helm.config.v1+json, which is no image"));
    assert_eq!(support::kept(&scratch), Vec::<String>::new());
}
