//! The two sides: a folder of plugins each.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The plugins that are compared.
const PLUGINS: [&str; 4] = ["bridge", "firewall", "host-local", "portmap"];

/// One side: a folder of plugins.
#[derive(Clone, Debug)]
pub struct Side {
    /// What it is called in tables.
    pub name: &'static str,
    /// What tells its networks from those of the other side.
    pub number: u8,
    /// Where its plugins are.
    pub folder: PathBuf,
    /// Who has written them.
    pub written: Written,
}

/// Who has written the plugins of a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// Those of this project.
    ByUs,
    /// The reference, whose rules are known.
    ByOthers,
}

/// A side cannot take part.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it all")]
pub enum Error {
    #[error("find {missing}{hint}")]
    Missing { missing: PathBuf, hint: &'static str },
    #[error("copy {from} to {to}")]
    Copy { from: PathBuf, to: PathBuf, source: io::Error },
}

impl Side {
    /// A side whose plugins are copied from `source` to a folder below `stage`.
    ///
    /// Both sides run from the same file system, so that it cannot make a difference.
    ///
    /// # Errors
    /// [`Error::Missing`] when the source lacks a plugin.
    pub fn copied(
        number: u8,
        name: &'static str,
        source: &Path,
        stage: &Path,
        written: Written,
    ) -> Result<Self, Error> {
        let folder = stage.join(name);
        for plugin in PLUGINS {
            let from = source.join(plugin);
            if !from.is_file() {
                let hint = " (Debian package containernetworking-plugins: `make packages`)";
                return Err(Error::Missing { missing: from, hint });
            }
            copy(&from, &folder.join(plugin))?;
        }
        Ok(Self { name, number, folder, written })
    }

    /// A side whose plugins all are names of one executable, as `netctl install` makes them.
    ///
    /// # Errors
    /// [`Error::Missing`] when it has not been built.
    pub fn linked(number: u8, name: &'static str, executable: &Path, stage: &Path) -> Result<Self, Error> {
        if !executable.is_file() {
            let hint = " (`cargo build --release -p netctl` makes it)";
            return Err(Error::Missing { missing: executable.to_owned(), hint });
        }
        let folder = stage.join(name);
        let copied = folder.join("netctl-cni");
        copy(executable, &copied)?;
        for plugin in PLUGINS {
            let to = folder.join(plugin);
            fs::hard_link(&copied, &to).map_err(|source| Error::Copy { from: copied.clone(), to, source })?;
        }
        Ok(Self { name, number, folder, written: Written::ByUs })
    }

    /// The executable of a plugin.
    #[must_use]
    pub fn plugin(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// A program beside the folders of the sides, if it exists: all run from the same file system.
///
/// # Errors
/// [`Error::Copy`].
pub fn copied(program: &Path, stage: &Path) -> Result<Option<PathBuf>, Error> {
    let Some(name) = program.file_name().filter(|_| program.is_file()) else { return Ok(None) };
    let to = stage.join(name);
    copy(program, &to)?;
    Ok(Some(to))
}

fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    let made = to.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::copy(from, to));
    made.map(drop).map_err(|source| Error::Copy { from: from.to_owned(), to: to.to_owned(), source })
}
