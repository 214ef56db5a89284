//! Commands run in the private host, shown together with what they print.

use std::error::Error;

use lab::{Call, Host, Place, tools};

/// How long an answer is waited for, in milliseconds.
const PATIENCE: &str = "5000";

/// Where the tour takes place.
pub(crate) struct Stage<'a> {
    host: &'a Host,
}

impl<'a> Stage<'a> {
    pub(crate) const fn new(host: &'a Host) -> Self {
        Self { host }
    }

    /// Says what comes next.
    pub(crate) fn say(&self, words: &str) {
        println!("\n── {words}");
    }

    /// Runs a command that must succeed.
    pub(crate) fn show<const N: usize>(&self, words: [&str; N]) -> Result<(), Box<dyn Error>> {
        println!("$ {}", words.map(quoted).join(" "));
        indent(&self.host.run(words).ok()?);
        Ok(())
    }

    /// Runs a command that must fail, and shows what it says.
    pub(crate) fn show_refused<const N: usize>(&self, words: [&str; N]) -> Result<(), Box<dyn Error>> {
        println!("$ {}", words.map(quoted).join(" "));
        let outcome = self.host.run(words).refused()?;
        indent(outcome.stdout());
        indent(outcome.stderr());
        Ok(())
    }

    /// Types a line into a shell of the host; it must succeed.
    pub(crate) fn type_in(&self, line: &str) -> Result<(), Box<dyn Error>> {
        println!("$ {line}");
        indent(&shell(line).run(self.host).ok()?);
        Ok(())
    }

    /// Types a line that must fail, and shows what it says.
    pub(crate) fn type_in_refused(&self, line: &str) -> Result<(), Box<dyn Error>> {
        println!("$ {line}");
        indent(shell(line).run(self.host).refused()?.stderr());
        Ok(())
    }

    /// Does what is of no interest.
    pub(crate) fn quietly(&self, line: &str) -> Result<(), Box<dyn Error>> {
        shell(line).run(self.host).ok()?;
        Ok(())
    }

    /// Asks a server from somewhere, and shows as whom it sees us.
    pub(crate) fn show_probe(
        &self,
        from: &impl Place,
        place: &str,
        address: &str,
    ) -> Result<(), Box<dyn Error>> {
        let probe = tools::probe().ok_or("no lab-probe: run `cargo build -p lab` first")?;
        println!("{place}$ lab-probe ask-tcp {address}");
        indent(&Call::new([probe]).arg("ask-tcp").arg(address).arg(PATIENCE).run(from).ok()?);
        Ok(())
    }

    /// Writes a file of the host.
    pub(crate) fn write(&self, path: &str, text: &str) -> Result<(), Box<dyn Error>> {
        self.host.run(["mkdir", "-p", parent(path)]).ok()?;
        Ok(self.host.write_file(path, text)?)
    }

    /// Removes a file of the host.
    pub(crate) fn remove(&self, path: &str) -> Result<(), Box<dyn Error>> {
        self.host.run(["rm", path]).ok()?;
        Ok(())
    }
}

/// A line for a shell. Containers are in memory: a host's `/var/lib` is an overlay, and none can be stacked on it.
fn shell(line: &str) -> Call {
    Call::new(["sh", "-c", line]).env("NETCTL_STATE_DIR", "/run/state")
}

/// A word as it would be typed into a shell.
fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/.-_:=".contains(&byte);
    if word.bytes().all(is_plain) { word.to_owned() } else { format!("'{word}'") }
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("/", |(folder, _)| folder)
}

fn indent(text: &str) {
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        println!("    {line}");
    }
}
