//! Whether the kernel still has deletions of this thread to finish.
//!
//! Closing any netfilter socket of the namespace waits for them, 10 to 30 ms. Who calls several plugins in one process, one
//! after the other, closes several: each is to be handed to a child, and not only the one that deleted.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// How long the kernel may take, by all that is usual.
const SETTLING: Duration = Duration::from_millis(100);

thread_local! {
    static LAST: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Something was deleted now.
pub(super) fn note() {
    LAST.set(Some(Instant::now()));
}

/// Whether that may not be over yet.
pub(super) fn is_likely() -> bool {
    LAST.get().is_some_and(|last| last.elapsed() < SETTLING)
}
