//! Programs that tests need, and a count of what could not be tested without them.

use std::env;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

const PACKAGES: &str = include_str!("../packages.txt");

/// Names a file to which each skipped test adds a line with its reason. The Makefile sets it, and counts.
pub const SKIPS: &str = "LAB_SKIPS";

/// Looks for a program in `PATH` and where administrators' programs are. A path is looked for as it is: that
/// is how to ask for a CNI plugin, for `bridge` alone is iproute2's.
#[must_use]
pub fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let others = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    let mut candidates = env::split_paths(&path).chain(others).map(|folder| folder.join(program));
    candidates.find(|candidate| candidate.is_file())
}

/// Looks for a program; when it is absent, says and counts that a test is skipped, and which Debian package
/// would help.
///
/// ```no_run
/// let Some(strace) = lab::tools::require("strace") else { return };
/// ```
#[must_use]
pub fn require(program: &str) -> Option<PathBuf> {
    let found = find(program);
    if found.is_none() {
        let package = package_of(program).map(|package| format!(" (Debian package {package})"));
        skip(&format!("{program} is not installed{}", package.unwrap_or_default()));
    }
    found
}

/// Says and counts that a test, or a part of it, is skipped. The test that is running is named.
pub fn skip(reason: &str) {
    let thread = std::thread::current();
    let line = format!("skipped: {}: {reason}\n", thread.name().unwrap_or("?"));
    // Not by `eprint!`, which the test harness hides when a test succeeds. A closed stderr hears nothing.
    let _unheard = io::stderr().write_all(line.as_bytes());
    if let Some(path) = env::var_os(SKIPS) {
        let file = OpenOptions::new().create(true).append(true).open(path);
        let _uncounted = file.and_then(|mut file| file.write_all(line.as_bytes()));
    }
}

/// The helper program of this crate, beside the running one or a folder above it, where cargo puts it.
/// `LAB_PROBE` names another.
#[must_use]
pub fn probe() -> Option<PathBuf> {
    if let Some(path) = env::var_os("LAB_PROBE") {
        return Some(path.into());
    }
    let running = env::current_exe().ok()?;
    let folders = running.ancestors().skip(1).take(2);
    folders.map(|folder: &Path| folder.join("lab-probe")).find(|candidate| candidate.is_file())
}

/// The Debian packages that the tests need, as `packages.txt` lists them.
pub fn packages() -> impl Iterator<Item = &'static str> {
    lines().map(|(package, _)| package)
}

fn package_of(program: &str) -> Option<&'static str> {
    let is_it = |name: &str| match name.strip_suffix('*') {
        Some(folder) => program.starts_with(folder),
        None => name == program,
    };
    let mut owners = lines().filter(|(_, programs)| programs.split_whitespace().any(is_it));
    owners.next().map(|(package, _)| package)
}

fn lines() -> impl Iterator<Item = (&'static str, &'static str)> {
    PACKAGES.lines().filter_map(|line| {
        let (package, comment) = line.split_once('#')?;
        let (programs, _why) = comment.split_once(':')?;
        Some((package.trim(), programs.trim())).filter(|(package, _)| !package.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_program_has_its_package() {
        assert_eq!(package_of("tc"), Some("iproute2"));
        assert_eq!(package_of("bridge"), Some("iproute2"));
        assert_eq!(package_of("/usr/lib/cni/bridge"), Some("containernetworking-plugins"));
        assert_eq!(package_of("looks"), None);
        assert_eq!(packages().count(), 21);
    }

    #[test]
    fn a_program_is_found_or_not() {
        assert!(find("sh").is_some_and(|path| path.ends_with("sh")));
        assert_eq!(require("sh"), find("sh"));
        assert_eq!(find("surely-not-there"), None);
    }

    #[test]
    fn a_plugin_is_not_mistaken_for_a_program_of_the_same_name() {
        assert_eq!(find("/usr/lib/surely-not-there/bridge"), None);
        assert!(find("bridge").is_none_or(|path| !path.starts_with("/usr/lib/cni")));
    }
}
