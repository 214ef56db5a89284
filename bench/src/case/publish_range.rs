//! One container that publishes many ports at once.

use super::stand::{Life, Stand};
use super::{Bench, Effort, Error};
use crate::contender::Contender;
use crate::ports::Ports;
use crate::processes;
use crate::report::{Body, Count, Counts, Measure, Row, Section, Versus};
use crate::series::{Rounds, rotate};
use crate::site::Site;
use std::time::Duration;

/// How many ports are published at once: few enough for everybody, and as many as people ask for.
const FEW: u16 = 100;
const MANY: u16 = 1_000;

/// The first port.
const FIRST: u16 = 20_000;

/// For an ADD, and for a DEL, of many.
const LIMIT: Duration = Duration::from_millis(50);

/// What the turns of one contender may take altogether: those who need half a minute for one have just one.
const BUDGET: Duration = Duration::from_secs(5);

/// What one container took, and how many processes were there because of it.
#[derive(Clone, Copy, Debug)]
struct Publication {
    life: Life,
    left: usize,
}

pub(super) fn run(bench: &Bench) -> Result<Vec<Section>, Error> {
    let field = bench.field()?;
    let stands = field.all().map(open).collect::<Result<Vec<_>, Error>>();
    let mut stands = stands?;
    let rounds = Rounds { warm_up: 1, ..bench.effort.rounds(20) };
    let few = rotate(&mut stands, rounds, BUDGET, |stand| publish(stand, FEW))?;
    // What was warmed up with few is warm for many.
    let rounds = Rounds { warm_up: 0, ..rounds };
    let patient = bench.effort == Effort::Full;
    let many = rotate(&mut stands, rounds, BUDGET, |stand| {
        let slow = stand.contender().name() == "reference";
        if slow && !patient { Ok(None) } else { publish(stand, MANY).map(Some) }
    })?;
    let many: Vec<Vec<Publication>> =
        many.into_iter().map(|its| its.into_iter().flatten().collect()).collect();
    stands.into_iter().try_for_each(Stand::end)?;
    let mut sections = Vec::new();
    if let (Some(our_few), Some(our_many)) = (few.last(), many.last()) {
        for (nth, ((rival, few), many)) in field.rivals.iter().zip(&few).zip(&many).enumerate() {
            // Our own time is in every table; its goal is in one.
            let limit = (nth == 0).then_some(LIMIT);
            let rows = [rows(FEW, few, our_few, None), rows(MANY, many, our_many, limit)].concat();
            sections.push(against(rival.as_ref(), rows));
        }
    }
    let rows = field.all().zip(&many).map(|(contender, its)| {
        let left: Vec<usize> = its.iter().map(|publication| publication.left).collect();
        Count::of(contender.name(), &left, contender.name() == "ours")
    });
    let counts = Counts { what: "processes", rows: rows.collect() };
    let title = format!("processes left by an ADD that publishes {MANY} ports, at most");
    sections.push(Section { title, body: Body::Counts(counts) });
    Ok(sections)
}

fn open(contender: &dyn Contender) -> Result<Stand<'_>, Error> {
    let mut stand = Stand::new(contender, Site::create()?);
    stand.settle_down(None, Ports::one(FIRST - 1))?;
    stand.site.settle()?;
    Ok(stand)
}

fn publish(stand: &mut Stand<'_>, count: u16) -> Result<Publication, Error> {
    let (lan, tenant) = (stand.lan(None), stand.tenant(Ports::together(FIRST, count))?);
    let before = processes::count()?;
    let (add, attached) = stand.attach(&lan, &tenant)?;
    let left = processes::left_behind(before)?;
    let del = stand.detach(&lan, &tenant, &attached)?;
    stand.keep(tenant);
    stand.site.settle()?;
    Ok(Publication { life: Life { add, del }, left })
}

fn rows(count: u16, its: &[Publication], ours: &[Publication], limit: Option<Duration>) -> Vec<Row> {
    let row = |verb: &str, of: fn(&Publication) -> Duration| {
        let row = Row::new(format!("{verb}, {count} ports"), its.iter().map(of), ours.iter().map(of));
        match limit {
            Some(limit) => row.under(limit),
            None => row,
        }
    };
    vec![row("ADD", |publication| publication.life.add), row("DEL", |publication| publication.life.del)]
}

fn against(rival: &dyn Contender, rows: Vec<Row>) -> Section {
    let versus = Versus { reference: rival.name(), ours: "ours", measure: Measure::Faster, rows };
    let title = format!("the same with a range of published ports: against {}", rival.name());
    Section { title, body: Body::Versus(versus) }
}
