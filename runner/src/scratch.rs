//! Folders that last as long as a test, and containers to put there.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::{Config, Id, Mode, Name, Places, Source};

pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("runner-test-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn places(&self) -> Places {
        Places { state_dir: self.0.join("lib"), run_dir: self.0.join("run") }
    }

    pub(crate) fn path(&self) -> &std::path::Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn config(name: &str, digit: u8) -> Config {
    Config::new(Id::from_bytes([digit; 32]), Name::new(name).unwrap(), Source::Folder("/".into()), Mode::None)
}
