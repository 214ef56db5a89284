//! Many containers at once on one network.

use super::scene::Scene;
use super::{Bench, Error};
use crate::attachment;
use crate::container::{self, Container};
use crate::crowd;
use crate::network::{Shape, Stack};
use crate::plugin::Prepared;
use crate::report::{Body, Measure, Row, Section, Versus};
use crate::series::{Pair, alternate};
use crate::settle::settle;
use serde_json::Value;
use std::time::Duration;

/// So many at once.
pub(super) const CROWD: usize = 50;

pub(super) fn plain(bench: &Bench) -> Result<Vec<Section>, Error> {
    run(bench, false, 10)
}

pub(super) fn masquerade(bench: &Bench) -> Result<Vec<Section>, Error> {
    run(bench, true, 6)
}

fn run(bench: &Bench, masquerade: bool, rounds: usize) -> Result<Vec<Section>, Error> {
    let shape = Shape { stack: Stack::Ipv4, masquerade };
    let mut scenes = bench.sides.as_ref().try_map(|side| Scene::inhabited(side, shape))?;
    let times = alternate(&mut scenes, bench.effort.rounds(rounds), come_and_go)?;
    scenes.try_map(Scene::end)?;
    let row = |what: String, of: fn(&(Duration, Duration)) -> Duration| {
        let Pair { reference, ours } = times.as_ref().map(|times| times.iter().map(of));
        Row::new(what, reference, ours)
    };
    let rows = vec![
        row(format!("{CROWD} ADDs"), |(adds, _)| *adds).goal(15.0),
        row(format!("{CROWD} DELs"), |(_, dels)| *dels),
    ];
    let versus = Versus { reference: "reference", ours: "ours", measure: Measure::Faster, rows };
    let title =
        format!("bridge with host-local, {shape}; {CROWD} at once on one network, until all are done");
    Ok(vec![Section { title, body: Body::Versus(versus) }])
}

/// A crowd of containers, none of which has been used.
pub(super) fn containers() -> Result<Vec<Container>, container::Error> {
    (0..CROWD).map(|_| Container::create()).collect()
}

/// How long it takes until all of a crowd are attached, and until all are detached again.
pub(super) fn come_and_go(scene: &mut Scene<'_>) -> Result<(Duration, Duration), Error> {
    let containers = containers()?;
    let (adds, said) = crowd::run(prepare(scene, &containers, "ADD", &[])?)?;
    let results = said.into_iter().map(attachment::result).collect::<Result<Vec<_>, _>>()?;
    settle()?;
    let (dels, _) = crowd::run(prepare(scene, &containers, "DEL", &results)?)?;
    containers.into_iter().for_each(|container| scene.keep(container));
    settle()?;
    Ok((adds, dels))
}

/// The same verb for all; nothing has to be matched with the result of another container, since a result
/// names addresses that its own container has.
fn prepare(
    scene: &Scene<'_>,
    containers: &[Container],
    verb: &str,
    results: &[Value],
) -> Result<Vec<Prepared>, attachment::Error> {
    let call = |(number, container): (usize, &Container)| {
        scene.attachment(container).prepare(verb, results.get(number))
    };
    containers.iter().enumerate().map(call).collect()
}
