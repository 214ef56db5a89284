//! `--init`: the container's first process hands signals on, buries the dead, and ends with its program.

use rustix::process::{Pid, WaitOptions, wait};
use rustix::termios::{isatty, tcsetpgrp};

use super::{Never, Program};
use crate::failure::{Outcome, Tried};
use crate::sys;

/// Starts the program as a second process and stays.
pub(super) fn stand_before(program: &Program) -> Outcome<Never> {
    sys::mask_signals(true).tried(|| "hold signals back")?;
    match sys::fork().tried(|| "create the container's second process")? {
        None => {
            lead_the_terminal();
            sys::mask_signals(false).tried(|| "let signals through")?;
            program.execute()
        }
        Some(child) => {
            let _ = rustix::thread::set_name(c"init");
            // The end of the conversation is the program's to make; and files of the host are nobody's here.
            sys::close_all_but_streams();
            attend(child)
        }
    }
}

/// What is typed goes to the program, not to this process. Held back signals do not stop whoever takes a terminal.
fn lead_the_terminal() {
    if rustix::process::setpgid(None, None).is_ok() && isatty(rustix::stdio::stdin()) {
        let _ = tcsetpgrp(rustix::stdio::stdin(), rustix::process::getpgrp());
    }
}

fn attend(child: Pid) -> ! {
    loop {
        match sys::wait_for_signal() {
            Ok(libc::SIGCHLD) => bury(child),
            // They are about this process's own place at the terminal.
            Ok(libc::SIGTTIN | libc::SIGTTOU | libc::SIGTSTP) | Err(_) => {}
            Ok(signal) => drop(sys::kill(child, signal)),
        }
    }
}

fn bury(child: Pid) {
    while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
        if pid == child {
            let signal = status.terminating_signal().map(|signal| 128 + signal);
            sys::exit(status.exit_status().or(signal).unwrap_or(255));
        }
    }
}
