//! Command lines about a network, of which one is disturbed.

use crate::disturb::{disturb_line, points_of_line};
use crate::facts::{links, pings};
use crate::leftovers::{Allowed, Before};
use crate::stage::{Container, Stage};
use crate::surprise::Surprise;
use lab::Place;
use lab::faults::{Disturbed, Fault, Point, Strace};

/// Makes network mybr0.
pub const CREATE: &str = "create mybr0 --ipv6 --subnet 172.26.0.0/24,fd00:26::/64";
/// Puts `web` on it.
pub const CONNECT: &str = "connect mybr0 web -p 8080:80 -p 8080:80/udp";
/// Takes it off.
pub const DISCONNECT: &str = "disconnect mybr0 web";

type Wrong = Box<dyn std::error::Error>;

/// A host that has seen all of it once, for what stays of that is nobody's; and `web`, which is on no network.
#[derive(Debug)]
pub struct Scene {
    stage: Stage,
    web: Container,
    strace: Strace,
}

impl Scene {
    /// With these lines typed; nothing, where `strace` cannot be used.
    ///
    /// # Errors
    /// The host cannot be made, or a line fails.
    pub fn new(lines: &[&str]) -> Result<Option<Self>, Wrong> {
        let stage = Stage::new("disturbed")?;
        let Some(strace) = Strace::require(stage.host()) else { return Ok(None) };
        let web = stage.container("web")?;
        for line in [&[CREATE, CONNECT, DISCONNECT, "rm mybr0"], lines].concat() {
            stage.typed(line)?;
        }
        Ok(Some(Self { stage, web, strace }))
    }

    /// The host.
    #[must_use]
    pub const fn stage(&self) -> &Stage {
        &self.stage
    }

    /// The container.
    #[must_use]
    pub const fn web(&self) -> &Container {
        &self.web
    }

    /// The points of a line, which is run for it.
    ///
    /// # Errors
    /// As [`points_of_line`].
    pub fn points(&self, line: &str) -> Result<Vec<Point>, Wrong> {
        points_of_line(&self.stage, &self.strace, &self.stage.line(line)?)
    }

    /// Types a line, and disturbs it.
    ///
    /// # Errors
    /// As [`disturb_line`].
    pub fn disturb(&self, line: &str, point: &Point, fault: Fault) -> Result<Attempt, Wrong> {
        let disturbed = disturb_line(&self.stage, &self.strace, &self.stage.line(line)?, point, fault)?;
        Ok(Attempt::new(point, disturbed))
    }

    /// The same for a line that fails in any case, and perhaps before it comes to the point.
    ///
    /// # Errors
    /// As [`disturb_line`].
    pub fn disturb_if_met(&self, line: &str, point: &Point, fault: Fault) -> Result<Attempt, Wrong> {
        let disturbed = self.strace.inject(self.stage.host(), &self.stage.line(line)?, point, fault)?;
        Ok(Attempt::new(point, disturbed))
    }

    /// Types a line that must succeed after what happened.
    ///
    /// # Errors
    /// It fails.
    #[track_caller]
    pub fn then(&self, line: &str, context: &str) -> Result<(), Wrong> {
        self.stage.typed(line).map(drop).map_err(|error| Surprise::new(context, error).into())
    }

    /// Types a line that must succeed, or fail for the reason that it has nothing to do any more.
    ///
    /// # Errors
    /// It cannot be typed.
    ///
    /// # Panics
    /// It fails otherwise.
    #[track_caller]
    pub fn then_or(&self, line: &str, reason: &str, context: &str) -> Result<(), Wrong> {
        let outcome = self.stage.netctl(line)?;
        assert!(outcome.succeeded() || outcome.stderr().contains(reason), "{context}: {outcome}");
        Ok(())
    }

    /// The container has nothing, and the host is as it was.
    ///
    /// # Errors
    /// The host cannot be looked at.
    ///
    /// # Panics
    /// It is otherwise.
    #[track_caller]
    pub fn assert_as(&self, before: &Before<'_>, context: &str) -> Result<(), Wrong> {
        let changes = before.changes(Allowed::Books)?;
        assert!(changes.is_empty(), "{context}: {changes:#?}");
        let begun = self.stage.host().root().join("run/netctl/joining");
        let notes = begun.read_dir().map_or(0, Iterator::count);
        assert_eq!((links(&self.web)?, notes), (vec!["lo".to_owned()], 0), "{context}");
        Ok(())
    }

    /// The container is on the network in full.
    ///
    /// # Errors
    /// CHECK has something against it.
    ///
    /// # Panics
    /// It reaches nobody, or has an interface too many.
    #[track_caller]
    pub fn assert_connected(&self, context: &str) -> Result<(), Wrong> {
        self.then("cni check mybr0 web --container-id web", context)?;
        assert!(pings(&self.web, "172.26.0.1") && pings(&self.web, "fd00:26::1"), "{context}");
        assert_eq!(links(&self.web)?, ["lo", "eth0"], "{context}");
        Ok(())
    }
}

/// A line that was disturbed.
#[derive(Debug)]
pub struct Attempt {
    disturbed: Disturbed,
    /// All that is known about it.
    pub context: String,
}

impl Attempt {
    fn new(point: &Point, disturbed: Disturbed) -> Self {
        let context = format!("{point}: {}", disturbed.outcome);
        Self { disturbed, context }
    }

    /// Whether it succeeded all the same.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.disturbed.outcome.succeeded()
    }

    /// Whether it came to the point.
    #[must_use]
    pub const fn is_hit(&self) -> bool {
        self.disturbed.hit
    }

    /// Whether everything was done, and only the answer could not be printed.
    #[must_use]
    pub fn is_unheard(&self) -> bool {
        self.disturbed.outcome.stderr().contains("write to standard output")
    }

    /// Whoever fails says so, by exit code 1 and in words, unless it is words that fail.
    ///
    /// # Panics
    /// He does not.
    #[track_caller]
    pub fn assert_told(&self, point: &Point) {
        let outcome = &self.disturbed.outcome;
        let is_told = outcome.stderr().contains("error: ") || point.syscall.starts_with("write");
        assert!(outcome.succeeded() || (outcome.code() == Some(1) && is_told), "{}", self.context);
    }
}
