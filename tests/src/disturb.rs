//! A plugin of which one system call fails, or that is killed at one.

use crate::call::Call;
use crate::facts;
use crate::leftovers::{Allowed, Before};
use crate::stage::{Container, Stage};
use crate::surprise::Surprise;
use lab::faults::{Disturbed, Fault, Point, Strace};
use serde_json::Value;

/// System calls that neither change anything nor can say that they failed in a way that a program could handle;
/// a kill at one of them is a kill at the next. (`ioctl`: the standard library makes pipes to programs not block by it,
/// and takes for granted that it can.)
const HARMLESS: [&str; 33] = [
    "access",
    "arch_prctl",
    "brk",
    "clock_gettime",
    "clock_nanosleep",
    "close",
    "dup",
    "fcntl",
    "fstat",
    "futex",
    "getcwd",
    "getpid",
    "getppid",
    "getrandom",
    "getsockname",
    "gettid",
    "getuid",
    "ioctl",
    "lseek",
    "madvise",
    "mmap",
    "mprotect",
    "munmap",
    "newfstatat",
    "poll",
    "prlimit64",
    "rseq",
    "rt_sigaction",
    "rt_sigprocmask",
    "sched_getaffinity",
    "set_robust_list",
    "set_tid_address",
    "sigaltstack",
];

/// Of a program that keeps notes in folders and symbolic links, these are more than looking around.
const OF_NOTES: [&str; 2] = ["getdents64", "readlink"];

/// Whether a point is of no interest, even if that program keeps notes in folders and symbolic links.
#[must_use]
pub fn is_harmless(point: &Point) -> bool {
    HARMLESS.contains(&point.syscall.as_str())
}

/// How many answers are read, and waited for, differs from run to run, and so does whether a lease's file becomes shorter;
/// every other call is made each time.
fn is_certain(point: &Point) -> bool {
    !["recvfrom", "recvmsg", "poll", "ppoll", "ftruncate"].contains(&point.syscall.as_str())
}

