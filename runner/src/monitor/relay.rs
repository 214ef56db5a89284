//! While a container runs: one loop over everything that can happen.

use std::os::fd::{AsFd, OwnedFd};

use launch::{Exit, Signal};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use super::clients::{Client, Clients};
use super::start::Live;
use super::streams::Printed;
use crate::log::Writer;
use crate::message::{Answer, Request};
use crate::{Container, Interest, Status, files, rendezvous};

/// What a container's run came to.
pub(super) struct Relayed {
    pub(super) exit: Exit,
    pub(super) clients: Clients,
    /// What went wrong on the way, and did no harm to the container.
    pub(super) error: Option<String>,
}

/// Hands on what is printed and typed until the container's first process ends.
pub(super) fn relay(container: &Container, live: &mut Live, first: (OwnedFd, Interest)) -> Relayed {
    let (control, interest) = first;
    let mut clients = Clients(vec![Client::new(control, interest)]);
    let mut log = match Writer::open(&container.folder().log()) {
        Ok(writer) => Log { writer: Some(writer), error: None },
        Err(error) => Log { writer: None, error: Some(error.to_string()) },
    };
    let exit = loop {
        match turn(container, live, &mut clients, &mut log) {
            None => {}
            Some(exit) => break exit,
        }
    };
    // Everything in the container is dead by now; what it printed is in the pipes.
    while drain(live, &mut clients, &mut log) {}
    log.finish();
    Relayed { exit, clients, error: log.error }
}

/// What is printed, written down; the first failure is kept, and the container goes on.
struct Log {
    writer: Option<Writer>,
    error: Option<String>,
}

impl Log {
    fn keep(&mut self, result: Option<Result<(), crate::FileError>>) {
        if let Some(Err(error)) = result {
            self.error.get_or_insert_with(|| super::words(&error).join(": "));
        }
    }

    fn finish(&mut self) {
        let result = self.writer.as_mut().map(|writer| writer.finish(&crate::now()));
        self.keep(result);
    }
}

/// Waits until something happens, and does what follows; the end of the container, when it has come.
fn turn(container: &Container, live: &mut Live, clients: &mut Clients, log: &mut Log) -> Option<Exit> {
    let ready = wait(live, clients);
    if ready.ended {
        // A process that waits for its parent is there until it is waited for.
        return Some(live.running.wait().unwrap_or(Exit::Signal(9)));
    }
    if ready.printed {
        drain(live, clients, log);
    }
    live.ends.write();
    for client in &mut clients.0 {
        client.flush();
    }
    hear_all(container, live, clients);
    if ready.somebody
        && let Ok(socket) = rendezvous::accept(&live.listener)
    {
        clients.0.push(Client::new(socket, Interest::END));
    }
    // Whoever typed has gone, and nobody else is to type.
    if clients.bury() && container.config().program.stdin_once {
        live.ends.end_input();
    }
    None
}

struct Ready {
    ended: bool,
    printed: bool,
    somebody: bool,
}

fn wait(live: &Live, clients: &Clients) -> Ready {
    let is_readable = PollFlags::IN | PollFlags::HUP | PollFlags::ERR;
    let mut files = vec![
        PollFd::from_borrowed_fd(live.running.descriptor(), PollFlags::IN),
        PollFd::new(&live.listener, PollFlags::IN),
    ];
    let outputs = if clients.is_congested() { 0 } else { live.ends.outputs.len() };
    files.extend(live.ends.outputs[..outputs].iter().map(|(_, output)| PollFd::new(output, PollFlags::IN)));
    let typing = live.ends.stdin.as_ref().filter(|_| !live.ends.typed.is_empty());
    files.extend(typing.map(|stdin| PollFd::new(stdin, PollFlags::OUT)));
    for client in &clients.0 {
        let mut flags = if client.has_pending() { PollFlags::OUT } else { PollFlags::empty() };
        // What is typed is taken as fast as the program takes it.
        if typing.is_none() || !client.interest.stdin {
            flags |= PollFlags::IN;
        }
        files.push(PollFd::from_borrowed_fd(client.socket.as_fd(), flags));
    }
    while let Err(Errno::INTR) = poll(&mut files, None) {}
    let is_ready = |at: usize| files[at].revents().intersects(is_readable);
    Ready { ended: is_ready(0), somebody: is_ready(1), printed: (2..2 + outputs).any(is_ready) }
}

/// Takes what has been printed once from each output; whether there was something.
fn drain(live: &mut Live, clients: &mut Clients, log: &mut Log) -> bool {
    let mut was_something = false;
    let mut at = 0;
    while at < live.ends.outputs.len() {
        match live.ends.read(at) {
            Printed::Nothing => at += 1,
            Printed::End => drop(live.ends.outputs.remove(at)),
            Printed::Bytes(bytes) => {
                was_something = true;
                let stream = live.ends.outputs[at].0;
                let result = log.writer.as_mut().map(|writer| writer.write(stream, &bytes, &crate::now()));
                log.keep(result);
                clients.show(stream, &bytes);
                at += 1;
            }
        }
    }
    was_something
}

fn hear_all(container: &Container, live: &mut Live, clients: &mut Clients) {
    for client in &mut clients.0 {
        while live.ends.typed.is_empty() || !client.interest.stdin {
            let Some(request) = client.hear() else { break };
            match request {
                Request::Attach(interest) => {
                    client.interest = interest;
                    if let Some((rows, columns)) = interest.size {
                        live.ends.set_size(rows, columns);
                    }
                    client.tell(&Answer::Started);
                }
                Request::Input(typed) => {
                    live.ends.typed.push_back(typed);
                    live.ends.write();
                }
                Request::EndOfInput if container.config().program.stdin_once => live.ends.end_input(),
                Request::EndOfInput => {}
                Request::Size(rows, columns) => live.ends.set_size(rows, columns),
                Request::Signal(number) => client.tell(&signal(container, live, number)),
                Request::Pause => client.tell(&pause(container, live, true)),
                Request::Unpause => client.tell(&pause(container, live, false)),
            }
        }
    }
}

fn signal(container: &Container, live: &mut Live, number: i32) -> Answer {
    let Some(signal) = Signal::new(number) else {
        return Answer::Done(Some(format!("{number} is no signal")));
    };
    let sent = live.running.signal(signal);
    // Frozen processes of v1 die when they are let go.
    if signal == Signal::KILL && live.state.status == Status::Paused {
        return pause(container, live, false);
    }
    Answer::Done(sent.err().map(|error| format!("send {signal}: {error}")))
}

fn pause(container: &Container, live: &mut Live, is_paused: bool) -> Answer {
    let changed = if is_paused { live.group.freeze() } else { live.group.thaw() };
    if let Err(error) = changed {
        return Answer::Done(Some(super::words(&error).join(": ")));
    }
    live.state.status = if is_paused { Status::Paused } else { Status::Running };
    let written = files::write(&container.folder().live_state(), &live.state);
    Answer::Done(written.err().map(|error| super::words(&error).join(": ")))
}
