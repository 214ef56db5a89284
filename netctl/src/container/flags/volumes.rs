//! Flags about folders of the host, and of memory.

use std::path::PathBuf;

use clap::Args;
use runner::{Tmpfs, Volume};

use super::{Invalid, text};

#[derive(Debug, Args)]
#[group(skip)]
#[command(next_help_heading = "Files")]
pub(super) struct Flags {
    /// Show a folder or file of the host: FROM:TO[:ro|rw|rprivate|rslave|rshared,…]
    #[arg(short, long, value_name = "FROM:TO")]
    volume: Vec<String>,
    /// The same in Docker's long form: type=bind,source=FROM,target=TO[,readonly], type=tmpfs,target=TO[,tmpfs-size=SIZE]
    #[arg(long, value_name = "KEY=VALUE,…")]
    mount: Vec<String>,
    /// Have a folder in memory: TO[:OPTIONS of tmpfs(5)]
    #[arg(long, value_name = "TO")]
    tmpfs: Vec<String>,
}

const PROPAGATIONS: [&str; 6] = ["private", "rprivate", "slave", "rslave", "shared", "rshared"];

impl Flags {
    pub(super) fn volumes(&self) -> Result<(Vec<Volume>, Vec<Tmpfs>), Invalid> {
        let mut volumes = self.volume.iter().map(|text| volume(text)).collect::<Result<Vec<_>, _>>()?;
        let mut tmpfs = self.tmpfs.iter().map(|text| memory(text)).collect::<Result<Vec<_>, _>>()?;
        for text in &self.mount {
            match mount(text)? {
                Mounted::Volume(volume) => volumes.push(volume),
                Mounted::Tmpfs(memory) => tmpfs.push(memory),
            }
        }
        let places = volumes
            .iter()
            .map(|volume| &volume.destination)
            .chain(tmpfs.iter().map(|memory| &memory.destination));
        let mut places: Vec<&PathBuf> = places.collect();
        places.sort();
        match places.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => {
                Err(Invalid::new("--volume", pair[0].display().to_string(), "two of them have this place"))
            }
            None => Ok((volumes, tmpfs)),
        }
    }
}

fn volume(text: &str) -> Result<Volume, Invalid> {
    let wrong = |reason: &str| Invalid::new("--volume", text, reason);
    let mut words = text.split(':');
    let (source, destination, options) = match (words.next(), words.next(), words.next(), words.next()) {
        (Some(source), Some(destination), options, None) => {
            (source, destination, options.unwrap_or_default())
        }
        _ => return Err(wrong("expected FROM:TO or FROM:TO:OPTIONS")),
    };
    if !source.starts_with(['/', '.']) {
        return Err(wrong("FROM is to be a path, /… or ./…: there are no volumes with names"));
    }
    let mut volume = Volume {
        source: absolute(source),
        destination: inside(destination).ok_or_else(|| wrong("TO is to be an absolute path other than /"))?,
        read_only: false,
        propagation: None,
    };
    for option in options.split(',').filter(|option| !option.is_empty()) {
        match option {
            "ro" => volume.read_only = true,
            // Labels of SELinux, which containers of ours have none of; the last two are what is done anyway.
            "rw" | "z" | "Z" | "rbind" => {}
            word if PROPAGATIONS.contains(&word) => volume.propagation = Some(word.to_owned()),
            word => return Err(wrong(&format!("unknown option {word:?}"))),
        }
    }
    Ok(volume)
}

/// By where this process is.
fn absolute(path: &str) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| PathBuf::from(path))
}

fn inside(path: &str) -> Option<PathBuf> {
    let path = PathBuf::from(path);
    let is_plain = path.components().all(|part| !matches!(part, std::path::Component::ParentDir));
    (path.is_absolute() && is_plain && path.components().count() > 1).then_some(path)
}

