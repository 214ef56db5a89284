//! Our whole process against the least that the kernel's own work takes.

use super::crowded::{self, CROWD};
use super::scene::Scene;
use super::{Bench, Error};
use crate::container::Container;
use crate::crowd;
use crate::helper::{self, Floor};
use crate::network::{PREFIX_IPV4, PREFIX_IPV6, Shape, Stack};
use crate::report::{Body, Measure, Row, Section, Versus};
use crate::series::{Pair, alternate};
use crate::settle::settle;
use std::ffi::OsString;
use std::time::Duration;

/// An address that host-local does not come to in a run.
const FAR: u32 = 60_000;

/// The host's end of the floor's pair, for the nth of a crowd.
fn host_end(nth: usize) -> String {
    format!("floor{nth}")
}

pub(super) fn run(bench: &Bench) -> Result<Vec<Section>, Error> {
    let mut rows = series(bench, Stack::Ipv4)?;
    rows.extend(series(bench, Stack::Dual)?);
    rows.push(crowd(bench)?);
    let versus = Versus { reference: "floor", ours: "ours", measure: Measure::AsLong, rows };
    let title = "our whole process against the fewest netlink messages for the same result".to_owned();
    Ok(vec![Section { title, body: Body::Versus(versus) }])
}

/// Who does it.
#[derive(Clone, Copy, Debug)]
enum Who {
    Floor,
    Ours,
}

/// What one container took.
#[derive(Clone, Copy, Debug)]
struct Life {
    add: Floor,
    del: Floor,
}

fn series(bench: &Bench, stack: Stack) -> Result<Vec<Row>, Error> {
    let shape = Shape { stack, masquerade: false };
    let mut scene = Scene::inhabited(&bench.sides.ours, shape)?;
    let mut contenders = Pair { reference: Who::Floor, ours: Who::Ours };
    let lives = alternate(&mut contenders, bench.effort.rounds(100), |who| live(&mut scene, *who, stack))?;
    scene.end()?;
    let row = |what: &str, of: fn(&Life) -> Duration, ours: fn(&Life) -> Duration| {
        Row::new(format!("{what}, {shape}"), lives.reference.iter().map(of), lives.ours.iter().map(ours))
    };
    Ok(vec![
        row("ADD, floor in the kernel", |life| life.add.kernel, |life| life.add.process).goal(3.0),
        row("ADD, floor's process", |life| life.add.process, |life| life.add.process),
        row("DEL, floor until unlisted", |life| life.del.kernel, |life| life.del.process),
        row("DEL, floor's process", |life| life.del.process, |life| life.del.process),
    ])
}

fn live(scene: &mut Scene<'_>, who: Who, stack: Stack) -> Result<Life, Error> {
    let container = Container::create()?;
    let life = match who {
        Who::Floor => Life {
            add: helper::floor(add_arguments(scene, &container, stack, 0))?,
            del: helper::floor(vec!["del".into(), host_end(0).into()])?,
        },
        Who::Ours => {
            let attachment = scene.attachment(&container);
            let (add, result) = attachment.add()?;
            let del = attachment.del(&result)?;
            Life { add: whole(add), del: whole(del) }
        }
    };
    scene.keep(container);
    settle()?;
    Ok(life)
}

/// Nobody looks inside our process.
fn whole(process: Duration) -> Floor {
    Floor { kernel: process, process }
}

/// The least that a crowd of processes can take: all of them need the one lock that guards all links.
fn crowd(bench: &Bench) -> Result<Row, Error> {
    let shape = Shape { stack: Stack::Ipv4, masquerade: false };
    let mut scene = Scene::inhabited(&bench.sides.ours, shape)?;
    let mut contenders = Pair { reference: Who::Floor, ours: Who::Ours };
    let times = alternate(&mut contenders, bench.effort.rounds(10), |who| match who {
        Who::Floor => come_and_go(&mut scene),
        Who::Ours => Ok(crowded::come_and_go(&mut scene)?.0),
    })?;
    scene.end()?;
    Ok(Row::new(format!("{CROWD} ADDs at once, floor's processes"), times.reference, times.ours))
}

fn come_and_go(scene: &mut Scene<'_>) -> Result<Duration, Error> {
    let containers = crowded::containers()?;
    let adds = containers.iter().enumerate().map(|(nth, container)| {
        Ok(helper::floor_call(add_arguments(scene, container, Stack::Ipv4, nth))?.prepare()?)
    });
    let (took, _) = crowd::run(adds.collect::<Result<Vec<_>, Error>>()?)?;
    let dels =
        (0..CROWD).map(|nth| Ok(helper::floor_call(vec!["del".into(), host_end(nth).into()])?.prepare()?));
    crowd::run(dels.collect::<Result<Vec<_>, Error>>()?)?;
    containers.into_iter().for_each(|container| scene.keep(container));
    settle()?;
    Ok(took)
}

fn add_arguments(scene: &Scene<'_>, container: &Container, stack: Stack, nth: usize) -> Vec<OsString> {
    let network = scene.network();
    let far = FAR + u32::try_from(nth).unwrap_or(0);
    let ((ipv4, ipv6), (gateway, gateway6)) = (network.address(far), network.address(1));
    let mut words: Vec<OsString> = vec!["add".into(), container.path().into()];
    words.extend([network.bridge(), &host_end(nth), "eth0"].map(OsString::from));
    words.extend([format!("{ipv4}/{PREFIX_IPV4}"), gateway.to_string()].map(OsString::from));
    if stack == Stack::Dual {
        words.extend([format!("{ipv6}/{PREFIX_IPV6}"), gateway6.to_string()].map(OsString::from));
    }
    words
}
