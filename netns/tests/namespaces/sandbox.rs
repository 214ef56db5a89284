//! A thread with mounts and a network of its own: what a test does there, the machine does not see.

use std::thread;

use netns::Name;
use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

/// Runs `test` with an empty `/run`. Threads and processes that it starts are in the sandbox, too.
pub(crate) fn run(test: impl FnOnce() + Send) {
    thread::scope(|scope| {
        let sandbox = scope.spawn(|| match separate() {
            Err(Errno::EPERM) => println!("skipped: needs root to make namespaces"),
            separated => {
                separated.unwrap();
                test();
            }
        });
        if let Err(panic) = sandbox.join() {
            std::panic::resume_unwind(panic);
        }
    });
}

fn separate() -> nix::Result<()> {
    const NONE: Option<&str> = None;
    unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWNET)?;
    mount(NONE, "/", NONE, MsFlags::MS_PRIVATE | MsFlags::MS_REC, NONE)?;
    mount(Some("run"), "/run", Some("tmpfs"), MsFlags::empty(), NONE)
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// How many mounts there are at `path` in the calling thread's mount namespace.
pub(crate) fn mounts_at(path: &str) -> usize {
    let mounts = std::fs::read_to_string("/proc/thread-self/mountinfo").unwrap();
    mounts.lines().filter(|line| line.split(' ').nth(4) == Some(path)).count()
}
