//! One call of a plugin, measured as its caller feels it: from the start of the process until it is reaped.
//!
//! All that can be done beforehand is done beforehand: the words, the environment, and stdin, which is a
//! pipe that already holds everything and has no writer any more. What the plugin says is read from pipes
//! after its end; it never says more than a pipe holds.

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use std::ffi::OsString;
use std::io::{self, ErrorKind, PipeReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The folders of the programs that the reference's plugins start.
const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// One call of a program: what it is told.
#[derive(Clone, Debug)]
pub struct Call {
    /// The executable.
    pub program: PathBuf,
    /// Its arguments; a plugin has none.
    pub arguments: Vec<OsString>,
    /// Its environment, apart from PATH.
    pub environment: Vec<(&'static str, OsString)>,
    /// What it reads.
    pub stdin: String,
}

/// A program could not be called, or failed.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it all")]
pub enum Error {
    #[error("prepare pipes for {call}")]
    Prepare { call: String, source: io::Error },
    #[error("start {call}")]
    Start { call: String, source: io::Error },
    #[error("wait for {call}")]
    Wait { call: String, source: io::Error },
    #[error("read what {call} says, whose pipe is still held by a process that it left behind")]
    Held { call: String },
    #[error("read what {call} says")]
    Read { call: String, source: io::Error },
    #[error("run {call}, which ended with {status} and said: {said}")]
    Failed { call: String, status: ExitStatus, said: String },
}

/// A call of which only the start is missing.
#[derive(Debug)]
pub struct Prepared {
    call: String,
    command: Command,
    said: Pipes,
}

/// A call that is being worked on.
#[derive(Debug)]
pub struct Running {
    call: String,
    child: Child,
    started: Instant,
    said: Pipes,
}

/// A call that has ended, well or not.
#[derive(Debug)]
pub struct Ended {
    call: String,
    /// From the start of the process until it was reaped.
    pub took: Duration,
    /// When it was reaped.
    pub at: Instant,
    status: ExitStatus,
    said: Pipes,
}

#[derive(Debug)]
struct Pipes {
    stdout: PipeReader,
    stderr: PipeReader,
}

impl Call {
    /// Does everything that comes before the start.
    ///
    /// # Errors
    /// [`Error::Prepare`]: no more file descriptors.
    pub fn prepare(&self) -> Result<Prepared, Error> {
        let call = self.to_string();
        match self.pipes() {
            Ok((command, said)) => Ok(Prepared { call, command, said }),
            Err(source) => Err(Error::Prepare { call, source }),
        }
    }

    /// Makes the call, and returns how long it took and what it wrote on stdout.
    ///
    /// # Errors
    /// [`Error`]; a program that fails is one, too.
    pub fn run(&self) -> Result<(Duration, String), Error> {
        let ended = self.prepare()?.start()?.wait()?;
        Ok((ended.took, ended.output()?))
    }

    fn pipes(&self) -> io::Result<(Command, Pipes)> {
        let (stdin, mut feed) = io::pipe()?;
        widen(&feed, self.stdin.len())?;
        feed.write_all(self.stdin.as_bytes())?;
        let (stdout, stdout_writer) = reader()?;
        let (stderr, stderr_writer) = reader()?;
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env_clear().env("PATH", PATH);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(stdin).stdout(stdout_writer).stderr(stderr_writer);
        Ok((command, Pipes { stdout, stderr }))
    }
}

/// What a pipe holds unless asked for more, in bytes.
const PIPE: usize = 65_536;

/// Makes room in a pipe for all that will be written before anybody reads.
fn widen(pipe: &io::PipeWriter, bytes: usize) -> io::Result<()> {
    if bytes > PIPE {
        let bytes = i32::try_from(bytes).map_err(|_| ErrorKind::FileTooLarge)?;
        fcntl(pipe, FcntlArg::F_SETPIPE_SZ(bytes))?;
    }
    Ok(())
}

/// A pipe whose reader is told when there is nothing to read: whoever reads only after the end of the
/// program need not wait, and would wait for ever for a process left behind that keeps the other end.
fn reader() -> io::Result<(PipeReader, io::PipeWriter)> {
    let (reader, writer) = io::pipe()?;
    fcntl(&reader, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    Ok((reader, writer))
}

impl std::fmt::Display for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.program.display())?;
        for argument in &self.arguments {
            write!(f, " {}", argument.display())?;
        }
        for (name, value) in &self.environment {
            write!(f, " {name}={}", value.display())?;
        }
        Ok(())
    }
}

