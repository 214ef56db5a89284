//! Archives made by hand, byte for byte, so that they can be as wrong as a test wants; and folders that go with the test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]
#![allow(dead_code, reason = "each test uses some of it")]
#![allow(unreachable_pub, reason = "a module of several tests")]
#![allow(missing_docs, reason = "the names say it all")]

use images::{Digest, LoadError, LoadOptions, Loaded, Source, Store};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder that goes with the value.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("netctl-images-{}-{number}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }
    pub fn path(&self) -> &Path {
        &self.0
    }
    pub fn store(&self) -> Store {
        Store::open(self.0.join("store")).unwrap()
    }
    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A tar, entry by entry.
#[derive(Clone, Default)]
pub struct Tar(pub Vec<u8>);

/// One header, whose fields are what they are set to.
pub struct Header {
    pub name: Vec<u8>,
    pub kind: u8,
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub size: u64,
    pub mtime: u64,
    pub target: Vec<u8>,
}

impl Header {
    pub fn new(name: impl AsRef<[u8]>, kind: u8) -> Self {
        let (name, target) = (name.as_ref().to_vec(), Vec::new());
        Self { name, kind, mode: 0o644, uid: 0, gid: 0, size: 0, mtime: 1_600_000_000, target }
    }

    pub fn bytes(&self) -> [u8; 512] {
        let mut block = [0; 512];
        let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, &self.name[..self.name.len().min(100)]);
        put(100, format!("{:07o}\0", self.mode).as_bytes());
        put(108, format!("{:07o}\0", self.uid).as_bytes());
        put(116, format!("{:07o}\0", self.gid).as_bytes());
        put(124, format!("{:011o}\0", self.size).as_bytes());
        put(136, format!("{:011o}\0", self.mtime).as_bytes());
        put(148, b"        ");
        put(156, &[self.kind]);
        put(157, &self.target[..self.target.len().min(100)]);
        put(257, b"ustar\x0000");
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        block
    }
}