fn memory(text: &str) -> Result<Tmpfs, Invalid> {
    let (destination, options) = text.split_once(':').unwrap_or((text, ""));
    let destination = inside(destination)
        .ok_or_else(|| Invalid::new("--tmpfs", text, "expected an absolute path other than /"))?;
    let options = options.split(',').filter(|option| !option.is_empty()).map(str::to_owned).collect();
    Ok(Tmpfs { destination, options })
}

enum Mounted {
    Volume(Volume),
    Tmpfs(Tmpfs),
}

fn mount(text: &str) -> Result<Mounted, Invalid> {
    let wrong = |reason: String| Invalid::new("--mount", text, reason);
    let (mut kind, mut source, mut target) = ("volume", None, None);
    let (mut read_only, mut propagation, mut options) = (false, None, Vec::new());
    for word in text.split(',') {
        let (key, value) = word.split_once('=').unwrap_or((word, "true"));
        match key {
            "type" => kind = value,
            "source" | "src" => source = Some(value),
            "target" | "destination" | "dst" => target = Some(value),
            "readonly" | "ro" => read_only = matches!(value, "true" | "1"),
            "bind-propagation" if PROPAGATIONS.contains(&value) => propagation = Some(value.to_owned()),
            "tmpfs-size" => options.push(format!("size={}", text::size("--mount tmpfs-size", value)?)),
            "tmpfs-mode" => options.push(format!("mode={value}")),
            _ => return Err(wrong(format!("unknown {word:?}"))),
        }
    }
    let target = target
        .and_then(inside)
        .ok_or_else(|| wrong("target is to be an absolute path other than /".to_owned()))?;
    match (kind, source) {
        ("bind", Some(source)) if source.starts_with('/') => {
            if !PathBuf::from(source).exists() {
                return Err(wrong(format!("source {source} is not there")));
            }
            Ok(Mounted::Volume(Volume { source: source.into(), destination: target, read_only, propagation }))
        }
        ("bind", _) => Err(wrong("source is to be an absolute path".to_owned())),
        ("tmpfs", None) => {
            options.extend(read_only.then(|| "ro".to_owned()));
            Ok(Mounted::Tmpfs(Tmpfs { destination: target, options }))
        }
        (kind, _) => {
            Err(wrong(format!("type {kind} is neither bind nor tmpfs; there are no volumes with names")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volumes_are_paths_with_options() {
        let read = volume("/srv:/data:ro,rslave").unwrap();
        assert_eq!((read.source, read.destination), ("/srv".into(), "/data".into()));
        assert_eq!((read.read_only, read.propagation.as_deref()), (true, Some("rslave")));
        assert!(volume("./here:/data").unwrap().source.is_absolute());
        for text in
            ["/srv", "data:/data", "/srv:data", "/srv:/", "/srv:/a/../b", "/srv:/data:fast", "/a:/b:ro:x"]
        {
            assert!(volume(text).is_err(), "{text}");
        }
    }

    #[test]
    fn dockers_long_form_is_read_as_well() {
        assert!(matches!(
            mount("type=bind,src=/etc,dst=/data,readonly"),
            Ok(Mounted::Volume(Volume { read_only: true, .. }))
        ));
        match mount("type=tmpfs,target=/data,tmpfs-size=1m") {
            Ok(Mounted::Tmpfs(memory)) => assert_eq!(memory.options, ["size=1048576"]),
            _ => panic!("no tmpfs"),
        }
        for text in [
            "type=volume,source=x,target=/d",
            "type=bind,target=/d",
            "type=bind,source=/nowhere/x,target=/d",
            "x=y",
        ] {
            assert!(mount(text).is_err(), "{text}");
        }
    }

    #[test]
    fn no_place_is_taken_twice() {
        let flags =
            Flags { volume: vec!["/etc:/data".into()], mount: Vec::new(), tmpfs: vec!["/data".into()] };
        assert_eq!(
            flags.volumes().unwrap_err().to_string(),
            "--volume \"/data\": two of them have this place"
        );
    }
}
