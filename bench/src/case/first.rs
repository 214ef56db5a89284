//! The first packet of a container, sent in the instant in which ADD returns.

use super::scene::Scene;
use super::{Bench, Error};
use crate::attachment;
use crate::container::Container;
use crate::first_packet::{Listener, PATIENCE};
use crate::network::{Shape, Stack};
use crate::report::{Arrivals, Body, Fares, Section};
use crate::series::{Rounds, alternate};
use crate::settle::settle;
use std::time::Duration;

/// In time.
const LIMIT: Duration = Duration::from_millis(2);

/// So many of a hundred in time.
const GOAL: u32 = 99;

pub(super) fn ipv4(bench: &Bench) -> Result<Vec<Section>, Error> {
    run(bench, Stack::Ipv4)
}

pub(super) fn ipv6(bench: &Bench) -> Result<Vec<Section>, Error> {
    run(bench, Stack::Dual)
}

/// Which container of a bridge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    /// The bridge is made for it.
    First,
    /// Another container is there.
    Later,
}

fn run(bench: &Bench, stack: Stack) -> Result<Vec<Section>, Error> {
    let mut rows = series(bench, stack, Which::First)?;
    rows.extend(series(bench, stack, Which::Later)?);
    let title = match stack {
        Stack::Ipv4 => "the first packet, IPv4: sent when ADD returns, to the bridge; in time: 2 ms",
        Stack::Dual => "the first packet, IPv6: sent when ADD returns, to the bridge; in time: 2 ms",
    };
    let fares = Fares { limit: LIMIT, goal: GOAL, rows };
    Ok(vec![Section { title: title.to_owned(), body: Body::FirstPacket(fares) }])
}

/// What one side's packets have waited altogether, after which it takes no more turns: packets that come
/// seconds late are soon known to do so.
const BUDGET: Duration = Duration::from_secs(20);

/// One side, and how long its packets have waited until now.
#[derive(Debug)]
struct Contender<'a> {
    scene: Scene<'a>,
    waited: Duration,
}

fn series(bench: &Bench, stack: Stack, which: Which) -> Result<Vec<Arrivals>, Error> {
    let shape = Shape { stack, masquerade: false };
    let mut listener = Listener::start()?;
    let mut contenders = bench.sides.as_ref().try_map(|side| {
        let scene = match which {
            Which::First => Scene::new(side, shape),
            Which::Later => Scene::inhabited(side, shape)?,
        };
        Ok::<_, Error>(Contender { scene, waited: Duration::ZERO })
    })?;
    let work = |contender: &mut Contender<'_>| {
        if contender.waited > BUDGET {
            return Ok(None);
        }
        let arrived = speak(&mut contender.scene, &mut listener, stack, which)?;
        contender.waited += arrived.unwrap_or(PATIENCE);
        Ok::<_, Error>(Some(arrived))
    };
    // Every round is a beginning here: there is little to warm up, and it would use up the budget.
    let rounds = Rounds { warm_up: 1, ..bench.effort.rounds(100) };
    let times = alternate(&mut contenders, rounds, work)?;
    contenders.try_map(|contender| contender.scene.end())?;
    let case = match which {
        Which::First => "first of a bridge",
        Which::Later => "later ones",
    };
    let count = |side, times: Vec<Option<_>>, has_goal| {
        let taken: Vec<_> = times.into_iter().flatten().collect();
        Arrivals::count(case, side, &taken, LIMIT, has_goal)
    };
    Ok(vec![count("reference", times.reference, false), count("ours", times.ours, true)])
}

/// How long after the return of ADD the first packet of a container arrived.
fn speak(
    scene: &mut Scene<'_>,
    listener: &mut Listener,
    stack: Stack,
    which: Which,
) -> Result<Option<Duration>, Error> {
    let container = Container::create()?;
    let sender = listener.sender(container.netns()?, scene.network().gateway(stack))?;
    let attachment = scene.attachment(&container);
    let ended = attachment.prepare("ADD", None)?.start()?.wait()?;
    sender.go();
    let returned = ended.at;
    let arrived = listener.wait_for(&sender)?;
    sender.stop()?;
    let result = attachment::result(ended.output()?)?;
    attachment.del(&result)?;
    scene.keep(container);
    if which == Which::First {
        scene.remove_bridge()?;
    }
    settle()?;
    Ok(arrived.map(|arrived| arrived.saturating_duration_since(returned)))
}
