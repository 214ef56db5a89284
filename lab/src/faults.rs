//! Faults on purpose: one system call of a program fails, or the program is killed at it.
//!
//! `strace` does it from outside, so that no program has a hook for tests in it. A first run that counts
//! tells at which [`Point`]s there is something to disturb; then each point is disturbed in a run of its own.
//!
//! ```no_run
//! # use lab::{Call, Host, faults::{Fault, Strace}};
//! # fn test(host: &Host, add: Call, del: Call) -> Result<(), Box<dyn std::error::Error>> {
//! let Some(strace) = Strace::require(host) else { return Ok(()) };
//! for point in strace.points(host, &add)? {
//!     let disturbed = strace.inject(host, &add, &point, Fault::Kill)?;
//!     assert!(disturbed.hit, "{point}");
//!     // … and then DEL leaves nothing behind
//! }
//! # Ok(())
//! # }
//! ```

use crate::call::Call;
use crate::outcome::{Outcome, Unexpected};
use crate::place::Place;
use crate::tools;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// A `strace` that has been seen to work.
#[derive(Debug)]
pub struct Strace(());

/// The nth call of a system call by a process of the program.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// The name of the system call, as `strace` spells it.
    pub syscall: String,
    /// Which call, from 1. Each process and thread of the program counts for itself, so that several may be
    /// hit by one fault.
    pub nth: u32,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} number {}", self.syscall, self.nth)
    }
}

/// What happens at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The call is not made, and the program is told this error (`ENOMEM`).
    Error(&'static str),
    /// The call is not made, and the process that wanted to make it is killed.
    Kill,
}

/// A run with a fault in it.
#[derive(Debug)]
pub struct Disturbed {
    /// How the program ended.
    pub outcome: Outcome,
    /// Whether the fault really happened: a program may go another way than when it was counted.
    pub hit: bool,
    /// Whether it happened to another program too, which this one runs.
    pub hit_another: bool,
}

/// A program could not be observed.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it all")]
pub enum Error {
    #[error("count the calls of a program that should succeed")]
    Undisturbed(#[from] Unexpected),
    #[error("read the log {} of {outcome}", path.display())]
    Log { path: PathBuf, outcome: Box<Outcome>, source: io::Error },
}

impl Strace {
    /// Makes sure that `strace` is installed and allowed to trace in `place`; when not, says and counts that
    /// a test is skipped.
    #[must_use]
    pub fn require(place: &impl Place) -> Option<Self> {
        tools::require("strace")?;
        let attempt = place.run(["strace", "-qq", "-o", "/dev/null", "true"]);
        if attempt.succeeded() {
            return Some(Self(()));
        }
        tools::skip(&format!("strace cannot trace here: {}", attempt.stderr().trim()));
        None
    }

    /// Runs the call undisturbed, and tells at which points it could be disturbed: every system call but
    /// `execve` and those that end a process. What the call changes is for the test to put back.
    ///
    /// # Errors
    /// The call fails even so.
    pub fn points(&self, place: &impl Place, call: &Call) -> Result<Vec<Point>, Error> {
        let (outcome, log) = trace(place, call, &[])?;
        outcome.ok()?;
        let highest = count(&log);
        let points = highest.iter().flat_map(|(syscall, count)| {
            (1..=*count).map(|nth| Point { syscall: (*syscall).to_owned(), nth })
        });
        Ok(points.collect())
    }

    /// Runs the call with one fault in it.
    ///
    /// # Errors
    /// `strace` leaves no log: it could not be started.
    pub fn inject(
        &self,
        place: &impl Place,
        call: &Call,
        point: &Point,
        fault: Fault,
    ) -> Result<Disturbed, Error> {
        let Point { syscall, nth } = point;
        let (what, sign) = match fault {
            Fault::Error(code) => (format!("error={code}"), "(INJECTED)"),
            Fault::Kill => ("signal=SIGKILL".to_owned(), "+++ killed by SIGKILL"),
        };
        let inject = format!("inject={syscall}:{what}:when={nth}");
        // The log begins with the program's own `execve`.
        let calls = format!("trace=execve,{syscall}");
        let (outcome, log) = trace(place, call, &["-e", &calls, "-e", &inject])?;
        Ok(Disturbed { outcome, hit: log.contains(sign), hit_another: has_hit_another(&log, sign) })
    }
}

/// Not to be made to fail: the first starts the program itself, the others have no way to fail.
const NO_POINTS: [&str; 4] = ["execve", "exit", "exit_group", "rt_sigreturn"];

fn trace(place: &impl Place, call: &Call, options: &[&str]) -> Result<(Outcome, String), Error> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let log = format!("/dev/shm/strace.{}.{number}", std::process::id());
    let words = [&["strace", "-f", "-qq", "-o", &log], options, &["--"]].concat();
    let outcome = call.under(words).run(place);
    let path = place.root().join(log.trim_start_matches('/'));
    match fs::read(&path).and_then(|text| fs::remove_file(&path).map(|()| text)) {
        Ok(text) => Ok((outcome, String::from_utf8_lossy(&text).into_owned())),
        Err(source) => Err(Error::Log { path, outcome: Box::new(outcome), source }),
    }
}

/// The highest number of calls of each system call by one process. A line of the log is
/// `1234  socket(AF_NETLINK, …) = 3`; one that was interrupted goes on later as `1234  <... socket resumed>`.
fn count(log: &str) -> BTreeMap<&str, u32> {
    let mut counts: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    for line in log.lines() {
        let Some((process, rest)) = line.split_once(' ') else { continue };
        let Some((syscall, _)) = rest.trim_start().split_once('(') else { continue };
        let is_name = syscall.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if is_name && !NO_POINTS.contains(&syscall) {
            *counts.entry((syscall, process)).or_default() += 1;
        }
    }
    let mut highest = BTreeMap::new();
    for ((syscall, _), count) in counts {
        let most = highest.entry(syscall).or_insert(0);
        *most = count.max(*most);
    }
    highest
}

/// Whether a process that runs another program than the first line's met a fault, by its sign.
fn has_hit_another(log: &str, sign: &str) -> bool {
    let process = |line: &str| line.split_whitespace().next().map(str::to_owned);
    let starts = log.lines().filter(|line| line.contains(" execve("));
    let others: BTreeSet<_> = starts.skip(1).filter_map(process).collect();
    log.lines().filter(|line| line.contains(sign)).filter_map(process).any(|hit| others.contains(&hit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_in_another_program_is_told_from_one_in_a_thread() {
        let log = "7  execve(\"/x\", ...) = 0\n\
                   8  recvmsg(3) = -1 ENOMEM (INJECTED)\n\
                   9  execve(\"/y\", ...) = 0\n";
        assert!(!has_hit_another(log, "(INJECTED)"));
        assert!(has_hit_another(&format!("{log}9  recvmsg(4) = -1 ENOMEM (INJECTED)\n"), "(INJECTED)"));
    }

    #[test]
    fn calls_are_counted_by_process_and_once_each() {
        let log = "7  execve(\"/x\", ...) = 0\n\
                   7  socket(AF_NETLINK) = 3\n\
                   7  socket(AF_NETLINK <unfinished ...>\n\
                   8  socket(AF_UNIX) = 4\n\
                   7  <... socket resumed>) = 5\n\
                   7  --- SIGCHLD {si_signo=SIGCHLD} ---\n\
                   8  +++ exited with 0 +++\n";
        assert_eq!(count(log), BTreeMap::from([("socket", 2)]));
    }
}