impl Tar {
    pub fn entry(mut self, header: &Header, content: &[u8]) -> Self {
        self.0.extend(header.bytes());
        self.0.extend(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }
    pub fn file(self, name: impl AsRef<[u8]>, content: impl AsRef<[u8]>) -> Self {
        let header = Header { size: content.as_ref().len() as u64, ..Header::new(name, b'0') };
        self.entry(&header, content.as_ref())
    }
    pub fn folder(self, name: impl AsRef<[u8]>) -> Self {
        self.entry(&Header { mode: 0o755, ..Header::new(name, b'5') }, b"")
    }
    pub fn symlink(self, name: impl AsRef<[u8]>, target: impl AsRef<[u8]>) -> Self {
        self.entry(&Header { target: target.as_ref().to_vec(), ..Header::new(name, b'2') }, b"")
    }
    pub fn hard_link(self, name: impl AsRef<[u8]>, target: impl AsRef<[u8]>) -> Self {
        self.entry(&Header { target: target.as_ref().to_vec(), ..Header::new(name, b'1') }, b"")
    }
    /// Records that the next entry has.
    pub fn pax(self, records: &[(&str, &[u8])]) -> Self {
        let mut text = Vec::new();
        for (key, value) in records {
            let rest = 1 + key.len() + 1 + value.len() + 1;
            let length = (rest..).find(|length| length.to_string().len() + rest == *length).unwrap();
            text.extend(format!("{length} {key}=").bytes().chain(value.iter().copied()).chain([b'\n']));
        }
        self.entry(&Header { size: text.len() as u64, ..Header::new("pax", b'x') }, &text)
    }
    /// GNU's way to a long name (`L`) or target (`K`).
    pub fn long(self, kind: u8, name: &[u8]) -> Self {
        let text = [name, b"\0"].concat();
        self.entry(&Header { size: text.len() as u64, ..Header::new("././@LongLink", kind) }, &text)
    }
    pub fn end(mut self) -> Vec<u8> {
        self.0.extend([0; 1024]);
        self.0
    }
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

/// The configuration of an image of these uncompressed layers.
pub fn configuration(layers: &[&[u8]]) -> Vec<u8> {
    let diff_ids: Vec<String> = layers.iter().map(|layer| Digest::of(layer).to_string()).collect();
    let platform = images::Platform::of_this_machine();
    serde_json::json!({
        "architecture": platform.architecture, "os": "linux", "created": "2024-05-06T07:08:09Z",
        "config": {"Cmd": ["sh"], "Env": ["PATH=/bin"]},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": [{"created_by": "FROM scratch", "empty_layer": true}, {"created_by": "COPY / /"}],
        "x-unknown": {"stays": true},
    })
    .to_string()
    .into_bytes()
}

/// The old format of `docker save`.
pub fn docker(name: &str, layers: &[&[u8]]) -> Vec<u8> {
    let config = configuration(layers);
    let config_name = format!("{}.json", Digest::of(&config).hex());
    let mut tar = Tar::default().file(&config_name, &config);
    let mut names = Vec::new();
    for (number, layer) in layers.iter().enumerate() {
        names.push(format!("{number:064x}/layer.tar"));
        tar = tar.folder(format!("{number:064x}/")).file(names.last().unwrap(), layer);
    }
    let list = serde_json::json!([{"Config": config_name, "RepoTags": [name], "Layers": names}]);
    tar.file("manifest.json", list.to_string()).end()
}

/// The files of an OCI layout. Each layer is given as it is uncompressed, and as it is kept.
pub struct Layout(pub BTreeMap<String, Vec<u8>>);

impl Layout {
    pub fn new() -> Self {
        Self([("oci-layout".to_owned(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec())].into())
    }
    pub fn blob(&mut self, media_type: &str, bytes: &[u8]) -> serde_json::Value {
        let digest = Digest::of(bytes);
        self.0.insert(format!("blobs/sha256/{}", digest.hex()), bytes.to_vec());
        serde_json::json!({"mediaType": media_type, "digest": digest, "size": bytes.len()})
    }
    pub fn image(&mut self, config: &[u8], layers: &[Vec<u8>]) -> serde_json::Value {
        let config = self.blob("application/vnd.oci.image.config.v1+json", config);
        let layers: Vec<_> =
            layers.iter().map(|layer| self.blob("application/vnd.oci.image.layer.v1.tar", layer)).collect();
        let media_type = "application/vnd.oci.image.manifest.v1+json";
        let manifest = serde_json::json!({
            "schemaVersion": 2, "mediaType": media_type, "config": config, "layers": layers});
        self.blob(media_type, manifest.to_string().as_bytes())
    }
    pub fn index(mut self, manifests: &[serde_json::Value]) -> Self {
        let index = serde_json::json!({"schemaVersion": 2, "manifests": manifests});
        self.0.insert("index.json".into(), index.to_string().into_bytes());
        self
    }
    pub fn tar(&self) -> Vec<u8> {
        self.0.iter().fold(Tar::default(), |tar, (name, text)| tar.file(name, text)).end()
    }
    pub fn write(&self, folder: &Path) {
        for (name, text) in &self.0 {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }
}

/// Gives three bytes at a time, and cannot go back.
pub struct Pipe(pub std::io::Cursor<Vec<u8>>);

impl std::io::Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let end = buffer.len().min(1000);
        self.0.read(&mut buffer[..end])
    }
}

pub fn stream(bytes: Vec<u8>) -> Source {
    Source::Stream(Box::new(Pipe(std::io::Cursor::new(bytes))), "standard input".into())
}

pub fn load(store: &Store, bytes: Vec<u8>) -> Result<Vec<Loaded>, LoadError> {
    store.load(stream(bytes), &LoadOptions::default())
}

/// The folder that an image of one layer became.
pub fn root(store: &Store, id: &images::ImageId) -> PathBuf {
    store.lower_dirs(&store.find(&id.to_string()).unwrap())[0].clone()
}

/// An error with all its causes, as a person would see it.
pub fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// All that is below a folder: kind, mode, owner, size or target, and for files the digest.
pub fn snapshot(folder: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    let mut to_do = vec![folder.to_owned()];
    while let Some(path) = to_do.pop() {
        for entry in fs::read_dir(&path).unwrap() {
            let path = entry.unwrap().path();
            let about = path.symlink_metadata().unwrap();
            let kind = about.file_type();
            let content = if kind.is_dir() {
                to_do.push(path.clone());
                "folder".into()
            } else if kind.is_symlink() {
                format!("-> {}", fs::read_link(&path).unwrap().display())
            } else if kind.is_file() {
                Digest::of(&fs::read(&path).unwrap()).to_string()
            } else if kind.is_char_device() {
                format!("device {}", about.rdev())
            } else {
                "other".into()
            };
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            lines.push(format!("{name} {:o} {}:{} {content}", about.mode(), about.uid(), about.gid()));
        }
    }
    lines.sort();
    lines
}

/// What a store holds besides its lock and its empty folders.
pub fn kept(scratch: &Scratch) -> Vec<String> {
    let all = snapshot(&scratch.path().join("store"));
    all.into_iter()
        .filter(|line| !["images ", "layers ", "tmp ", "lock "].iter().any(|own| line.starts_with(own)))
        .collect()
}

/// Layers are unpacked by root, on a file system with `trusted` attributes.
pub fn may_unpack() -> bool {
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    if !is_root {
        lab::tools::skip("only root unpacks images");
    }
    is_root
}
