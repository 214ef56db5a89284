//! A container with one published port, while others have published few or many.
//!
//! All contenders and all sizes take turns within a round, so that they see the same machine.

use super::stand::{Life, Stand};
use super::{Bench, Error};
use crate::contender::{Contender, Field};
use crate::ports::Ports;
use crate::report::{Body, Measure, Row, Section, Versus};
use crate::series::{Rounds, rotate};
use crate::site::Site;
use std::time::Duration;

/// How many ports others have published.
const SIZES: [u16; 4] = [0, 100, 1_000, 5_000];

/// What the turns of one contender with one size may take altogether.
const BUDGET: Duration = Duration::from_secs(6);

/// Above all ports of the others.
const FIRST: u16 = 30_000;

pub(super) fn run(bench: &Bench) -> Result<Vec<Section>, Error> {
    let field = bench.field()?;
    let mut sections = Vec::new();
    let stands = field.all().flat_map(|contender| SIZES.map(|size| open(contender, size)));
    let mut stands = stands.collect::<Result<Vec<_>, Error>>()?;
    // Everything is warm after one round, and it would be long for some.
    let rounds = Rounds { warm_up: 1, ..bench.effort.rounds(20) };
    let mut port = FIRST;
    let lives = rotate(&mut stands, rounds, BUDGET, |stand| {
        // Nobody else has had it: not even a trace of an old one is met.
        port += 1;
        stand.live(Ports::one(port))
    })?;
    stands.into_iter().try_for_each(Stand::end)?;
    // By contender, with us at the end.
    let lives: Vec<&[Vec<Life>]> = lives.chunks(SIZES.len()).collect();
    if let Some((ours, rivals)) = lives.split_last() {
        sections
            .extend(field.rivals.iter().zip(rivals).map(|(rival, its)| against(rival.as_ref(), its, ours)));
        sections.push(scale(&field, &lives));
    }
    sections.extend(
        field
            .absent
            .iter()
            .map(|absent| Section { title: title(absent.name), body: Body::Skipped(absent.why.to_owned()) }),
    );
    Ok(sections)
}

fn open(contender: &dyn Contender, size: u16) -> Result<Stand<'_>, Error> {
    let mut stand = Stand::new(contender, Site::create()?);
    stand.crowd(size)?;
    stand.settle_down(None, Ports::one(FIRST - 1))?;
    stand.site.settle()?;
    Ok(stand)
}

fn title(rival: &str) -> String {
    format!(
        "bridge with ipMasq, one published port, firewall: against {rival}; ports that others have published"
    )
}

fn against(rival: &dyn Contender, its: &[Vec<Life>], ours: &[Vec<Life>]) -> Section {
    let row = |verb: &str, index: usize, of: fn(&Life) -> Duration| {
        let goal = (index == 0).then(|| goal(rival.name())).flatten();
        Row::new(
            format!("{verb}, {} ports", SIZES[index]),
            its[index].iter().map(of),
            ours[index].iter().map(of),
        )
        .goal(goal)
    };
    let adds = (0..SIZES.len()).map(|index| row("ADD", index, |life| life.add));
    let dels = (0..SIZES.len()).map(|index| row("DEL", index, |life| life.del));
    let rows = adds.chain(dels).collect();
    let versus = Versus { reference: rival.name(), ours: "ours", measure: Measure::Faster, rows };
    Section { title: title(rival.name()), body: Body::Versus(versus) }
}

/// How many times faster we want to be while nobody else has published anything.
fn goal(rival: &str) -> Option<f64> {
    match rival {
        "reference" => Some(20.0),
        "netavark" => Some(8.0),
        _ => None,
    }
}

fn scale(field: &Field, lives: &[&[Vec<Life>]]) -> Section {
    let mut rows = Vec::new();
    for (contender, sizes) in field.all().zip(lives) {
        let row = |verb: &str, of: fn(&Life) -> Duration| {
            let ends = (sizes.first(), sizes.last());
            let times = |lives: Option<&Vec<Life>>| lives.into_iter().flatten().map(of).collect::<Vec<_>>();
            let goal = (contender.name() == "ours").then_some(1.3);
            Row::new(format!("{}, {verb}", contender.name()), times(ends.0), times(ends.1)).goal(goal)
        };
        rows.extend([row("ADD", |life| life.add), row("DEL", |life| life.del)]);
    }
    let versus = Versus { reference: "0 ports", ours: "5,000", measure: Measure::AsLong, rows };
    let title = "the same, 5,000 ports that others have published against none".to_owned();
    Section { title, body: Body::Versus(versus) }
}
