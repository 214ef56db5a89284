//! Folders with plugins in them: what stands in `CNI_PATH`.

use crate::programs;
use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// The plugins that our executable holds.
pub const OURS: [&str; 8] =
    ["bridge", "host", "none", "loopback", "host-local", "static", "portmap", "firewall"];

/// A folder with plugins in it, removed when it is dropped.
#[derive(Debug)]
pub struct PluginFolder {
    path: PathBuf,
    executable: PathBuf,
}

/// A folder could not be made.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it all")]
pub enum Error {
    #[error(transparent)]
    Program(#[from] programs::Error),
    #[error("put {} in place", path.display())]
    Place { path: PathBuf, source: io::Error },
}

impl PluginFolder {
    /// A folder as `netctl install` makes it: one file with the names of all our plugins.
    ///
    /// # Errors
    /// The executable has not been built, or cannot be linked.
    pub fn ours() -> Result<Self, Error> {
        let folder = Self::empty()?;
        for plugin in OURS {
            folder.link(plugin)?;
        }
        Ok(folder)
    }

    /// An empty folder. It is made beside our executable, for hard links do not leave a file system.
    ///
    /// # Errors
    /// The executable has not been built, or there is no room.
    pub fn empty() -> Result<Self, Error> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let executable = programs::find("netctl-cni")?;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("plugin-folders/{}.{number}", std::process::id());
        let path = executable.with_file_name(name);
        fs::create_dir_all(&path).map_err(|source| Error::Place { path: path.clone(), source })?;
        Ok(Self { path, executable })
    }

    /// Puts our plugin there by a hard link: the very file that runs as any other plugin of ours.
    ///
    /// # Errors
    /// The name is taken.
    pub fn link(&self, plugin: &str) -> Result<(), Error> {
        let path = self.file(plugin);
        fs::hard_link(&self.executable, &path).map_err(|source| Error::Place { path, source })
    }

    /// Puts our plugin there as a copy: another file, which has to be executed.
    ///
    /// # Errors
    /// `cp` fails.
    pub fn copy(&self, plugin: &str) -> Result<(), Error> {
        self.install(&self.executable, plugin)
    }

    /// Puts the reference's plugin there.
    ///
    /// # Errors
    /// The name is taken.
    pub fn reference(&self, plugin: &str) -> Result<(), Error> {
        let path = self.file(plugin);
        symlink(Path::new(programs::REFERENCE).join(plugin), &path)
            .map_err(|source| Error::Place { path, source })
    }

    /// Puts a shell script there that plays a foreign plugin.
    ///
    /// # Errors
    /// `cp` fails.
    pub fn script(&self, plugin: &str, script: &str) -> Result<(), Error> {
        let text = self.path.join(format!("{plugin}.text"));
        let failed = |source| Error::Place { path: text.clone(), source };
        fs::write(&text, format!("#!/bin/sh\n{script}\n")).map_err(failed)?;
        fs::set_permissions(&text, fs::Permissions::from_mode(0o755)).map_err(failed)?;
        self.install(&text, plugin)
    }

    /// Copies by a process of its own: a file that this one had open for writing could not be executed as
    /// long as a child of another thread still holds it.
    fn install(&self, source: &Path, plugin: &str) -> Result<(), Error> {
        let path = self.file(plugin);
        let copied = Command::new("cp").arg("--").arg(source).arg(&path).output();
        let failed = |source| Error::Place { path: path.clone(), source };
        match copied.map_err(failed)? {
            output if output.status.success() => Ok(()),
            output => Err(failed(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()))),
        }
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file of a plugin in it.
    #[must_use]
    pub fn file(&self, plugin: &str) -> PathBuf {
        self.path.join(plugin)
    }
}

impl Drop for PluginFolder {
    fn drop(&mut self) {
        // What stays is below cargo's target folder.
        let _stays = fs::remove_dir_all(&self.path);
    }
}
