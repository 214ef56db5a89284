//! Each system call of a raise and of a lower fails once, and at each the program is killed once.
//!
//! A raise that fails leaves the host as it was. What one that was killed left is finished by the next raise, and taken
//! away by the next lower, whichever comes first; a lower that failed or was killed is made good by the next.

use lab::faults::{Disturbed, Fault, Point, Strace};
use lab::{Call, Place};
use serde_json::json;
use tests::disturb::{ERROR, is_harmless};
use tests::{Allowed, Before, Stage, Surprise, Test};

const NET: &str = "mybr0";

/// A host with a network, once raised and lowered.
struct Network {
    stage: Stage,
    strace: Strace,
}

impl Network {
    fn new(name: &str) -> Result<Option<Self>, Box<dyn std::error::Error>> {
        let stage = Stage::new(name)?;
        let Some(strace) = Strace::require(stage.host()) else { return Ok(None) };
        let ranges = json!([[{"subnet": "172.26.0.0/16"}], [{"subnet": "fd00:26::/64"}]]);
        let bridge = json!({"type": "bridge", "bridge": NET, "isGateway": true, "ipMasq": true, "mtu": 1450,
                            "ipam": {"type": "host-local", "ranges": ranges}});
        let list = json!({"cniVersion": "1.1.0", "name": NET, "plugins": [bridge]});
        stage.host().write_file("/etc/cni/net.d/mybr0.conflist", list.to_string())?;
        let network = Self { stage, strace };
        network.prepare()?;
        network.done("raise")?;
        network.done("lower")?;
        Ok(Some(network))
    }

    /// The books of leases that were, which lower takes away.
    fn prepare(&self) -> Test {
        let books = "mkdir -p /var/lib/cni/networks/mybr0; cd /var/lib/cni/networks/mybr0; touch lock; echo 172.26.0.9 >last_reserved_ip.0";
        self.stage.host().sh(books).ok()?;
        Ok(())
    }

    fn call(verb: &str) -> Call {
        Call::new([env!("CARGO_BIN_EXE_lifecycle"), verb, NET])
    }

    fn done(&self, verb: &str) -> Result<String, Box<dyn std::error::Error>> {
        Ok(Self::call(verb).run(self.stage.host()).ok()?.trim().to_owned())
    }

    /// The points of a verb that matter.
    fn points(&self, verb: &str) -> Result<Vec<Point>, Box<dyn std::error::Error>> {
        let mut points = self.strace.points(self.stage.host(), &Self::call(verb))?;
        points.retain(|point| !is_harmless(point));
        // Were there none to speak of, the tests here would prove nothing.
        assert!(points.iter().filter(|point| point.syscall.starts_with("send")).count() > 3, "{points:?}");
        Ok(points)
    }

    fn disturb(
        &self,
        verb: &str,
        point: &Point,
        fault: Fault,
    ) -> Result<Disturbed, Box<dyn std::error::Error>> {
        let disturbed = self.strace.inject(self.stage.host(), &Self::call(verb), point, fault)?;
        // How many answers are read differs from run to run.
        let is_certain = !point.syscall.starts_with("recv");
        assert!(disturbed.hit || !is_certain, "{point} was not hit: {}", disturbed.outcome);
        Ok(disturbed)
    }
}

fn assert_untouched(before: &Before<'_>, context: &str) -> Test {
    let changes = before.changes(Allowed::Books)?;
    assert!(changes.is_empty(), "{context}: {changes:#?}");
    Ok(())
}

fn at(point: &Point) -> impl Fn(Box<dyn std::error::Error>) -> Surprise + '_ {
    move |error| Surprise::new(point.to_string(), error)
}

#[test]
fn a_raise_that_fails_leaves_nothing() -> Test {
    let Some(network) = Network::new("failing")? else { return Ok(()) };
    let before = Before::of(&network.stage)?;
    let points = network.points("raise")?;
    network.done("lower")?;
    for point in &points {
        let disturbed = network.disturb("raise", point, ERROR)?;
        if disturbed.outcome.succeeded() {
            assert_eq!(network.done("raise")?, "as it was", "{point}: {}", disturbed.outcome);
            network.done("lower").map_err(at(point))?;
        } else if point.syscall != "write" {
            assert!(disturbed.outcome.stdout().starts_with("error: "), "{point}: {}", disturbed.outcome);
        }
        assert_untouched(&before, &format!("{point}: {}", disturbed.outcome))?;
    }
    Ok(())
}

#[test]
fn a_raise_of_a_bridge_that_is_there_leaves_it_as_it_was_when_it_fails() -> Test {
    let Some(network) = Network::new("adopting")? else { return Ok(()) };
    // It was up once: what the kernel gives it then, it keeps.
    let made = "ip link add mybr0 address 02:00:00:00:00:01 type bridge; ip link set mybr0 alias netctl; \
                ip link set mybr0 up; ip link set mybr0 down";
    network.stage.host().sh(made).ok()?;
    let before = Before::of(&network.stage)?;
    let points = network.points("raise")?;
    for point in &points {
        network.stage.host().sh(&format!("ip link del mybr0; {made}")).ok()?;
        let disturbed = network.disturb("raise", point, ERROR)?;
        if disturbed.outcome.succeeded() {
            assert_eq!(network.done("raise")?, "as it was", "{point}: {}", disturbed.outcome);
        } else {
            assert_untouched(&before, &format!("{point}: {}", disturbed.outcome))?;
        }
    }
    Ok(())
}

#[test]
fn a_raise_that_is_killed_is_finished_by_the_next_or_taken_away_by_lower() -> Test {
    let Some(network) = Network::new("killing")? else { return Ok(()) };
    let before = Before::of(&network.stage)?;
    let points = network.points("raise")?;
    network.done("lower")?;
    for point in &points {
        network.disturb("raise", point, Fault::Kill)?;
        network.done("lower").map_err(at(point))?;
        assert_untouched(&before, &format!("lowered after {point}"))?;
        network.disturb("raise", point, Fault::Kill)?;
        network.done("raise").map_err(at(point))?;
        assert_eq!(network.done("raise")?, "as it was", "{point}");
        network.done("lower").map_err(at(point))?;
        assert_untouched(&before, &format!("raised after {point}"))?;
    }
    Ok(())
}

/// Disturbs each call of a lower in turn; another lower cleans up.
fn disturb_each_call_of_lower(fault: Fault) -> Test {
    let Some(network) = Network::new("lowering")? else { return Ok(()) };
    let before = Before::of(&network.stage)?;
    let raise = || {
        network.prepare()?;
        network.done("raise").map(drop)
    };
    raise()?;
    let points = network.points("lower")?;
    for point in &points {
        raise().map_err(at(point))?;
        let disturbed = network.disturb("lower", point, fault)?;
        if disturbed.outcome.succeeded() {
            // Who says that all is done must have done it all.
            assert_untouched(&before, &format!("{point}: {}", disturbed.outcome))?;
        }
        network.done("lower").map_err(at(point))?;
        assert_untouched(&before, &point.to_string())?;
        let folder = network.stage.host().sh("test -e /var/lib/cni/networks/mybr0");
        assert!(!folder.succeeded(), "{point}: {}", disturbed.outcome);
    }
    Ok(())
}

#[test]
fn a_lower_that_fails_is_made_good_by_the_next() -> Test {
    disturb_each_call_of_lower(ERROR)
}

#[test]
fn a_lower_that_is_killed_is_made_good_by_the_next() -> Test {
    disturb_each_call_of_lower(Fault::Kill)
}
