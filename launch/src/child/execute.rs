//! From this process to the program.

use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use oci::Process;
use rustix::fs::{Access, CWD, access};
use rustix::io::Errno;

use super::Never;
use super::target::{Missing, find_or_make};
use crate::failure::{Failure, Kind, Outcome, Tried};
use crate::sys;

/// Where programs are looked for if the environment does not say.
const USUAL_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A program, its arguments and its environment.
pub(crate) struct Program {
    name: String,
    /// Where it may be, in this order.
    candidates: Vec<CString>,
    arguments: Vec<CString>,
    environment: Vec<CString>,
}

impl Program {
    /// Enters the working directory, which is made if it is missing; before the user is changed, as Docker does.
    pub(crate) fn working_directory(process: &Process) -> Outcome {
        let path = &process.cwd;
        let what = || format!("enter working directory {}", path.display());
        match rustix::process::chdir(path) {
            Err(Errno::NOENT) => {}
            entered => return entered.tried(what),
        }
        let folder = find_or_make(path, Missing::Folder)?;
        let folder = folder.ok_or_else(|| Failure::new(what(), Errno::NOENT))?;
        rustix::process::fchdir(&folder).tried(what)
    }

    pub(crate) fn new(process: &Process) -> Outcome<Self> {
        let Some(name) = process.args.first().filter(|name| !name.is_empty()) else {
            return Err(Failure::new("find a program: the command line is empty", Errno::INVAL));
        };
        let text = |word: &String| {
            CString::new(word.as_bytes())
                .map_err(|_| Failure::new(format!("use {word:?} with a zero in it"), Errno::INVAL))
        };
        let path = process.env.iter().rev().find_map(|variable| variable.strip_prefix("PATH="));
        let places: Vec<&str> = match name.contains('/') {
            true => vec![""],
            false => path.unwrap_or(USUAL_PATH).split(':').collect(),
        };
        let candidates = places.into_iter().map(|place| match place {
            "" if name.contains('/') => text(name),
            "" => text(&format!("./{name}")),
            place => text(&format!("{}/{name}", place.trim_end_matches('/'))),
        });
        Ok(Self {
            name: name.clone(),
            candidates: candidates.collect::<Outcome<_>>()?,
            arguments: process.args.iter().map(text).collect::<Outcome<_>>()?,
            environment: process.env.iter().map(text).collect::<Outcome<_>>()?,
        })
    }

    /// Becomes the program. Returns only why that could not be.
    pub(crate) fn execute(&self) -> Outcome<Never> {
        let arguments: Vec<_> = self.arguments.iter().map(CString::as_c_str).collect();
        let environment: Vec<_> = self.environment.iter().map(CString::as_c_str).collect();
        let mut refused = None;
        sys::close_others_on_execute();
        for candidate in &self.candidates {
            let error = sys::execute(candidate, &arguments, &environment);
            match error.raw_os_error() {
                Some(libc::ENOENT | libc::ENOTDIR) if !exists(candidate) => {}
                Some(libc::ENOENT) => {
                    let what = format!("execute {}, whose interpreter is missing", shown(candidate));
                    return Err(Failure { kind: Kind::NotFound, what, source: error });
                }
                Some(libc::EACCES) => {
                    refused.get_or_insert((candidate, error));
                }
                _ => return Err(not_executable(candidate, error)),
            }
        }
        match refused {
            Some((candidate, error)) => Err(not_executable(candidate, error)),
            None => {
                let what = match self.name.contains('/') {
                    true => format!("execute {:?}", self.name),
                    false => format!("find {:?} in the container's PATH", self.name),
                };
                Err(Failure { kind: Kind::NotFound, what, source: Errno::NOENT.into() })
            }
        }
    }
}

fn exists(path: &CString) -> bool {
    access(path, Access::EXISTS).is_ok()
        || rustix::fs::statat(CWD, path, rustix::fs::AtFlags::empty()).is_ok()
}

fn not_executable(path: &CString, source: std::io::Error) -> Failure {
    Failure { kind: Kind::NotExecutable, what: format!("execute {}", shown(path)), source }
}

fn shown(path: &CString) -> String {
    Path::new(OsStr::from_bytes(path.as_bytes())).display().to_string()
}
