//! One container after the other on a bridge, with host-local.

use super::scene::Scene;
use super::{Bench, Error};
use crate::container::Container;
use crate::network::{Shape, Stack};
use crate::report::{Body, Measure, Row, Section, Versus};
use crate::series::{Pair, alternate};
use crate::settle::settle;
use std::time::Duration;

pub(super) fn ipv4(bench: &Bench) -> Result<Vec<Section>, Error> {
    run(bench, Shape { stack: Stack::Ipv4, masquerade: false })
}

pub(super) fn ipv4_masquerade(bench: &Bench) -> Result<Vec<Section>, Error> {
    run(bench, Shape { stack: Stack::Ipv4, masquerade: true })
}

pub(super) fn dual(bench: &Bench) -> Result<Vec<Section>, Error> {
    run(bench, Shape { stack: Stack::Dual, masquerade: false })
}

pub(super) fn dual_masquerade(bench: &Bench) -> Result<Vec<Section>, Error> {
    run(bench, Shape { stack: Stack::Dual, masquerade: true })
}

/// What one container took.
#[derive(Clone, Copy, Debug)]
struct Life {
    add: Duration,
    check: Duration,
    del: Duration,
}

fn run(bench: &Bench, shape: Shape) -> Result<Vec<Section>, Error> {
    let mut scenes = bench.sides.as_ref().try_map(|side| Scene::inhabited(side, shape))?;
    let lives = alternate(&mut scenes, bench.effort.rounds(100), live)?;
    scenes.try_map(Scene::end)?;
    let (add_goal, del_goal) = if shape.masquerade { (12.0, 30.0) } else { (5.0, 12.0) };
    let row = |verb: &str, of: fn(&Life) -> Duration| {
        let Pair { reference, ours } = lives.as_ref().map(|lives| lives.iter().map(of));
        Row::new(verb, reference, ours)
    };
    let rows = vec![
        row("ADD", |life| life.add).goal(add_goal),
        row("CHECK", |life| life.check),
        row("DEL", |life| life.del).goal(del_goal),
    ];
    let versus = Versus { reference: "reference", ours: "ours", measure: Measure::Faster, rows };
    let title = format!("bridge with host-local, {shape}; another container is on the bridge");
    Ok(vec![Section { title, body: Body::Versus(versus) }])
}

fn live(scene: &mut Scene<'_>) -> Result<Life, Error> {
    let container = Container::create()?;
    let attachment = scene.attachment(&container);
    let (add, result) = attachment.add()?;
    let check = attachment.check(&result)?;
    let del = attachment.del(&result)?;
    scene.keep(container);
    settle()?;
    Ok(Life { add, check, del })
}