/// Disturbs a verb at a point, and makes sure that it was disturbed.
///
/// # Errors
/// The program cannot be run under `strace`.
///
/// # Panics
/// A point that is certain to be met was not.
pub fn disturb(
    stage: &Stage,
    strace: &Strace,
    (call, verb): (&Call<'_>, &str),
    point: &Point,
    fault: Fault,
) -> Result<Disturbed, Box<dyn std::error::Error>> {
    let disturbed = strace.inject(stage.host(), &call.command(verb), point, fault)?;
    assert!(disturbed.hit || !is_certain(point), "{point} was not hit: {}", disturbed.outcome);
    Ok(disturbed)
}

/// The same for a call of any program: a command line.
///
/// # Errors
/// As with [`disturb`].
///
/// # Panics
/// As with [`disturb`].
pub fn disturb_line(
    stage: &Stage,
    strace: &Strace,
    line: &lab::Call,
    point: &Point,
    fault: Fault,
) -> Result<Disturbed, Box<dyn std::error::Error>> {
    let disturbed = strace.inject(stage.host(), line, point, fault)?;
    assert!(disturbed.hit || !is_certain(point), "{point} was not hit: {}", disturbed.outcome);
    Ok(disturbed)
}

/// The points of a command line, which is run once for that.
///
/// # Errors
/// The program cannot be run under `strace`, or fails.
///
/// # Panics
/// There are none to speak of.
pub fn points_of_line(
    stage: &Stage,
    strace: &Strace,
    line: &lab::Call,
) -> Result<Vec<Point>, Box<dyn std::error::Error>> {
    let mut points = strace.points(stage.host(), line)?;
    points.retain(|point| !is_harmless(point));
    // Were there none to speak of, the tests here would prove nothing.
    assert!(points.iter().filter(|point| point.syscall.starts_with("send")).count() > 3, "{points:?}");
    Ok(points)
}

/// At most so many of the points, or all, if the environment has [`ALL_POINTS`]. A command line makes hundreds of calls, most
/// of them requests to the kernel and their answers. Of a system call that it makes a few times every point stays; of those
/// that it makes often, points at equal distances.
#[must_use]
pub fn sample(points: &[Point], most: usize) -> Vec<Point> {
    let times = |point: &Point| points.iter().filter(|other| other.syscall == point.syscall).count();
    let (rare, often): (Vec<_>, Vec<_>) = points.iter().cloned().partition(|point| times(point) <= FEW);
    let room = match std::env::var_os(ALL_POINTS) {
        Some(_) => usize::MAX,
        None => most.saturating_sub(rare.len()).max(1),
    };
    let distance = often.len().div_ceil(room).max(1);
    rare.into_iter().chain(often.into_iter().step_by(distance)).collect()
}

/// The variable that has every point tried, for which there is no time every day.
pub const ALL_POINTS: &str = "ALL_POINTS";

/// So often is a few times.
const FEW: usize = 4;

/// Whether a system call may change something, of this process or of the host. A kill at one that does not is a kill at the
/// next that does.
#[must_use]
pub fn changes(point: &Point) -> bool {
    CHANGING.iter().any(|changing| point.syscall.starts_with(changing))
}

/// The beginnings of their names: `open`, `openat`; `unlink`, `unlinkat` ….
const CHANGING: [&str; 18] = [
    "bind",
    "chmod",
    "clone",
    "flock",
    "fork",
    "fsync",
    "ftruncate",
    "link",
    "mkdir",
    "open",
    "pwrite",
    "rename",
    "rmdir",
    "send",
    "setns",
    "symlink",
    "unlink",
    "write",
];

/// An error that every system call may answer with.
pub const ERROR: Fault = Fault::Error("ENOMEM");

/// The points of a verb, on a host that has served this network before.
///
/// # Errors
/// The program cannot be run under `strace`.
///
/// # Panics
/// There are none to speak of.
pub fn points(
    stage: &Stage,
    strace: &Strace,
    call: &Call<'_>,
    verb: &str,
) -> Result<Vec<Point>, Box<dyn std::error::Error>> {
    let points = strace.points(stage.host(), &call.command(verb))?;
    let points: Vec<_> = points
        .into_iter()
        .filter(|point| !is_harmless(point) && !OF_NOTES.contains(&point.syscall.as_str()))
        .collect();
    // Were there none to speak of, the tests here would prove nothing.
    assert!(points.iter().filter(|point| point.syscall.starts_with("send")).count() > 3, "{points:?}");
    Ok(points)
}

/// Whether the disturbed program said what the protocol wants it to say.
///
/// # Errors
/// What it said is no JSON.
///
/// # Panics
/// It is neither a result nor an error object.
pub fn assert_told(point: &Point, disturbed: &Disturbed) -> crate::Test {
    let outcome = &disturbed.outcome;
    let said: Value = serde_json::from_str(outcome.stdout())
        .map_err(|error| Surprise::new(format!("{point}: {error}"), outcome))?;
    if outcome.succeeded() {
        assert!(said["cniVersion"].is_string(), "{point}: {outcome}");
    } else {
        assert!(said["code"].as_u64() > Some(0) && said["msg"].is_string(), "{point}: {outcome}");
    }
    Ok(())
}

/// Whether a disturbed ADD said what it should. Writing the answer is the one thing that cannot be told: the runtime calls
/// DEL then, and so does this.
///
/// # Errors
/// What it said is no JSON, or the DEL fails.
///
/// # Panics
/// As with [`assert_told`].
pub fn assert_add_told(point: &Point, disturbed: &Disturbed, call: &Call<'_>) -> crate::Test {
    if disturbed.outcome.stdout().is_empty() && point.syscall == "write" {
        return Ok(call.del().done()?);
    }
    assert_told(point, disturbed)
}

/// What should be gone when nothing is attached.
///
/// # Errors
/// The host cannot be looked at.
///
/// # Panics
/// Something is left.
pub fn assert_untouched(before: &Before<'_>, container: &Container, context: &str) -> crate::Test {
    let changes = before.changes(Allowed::Books)?;
    assert!(changes.is_empty(), "{context}: {changes:#?}");
    let links = facts::links(container)?;
    assert_eq!(links, ["lo"], "{context}");
    Ok(())
}
