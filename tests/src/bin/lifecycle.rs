//! Raises, lowers and retires a network of `/etc/cni/net.d`: what makes and removes networks does so around the library.
//!
//! A program of its own, so that it can be killed and made to fail at each of its system calls.

use std::io::Write;
use std::process::ExitCode;

use cni::{Fault, InProcess, Registry, Reloaded, SearchPath};
use network::{Cache, Errors, Folder, FolderError, Locks, Runtime};

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("usage: lifecycle raise|lower|retire NETWORK")]
    Usage,
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error(transparent)]
    Errors(#[from] Errors),
    #[error("remove the file of the network")]
    Remove(#[source] std::io::Error),
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (text, code) = match run(&words) {
        Ok(text) => (text.to_owned(), ExitCode::SUCCESS),
        Err(Error::Errors(errors)) => {
            let hint = errors.hint().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
            (format!("error: {errors}{hint}"), ExitCode::FAILURE)
        }
        Err(error) => (format!("error: {error}"), ExitCode::FAILURE),
    };
    // Nobody is left to hear that standard output is closed.
    let _ = writeln!(std::io::stdout(), "{text}");
    code
}

fn run(words: &[&str]) -> Result<&'static str, Error> {
    let [verb, network] = words else { return Err(Error::Usage) };
    let runtime = Runtime {
        registry: Registry::new(netctl::PLUGINS, InProcess::Listed),
        path: SearchPath::new("/opt/cni/bin"),
        cache: Cache::new(Cache::SYSTEM),
        locks: Locks::new(cni::run_dir()),
        netns_override: false,
    };
    let list = Folder::new(Folder::SYSTEM).find(network)?;
    match *verb {
        "raise" => Ok(match runtime.raise(&list)? {
            Reloaded::AsItWas => "as it was",
            Reloaded::PutBack => "put back",
        }),
        "lower" => runtime.lower(&list).map(|()| "lowered").map_err(Error::from),
        "retire" => {
            let file = format!("{}/{network}.conflist", Folder::SYSTEM);
            runtime.retire(
                &list,
                |_| Ok(Vec::new()),
                || std::fs::remove_file(file).map_err(Error::Remove),
            )?;
            Ok("retired")
        }
        _ => Err(Error::Usage),
    }
}
