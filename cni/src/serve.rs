//! The side that is called: environment and stdin in, a result or an error object out.

use std::io::{Read, Write};
use std::path::Path;
use std::process::ExitCode;

use crate::attached::Valid;
use crate::{
    AddCall, Call, CheckCall, Code, Config, DelCall, Environment, Failure, Fault, GcCall, Plugin, Registry,
    StatusCall, Success, Verb, Version, json,
};

/// What a plugin says, and whether it succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// For stdout: a result, an error object, or nothing.
    pub stdout: Vec<u8>,
    /// Whether the exit status is 0.
    pub success: bool,
}

/// The configuration asks for a version that the plugin or the verb does not have.
#[derive(Debug, thiserror::Error)]
enum Unsupported {
    #[error("incompatible CNI versions: config is \"{config}\", plugin {plugin} supports [{supported}]")]
    Plugin { config: Version, plugin: &'static str, supported: String },
    #[error("cniVersion {config} does not allow {verb}: expected {since} or later")]
    Verb { config: Version, verb: Verb, since: Version },
}

impl Fault for Unsupported {
    fn code(&self) -> Code {
        Code::INCOMPATIBLE_VERSION
    }
}

#[derive(Debug, thiserror::Error)]
#[error("read network configuration from stdin")]
struct ReadStdin(#[source] std::io::Error);

impl Fault for ReadStdin {
    fn code(&self) -> Code {
        Code::IO
    }
}

/// What a verb has done.
pub(crate) enum Outcome {
    /// ADD made an attachment.
    Added(Success),
    /// Any other verb succeeded.
    Done,
}

/// Runs as the plugin that the program is called by.
///
/// VERSION is answered before anything else is touched: clients ask it of every plugin all the time.
pub fn serve(registry: Registry) -> ExitCode {
    let called = std::env::args_os().next().unwrap_or_default();
    let name = Path::new(&called).file_name().unwrap_or_default().to_string_lossy();
    let Some(plugin) = registry.find(&name) else { return introduce_all(&name, registry) };
    let Some(command) = std::env::var_os("CNI_COMMAND").filter(|command| !command.is_empty()) else {
        return introduce(plugin);
    };
    if command == Verb::Version.as_str() {
        return print(&Answer { stdout: version(plugin), success: true });
    }
    let mut read = || {
        let mut bytes = Vec::with_capacity(4096);
        std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    };
    print(&answer(plugin, Environment::of_process(), &mut read, registry))
}

/// Answers one call. `stdin` is asked only once the environment is known to be right.
pub fn answer(
    plugin: &dyn Plugin,
    environment: Environment,
    stdin: &mut dyn FnMut() -> std::io::Result<Vec<u8>>,
    registry: Registry,
) -> Answer {
    match try_answer(plugin, environment, stdin, registry) {
        Ok(stdout) => Answer { stdout, success: true },
        Err(failure) => {
            let stdout = json::indented(&failure.object()).unwrap_or_default();
            Answer { stdout, success: false }
        }
    }
}

fn try_answer(
    plugin: &dyn Plugin,
    environment: Environment,
    stdin: &mut dyn FnMut() -> std::io::Result<Vec<u8>>,
    registry: Registry,
) -> Result<Vec<u8>, Failure> {
    let verb = environment.verb()?;
    if verb == Verb::Version {
        return Ok(version(plugin));
    }
    if !environment.container.is_empty() {
        environment.attachment()?;
    }
    let config = Config::parse(stdin().map_err(ReadStdin)?)?;
    let version = config.version();
    let call = Call::new(config, environment, registry);
    match dispatch(plugin, verb, &call)? {
        Outcome::Done => Ok(Vec::new()),
        Outcome::Added(success) => success.write(version).or_else(|error| {
            // The runtime will never hear of this attachment: take it back.
            dispatch(plugin, Verb::Del, &call)?;
            Err(error.into())
        }),
    }
}

/// Hands a call to the plugin's verb: the one way in, whether the plugin is executed or called in process.
pub(crate) fn dispatch(plugin: &dyn Plugin, verb: Verb, call: &Call) -> Result<Outcome, Failure> {
    let about = plugin.about();
    let version = call.config.version();
    if !about.versions.contains(&version) {
        let supported = Version::list(about.versions);
        return Err(Unsupported::Plugin { config: version, plugin: about.name, supported }.into());
    }
    if version < verb.since() {
        return Err(Unsupported::Verb { config: version, verb, since: verb.since() }.into());
    }
    let attachment = || call.environment.attachment();
    let netns = || call.environment.netns().map(Path::to_path_buf);
    let call = call.clone();
    let done = match verb {
        Verb::Add => {
            let (attachment, netns) = (attachment()?, netns().unwrap_or_default());
            return plugin.add(&AddCall { call, attachment, netns }).map(Outcome::Added);
        }
        Verb::Check => {
            let (attachment, netns) = (attachment()?, netns().unwrap_or_default());
            plugin.check(&CheckCall { call, attachment, netns })
        }
        Verb::Del => {
            let (attachment, netns) = (attachment()?, netns());
            plugin.del(&DelCall { call, attachment, netns })
        }
        Verb::Gc => {
            let valid = Valid::read(&call.config)?;
            plugin.gc(&GcCall { call, valid })
        }
        Verb::Status => plugin.status(&StatusCall { call }),
        Verb::Version => Ok(()),
    };
    done.map(|()| Outcome::Done)
}

/// The answer to VERSION: one line.
fn version(plugin: &dyn Plugin) -> Vec<u8> {
    let mut text = Vec::with_capacity(128);
    text.extend_from_slice(b"{\"cniVersion\":\"");
    text.extend_from_slice(Version::NEWEST.as_str().as_bytes());
    text.extend_from_slice(b"\",\"supportedVersions\":[");
    for (index, version) in plugin.about().versions.iter().enumerate() {
        text.extend_from_slice(if index == 0 { b"\"" } else { b",\"" });
        text.extend_from_slice(version.as_str().as_bytes());
        text.push(b'"');
    }
    text.extend_from_slice(b"]}\n");
    text
}

fn print(answer: &Answer) -> ExitCode {
    // A runtime that has gone away reads no error either; it will call DEL.
    let printed = write_whole(&answer.stdout).is_ok();
    if answer.success && printed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Writes to stdout in one system call, which the standard library's line buffer would not.
fn write_whole(mut bytes: &[u8]) -> nix::Result<()> {
    while !bytes.is_empty() {
        match nix::unistd::write(std::io::stdout(), bytes) {
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(nix::errno::Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// A person called the plugin without a verb.
fn introduce(plugin: &dyn Plugin) -> ExitCode {
    let about = plugin.about();
    let text = format!(
        "CNI plugin {name} (netctl {version}): {purpose}\nCNI protocol versions supported: {versions}\n",
        name = about.name,
        version = env!("CARGO_PKG_VERSION"),
        purpose = about.purpose,
        versions = Version::list(about.versions),
    );
    say(&text);
    ExitCode::SUCCESS
}

/// A person called the program by a name that is none of its plugins'.
fn introduce_all(name: &str, registry: Registry) -> ExitCode {
    let text = format!(
        "{name} holds the CNI plugins {names}; the name it is called by picks one.\n\
         `netctl install` links it into the CNI folder under these names.\n",
        names = registry.names().collect::<Vec<_>>().join(", "),
    );
    say(&text);
    if name == "netctl-cni" { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn say(text: &str) {
    // Nobody is left to tell when stderr is closed.
    let _ = std::io::stderr().write_all(text.as_bytes());
}
