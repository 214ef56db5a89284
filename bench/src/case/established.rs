//! Round trips of a flow that stands, while the host has few or many networks.
//!
//! A host with more networks is slower with no rule at all; so the same is measured where the rules were flushed after the
//! flow was established. What is left then is the host, and the translation of addresses that it does for this flow.

use super::stand::Stand;
use super::{Bench, Error};
use crate::contender::Contender;
use crate::ports::{Ports, Transport};
use crate::report::{Body, Measure, Row, Section, Versus};
use crate::series::{Rounds, rotate};
use crate::site::{Site, UPLINK};
use crate::traffic::{Flow, Server};
use lab::{Call, Here};
use std::net::SocketAddr;
use std::time::Duration;

/// How many networks there are, each with one container and one published port.
const SIZES: [u8; 3] = [1, 20, 100];

/// The port of the nth network is so much above this one.
const FIRST: u16 = 30_000;

/// So many round trips make one time.
const ROUND_TRIPS: u32 = 100;

/// Round trips before those, in which each end finds its way back into the processor's caches.
const WARM_UP: u32 = 20;

/// With our rules, at most so many times as long as without any, on however many networks.
const AGAINST_NO_RULES: f64 = 1.1;

/// What the turns of one contender with one size may take altogether.
const BUDGET: Duration = Duration::from_secs(6);

/// Whose rules are there while the flow is measured.
#[derive(Clone, Copy, Debug)]
struct Rules<'a> {
    name: &'static str,
    of: &'a dyn Contender,
    are_flushed: bool,
}

/// A contender with some networks, and a flow to the container of the last one.
#[derive(Debug)]
struct Exhibit<'a> {
    stand: Stand<'a>,
    server: Server,
    flow: Flow,
}

pub(super) fn run(bench: &Bench) -> Result<Vec<Section>, Error> {
    let field = bench.field()?;
    let contenders = field.all().filter(|contender| matches!(contender.name(), "ours" | "netavark"));
    let mut all: Vec<Rules<'_>> =
        contenders.map(|of| Rules { name: of.name(), of, are_flushed: false }).collect();
    all.splice(..0, all.last().map(|ours| Rules { name: "no rules", are_flushed: true, ..*ours }));
    let mut exhibits = Vec::new();
    for rules in &all {
        for size in SIZES {
            exhibits.push(open(*rules, size)?);
        }
    }
    let rounds = Rounds { warm_up: 2, ..bench.effort.rounds(600) };
    let times = rotate(&mut exhibits, rounds, BUDGET, |exhibit| {
        let times = exhibit.flow.round_trips(WARM_UP).and_then(|_| exhibit.flow.round_trips(ROUND_TRIPS));
        exhibit.stand.passed(times)
    })?;
    exhibits.into_iter().try_for_each(Exhibit::end)?;
    let times: Vec<&[Vec<Duration>]> = times.chunks(SIZES.len()).collect();
    let mut sections = Vec::new();
    if let Some((ours, rivals)) = times.split_last() {
        sections.extend(all.iter().zip(rivals).map(|(rules, its)| against(*rules, its, ours)));
    }
    sections.push(scale(&all, &times));
    Ok(sections)
}

fn open(rules: Rules<'_>, size: u8) -> Result<Exhibit<'_>, Error> {
    let mut stand = Stand::new(rules.of, Site::with_outside()?);
    for nth in 1..size {
        stand.settle_down(Some(nth), port(nth))?;
    }
    let (lan, tenant) = (stand.lan(Some(size)), stand.tenant(port(size))?);
    let server = stand.passed(Server::start(&tenant.container.netns()?, Transport::Udp))?;
    stand.attach(&lan, &tenant)?;
    stand.keep(tenant);
    stand.site.settle()?;
    let to = SocketAddr::from((UPLINK, FIRST + u16::from(size)));
    let flow = stand.passed(Flow::establish(stand.site.outside()?, to))?;
    if rules.are_flushed {
        // The chains stay: the translation ends with the last that could ask for one.
        let flush = Call::new(["nft", "flush", "table", "inet", "netctl"]);
        stand.site.run(|| flush.run(&Here).ok())??;
    }
    Ok(Exhibit { stand, server, flow })
}

fn port(nth: u8) -> Ports {
    Ports::one(FIRST + u16::from(nth)).udp()
}

impl Exhibit<'_> {
    fn end(self) -> Result<(), Error> {
        drop(self.flow);
        self.stand.passed(self.server.stop())?;
        self.stand.end()
    }
}

fn against(rules: Rules<'_>, its: &[Vec<Duration>], ours: &[Vec<Duration>]) -> Section {
    let row = |index: usize| {
        let size = SIZES[index];
        let networks = if size == 1 { "1 network".to_owned() } else { format!("{size} networks") };
        Row::new(networks, its[index].clone(), ours[index].clone())
            .goal(rules.are_flushed.then_some(AGAINST_NO_RULES))
    };
    let rows = (0..SIZES.len()).map(row).collect();
    let measure = if rules.are_flushed { Measure::AsLong } else { Measure::Faster };
    let versus = Versus { reference: rules.name, ours: "ours", measure, rows };
    let title =
        format!("{ROUND_TRIPS} round trips of an established UDP flow, outside to container and back");
    Section { title, body: Body::Versus(versus) }
}

fn scale(all: &[Rules<'_>], times: &[&[Vec<Duration>]]) -> Section {
    let row = |(rules, sizes): (&Rules<'_>, &&[Vec<Duration>])| {
        let [one, many] = [0, SIZES.len() - 1].map(|index| sizes[index].clone());
        Row::new(rules.name, one, many)
    };
    let rows = all.iter().zip(times).map(row).collect();
    let versus = Versus { reference: "1 network", ours: "100", measure: Measure::AsLong, rows };
    let title = format!("{ROUND_TRIPS} round trips of an established UDP flow: 100 networks against one");
    Section { title, body: Body::Versus(versus) }
}
