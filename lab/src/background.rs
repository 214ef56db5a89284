//! Programs that run beside a test: servers, daemons, probes that wait for their moment.

use crate::call::Call;
use crate::place::Place;
use crate::process;
use std::io::{self, Read, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// A program that runs beside a test; dropping it kills the program.
///
/// Processes that the program started itself live on until the host ends.
#[derive(Debug)]
pub struct Background {
    call: String,
    child: Child,
    stdin: Option<ChildStdin>,
    said: Arc<Said>,
}

/// A program in the background did not do what it was expected to.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it all")]
pub enum Error {
    #[error("start {call}")]
    Start { call: String, source: io::Error },
    #[error("tell {call} something on its stdin; it said: {said}")]
    Tell { call: String, said: String, source: io::Error },
    #[error("wait for {text:?} from {call}, which ended and said: {said}")]
    Ended { call: String, text: String, said: String },
    #[error("wait for {text:?} from {call}, which in {within:?} said: {said}")]
    Late { call: String, text: String, within: Duration, said: String },
}

impl Background {
    /// Starts `call` in `place`. Its stdin stays open for [`tell`](Self::tell).
    ///
    /// # Errors
    /// The program that enters the place cannot be started. One that fails later shows in
    /// [`wait_for`](Self::wait_for).
    pub fn start(place: &impl Place, call: &Call) -> Result<Self, Error> {
        let mut command = call.command(place);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|source| Error::Start { call: call.to_string(), source })?;
        let said = Arc::new(Said::default());
        listen(&said, child.stdout.take());
        listen(&said, child.stderr.take());
        let stdin = child.stdin.take();
        Ok(Self { call: call.to_string(), child, stdin, said })
    }

    /// Writes on the stdin of the program.
    ///
    /// # Errors
    /// The program does not listen any more.
    pub fn tell(&mut self, text: &str) -> Result<(), Error> {
        let told = self.stdin.as_mut().map_or(Ok(()), |stdin| stdin.write_all(text.as_bytes()));
        told.map_err(|source| Error::Tell { call: self.call.clone(), said: self.output(), source })
    }

    /// Waits until the program has said a whole line with `text` in it, on stdout or stderr, and returns the
    /// first such line.
    ///
    /// # Errors
    /// The program ended, or time is up.
    pub fn wait_for(&self, text: &str, within: Duration) -> Result<String, Error> {
        let deadline = Instant::now() + within;
        let mut heard = self.said.lock();
        loop {
            if let Some(line) = heard.line_with(text) {
                return Ok(line);
            }
            let (call, text, said) = (self.call.clone(), text.to_owned(), heard.text());
            if heard.ended == BOTH {
                return Err(Error::Ended { call, text, said });
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::Late { call, text, within, said });
            }
            heard = self.said.changed.wait_timeout(heard, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// What the program has said so far, stdout and stderr in the order of arrival.
    #[must_use]
    pub fn output(&self) -> String {
        self.said.lock().text()
    }

    /// Kills the program and returns all that it said.
    #[must_use]
    pub fn stop(mut self) -> String {
        self.kill();
        // Both pipes are closed now, unless a child of the program has inherited them.
        let heard = self.said.lock();
        let open = |heard: &mut Heard| heard.ended < BOTH;
        let waited = self.said.changed.wait_timeout_while(heard, Duration::from_secs(1), open);
        waited.unwrap_or_else(PoisonError::into_inner).0.text()
    }

    /// Kills the program, and not the `nsenter` that waits for it outside: without its parent, the dead
    /// program would be left to the first process of the *machine*. In a container that is often one that
    /// never asks for dead children, and the host could not end before it did.
    fn kill(&mut self) {
        let inside = process::children(&mut self.child);
        let entered = process::program(&self.child).is_some_and(|name| name == "nsenter");
        if entered && !inside.is_empty() {
            inside.into_iter().for_each(process::kill_grandchild);
        } else {
            // What was started is, or has become, the program itself. One that has ended cannot be killed.
            let _gone = self.child.kill();
        }
        let _reaped = self.child.wait();
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.kill();
    }
}

const BOTH: u8 = 2;

#[derive(Debug, Default)]
struct Said {
    heard: Mutex<Heard>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Heard {
    bytes: Vec<u8>,
    ended: u8,
}

impl Said {
    fn lock(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Heard {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    fn line_with(&self, text: &str) -> Option<String> {
        let whole = self.bytes.iter().rposition(|byte| *byte == b'\n')?;
        let lines = String::from_utf8_lossy(&self.bytes[..whole]);
        lines.lines().find(|line| line.contains(text)).map(str::to_owned)
    }
}

fn listen(said: &Arc<Said>, pipe: Option<impl Read + Send + 'static>) {
    let said = Arc::clone(said);
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        let mut pipe = pipe;
        while let Some(count) = pipe.as_mut().and_then(|pipe| pipe.read(&mut buffer).ok()).filter(|n| *n > 0)
        {
            said.lock().bytes.extend_from_slice(&buffer[..count]);
            said.changed.notify_all();
        }
        said.lock().ended += 1;
        said.changed.notify_all();
    });
}
