//! Named networks from the command line: `netctl create`, `ls`, `inspect`, `connect`, `disconnect`, `rm`, `prune`.
//!
//! Each test has a private host, types what a person types, and looks at everything that is to be seen afterwards:
//! words, exit codes, files, links, rules. What passes between networks is tested where all of them are.

mod bridge;
mod connect;
mod create;
mod inspect;
mod ls;
mod others;
mod prune;
mod rm;

use lab::{Call, Except, Host, Neighbour, Outcome, Place, Snapshot, Topic};
use serde_json::Value;
use std::time::{Duration, Instant};

type Wrong = Box<dyn std::error::Error>;
type Test = Result<(), Wrong>;

const NETCTL: &str = env!("CARGO_BIN_EXE_netctl");

/// `netctl` with these words, which are apart by spaces and have none in them.
fn netctl(words: &str) -> Call {
    Call::new([NETCTL].into_iter().chain(words.split_whitespace()))
}

/// A private host.
struct Machine(Host);

impl Machine {
    fn new(name: &str) -> Result<Self, Wrong> {
        Ok(Self(Host::new(name)?))
    }

    /// With these namespaces.
    fn with(name: &str, namespaces: &str) -> Result<Self, Wrong> {
        let machine = Self::new(name)?;
        machine.add(namespaces)?;
        Ok(machine)
    }

    /// With a default route, over a link of this MTU.
    fn behind(name: &str, mtu: u32) -> Result<(Self, Neighbour), Wrong> {
        let machine = Self::new(name)?;
        let neighbour = Neighbour::of(&machine.0, "outside")?;
        machine.sh(&format!("ip link set uplink mtu {mtu}"))?;
        Ok((machine, neighbour))
    }

    /// Makes namespaces.
    #[track_caller]
    fn add(&self, namespaces: &str) -> Test {
        namespaces.split_whitespace().try_for_each(|name| self.sh(&format!("ip netns add {name}")).map(drop))
    }

    fn netctl(&self, words: &str) -> Outcome {
        netctl(words).run(&self.0)
    }

    /// What a command line prints that must succeed.
    #[track_caller]
    fn ok(&self, words: &str) -> Result<String, Wrong> {
        Ok(self.netctl(words).ok()?)
    }

    /// The same, without anything to say to a person.
    #[track_caller]
    fn quietly(&self, words: &str) -> Result<String, Wrong> {
        let outcome = self.netctl(words);
        assert_eq!(outcome.stderr(), "", "{outcome}");
        Ok(outcome.ok()?)
    }

    /// What a command line says on standard error that must succeed.
    #[track_caller]
    fn said(&self, words: &str) -> Result<String, Wrong> {
        let outcome = self.netctl(words);
        let said = outcome.stderr().to_owned();
        outcome.ok()?;
        Ok(said)
    }

    /// What a command line prints that must succeed, as JSON.
    #[track_caller]
    fn json(&self, words: &str) -> Result<Value, Wrong> {
        Ok(serde_json::from_str(&self.ok(words)?)?)
    }

    /// A command line that must fail, with exactly these words, and print no data.
    #[track_caller]
    fn refuses(&self, words: &str, said: &str) {
        refused(&self.netctl(words), 1, said);
    }

    /// A command line that must not be understood: the first line of what is said.
    #[track_caller]
    fn misunderstands(&self, words: &str, said: &str) {
        let outcome = self.netctl(words);
        let first = outcome.stderr().lines().next().unwrap_or_default();
        assert_eq!((outcome.code(), first, outcome.stdout()), (Some(2), said, ""), "{outcome}");
    }

    #[track_caller]
    fn sh(&self, script: &str) -> Result<String, Wrong> {
        Ok(self.0.sh(script).ok()?)
    }

    /// Whether a link is there.
    fn has_link(&self, name: &str) -> bool {
        let devices = std::fs::read_to_string(format!("/proc/{}/net/dev", self.0.pid())).unwrap_or_default();
        devices.lines().any(|line| line.split(':').next().is_some_and(|device| device.trim() == name))
    }

    /// Everything that is in a file.
    #[track_caller]
    fn read(&self, file: &str) -> Result<String, Wrong> {
        Ok(self.0.read_file(file)?)
    }

    /// The file of a network that was made here.
    #[track_caller]
    fn conflist(&self, name: &str) -> Result<Value, Wrong> {
        Ok(serde_json::from_str(&self.read(&format!("/etc/cni/net.d/netctl-{name}.conflist"))?)?)
    }

    /// What `inspect` tells of one network.
    #[track_caller]
    fn inspect(&self, name: &str) -> Result<Value, Wrong> {
        Ok(self.json(&format!("inspect {name}"))?[0].take())
    }

    /// The whole host as it is, once the children of ours have ended that wait for the kernel.
    fn snapshot(&self) -> Result<Snapshot, Wrong> {
        let deadline = Instant::now() + Duration::from_secs(3);
        loop {
            let snapshot = Snapshot::take(&self.0)?;
            let is_at_rest = !snapshot.facts(Topic::Process).any(|process| process.starts_with(NETCTL));
            if is_at_rest || Instant::now() > deadline {
                return Ok(snapshot);
            }
        }
    }

    /// Fails when the host is not as it was, but for locks and hints in `/run/netctl`, which die with the boot, the
    /// folders that every runtime shares, the book of host-local, and what the kernel makes by itself a second after a
    /// link came up.
    #[track_caller]
    fn is_as_it_was(&self, before: &Snapshot) -> Test {
        let except = [
            Except::Text(Topic::File, "/run/netctl"),
            Except::Text(Topic::File, "/etc/cni/net.d folder "),
            Except::Text(Topic::File, "/var/lib/cni/networks folder "),
            Except::Text(Topic::File, "/var/lib/cni/results folder "),
            Except::Text(Topic::File, "/last_reserved_ip."),
            Except::Text(Topic::Route, " fe80::"),
            Except::Text(Topic::Route, " ff00::/8 "),
            Except::Text(Topic::Address, "fe80::"),
        ];
        let left = before.left_behind(&self.0, &except)?;
        assert_eq!(left, Vec::<String>::new());
        Ok(())
    }
}

/// Fails unless a program has failed with this code and these words, and printed no data.
#[track_caller]
fn refused(outcome: &Outcome, code: i32, said: &str) {
    assert_eq!((outcome.code(), outcome.stderr(), outcome.stdout()), (Some(code), said, ""), "{outcome}");
}