impl Prepared {
    /// Starts the process.
    ///
    /// # Errors
    /// [`Error::Start`].
    pub fn start(mut self) -> Result<Running, Error> {
        let started = Instant::now();
        match self.command.spawn() {
            Ok(child) => Ok(Running { call: self.call, child, started, said: self.said }),
            Err(source) => Err(Error::Start { call: self.call, source }),
        }
    }
}

impl Running {
    /// Waits for its end. Whether it ended well is for [`Ended::output`] to tell: that may wait, too.
    ///
    /// # Errors
    /// [`Error::Wait`].
    pub fn wait(mut self) -> Result<Ended, Error> {
        let waited = self.child.wait();
        let at = Instant::now();
        match waited {
            Ok(status) => Ok(Ended { call: self.call, took: at - self.started, at, status, said: self.said }),
            Err(source) => Err(Error::Wait { call: self.call, source }),
        }
    }
}

impl Ended {
    /// What it wrote on stdout, provided that it succeeded.
    ///
    /// # Errors
    /// [`Error::Failed`] with everything that it said.
    pub fn output(mut self) -> Result<String, Error> {
        let stdout = read(&self.call, &mut self.said.stdout)?;
        if self.status.success() {
            return Ok(stdout);
        }
        let said = stdout + &read(&self.call, &mut self.said.stderr)?;
        Err(Error::Failed { call: self.call, status: self.status, said: said.trim().to_owned() })
    }
}

/// How long a pipe may stay open after its program has ended: a process that another thread has just made
/// holds a copy of it until it becomes a program of its own.
const FORKED: Duration = Duration::from_millis(100);

fn read(call: &str, pipe: &mut PipeReader) -> Result<String, Error> {
    let deadline = Instant::now() + FORKED;
    let mut said = Vec::new();
    loop {
        match pipe.read_to_end(&mut said) {
            Ok(_) => return Ok(String::from_utf8_lossy(&said).into_owned()),
            Err(source) if source.kind() != ErrorKind::WouldBlock => {
                return Err(Error::Read { call: call.to_owned(), source });
            }
            Err(_) if Instant::now() > deadline => return Err(Error::Held { call: call.to_owned() }),
            Err(_) => sleep(Duration::from_millis(1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Call {
        Call {
            program: "/bin/sh".into(),
            arguments: ["-c".into(), script.into()].to_vec(),
            environment: vec![("CNI_COMMAND", "ADD".into())],
            stdin: "42\n".to_owned(),
        }
    }

    #[test]
    fn a_call_hears_its_stdin_and_environment() {
        let (_, said) = shell("read number; echo $CNI_COMMAND $number").run().unwrap();
        assert_eq!(said, "ADD 42\n");
    }

    #[test]
    fn a_call_hears_more_than_a_pipe_holds_by_itself() {
        let call = Call { stdin: "x".repeat(3 * PIPE), ..shell("wc -c") };
        assert_eq!(call.run().unwrap().1, "196608\n");
    }

    #[test]
    fn a_failure_tells_what_was_said() {
        let error = shell("echo out; echo err >&2; exit 3").run().unwrap_err().to_string();
        assert!(
            error.ends_with("CNI_COMMAND=ADD, which ended with exit status: 3 and said: out\nerr"),
            "{error}"
        );
    }

    #[test]
    fn whoever_is_left_behind_with_the_pipe_is_noticed() {
        let error = shell("sleep 2 & exit 0").run().unwrap_err();
        assert!(matches!(error, Error::Held { .. }), "{error}");
    }
}
