//! Round trips of a flow that stands, while the host has few or many networks.

use super::stand::Stand;
use super::{Bench, Error};
use crate::contender::Contender;
use crate::ports::{Ports, Transport};
use crate::report::{Body, Measure, Row, Section, Versus};
use crate::series::{Rounds, rotate};
use crate::site::{Site, UPLINK};
use crate::traffic::{Flow, Server};
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

/// What the turns of one contender with one size may take altogether.
const BUDGET: Duration = Duration::from_secs(6);

/// A contender with some networks, and a flow to the container of the last one.
#[derive(Debug)]
struct Exhibit<'a> {
    stand: Stand<'a>,
    server: Server,
    flow: Flow,
}

pub(super) fn run(bench: &Bench) -> Result<Vec<Section>, Error> {
    let field = bench.field()?;
    let contenders: Vec<&dyn Contender> =
        field.all().filter(|contender| matches!(contender.name(), "ours" | "netavark")).collect();
    let mut exhibits = Vec::new();
    for contender in &contenders {
        for size in SIZES {
            exhibits.push(open(*contender, size)?);
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
        sections.extend(rivals.iter().map(|its| against(its, ours)));
    }
    sections.push(scale(&contenders, &times));
    Ok(sections)
}

fn open(contender: &dyn Contender, size: u8) -> Result<Exhibit<'_>, Error> {
    let mut stand = Stand::new(contender, Site::with_outside()?);
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

fn against(its: &[Vec<Duration>], ours: &[Vec<Duration>]) -> Section {
    let row = |index: usize| {
        let size = SIZES[index];
        let networks = if size == 1 { "1 network".to_owned() } else { format!("{size} networks") };
        Row::new(networks, its[index].clone(), ours[index].clone())
    };
    let rows = (0..SIZES.len()).map(row).collect();
    let versus = Versus { reference: "netavark", ours: "ours", measure: Measure::Faster, rows };
    let title =
        format!("{ROUND_TRIPS} round trips of an established UDP flow, outside to container and back");
    Section { title, body: Body::Versus(versus) }
}

fn scale(contenders: &[&dyn Contender], times: &[&[Vec<Duration>]]) -> Section {
    let row = |(contender, sizes): (&&dyn Contender, &&[Vec<Duration>])| {
        let ends = [0, SIZES.len() - 1].map(|index| sizes[index].clone());
        let [one, many] = ends;
        Row::new(contender.name(), one, many).goal((contender.name() == "ours").then_some(1.1))
    };
    let rows = contenders.iter().zip(times).map(row).collect();
    let versus = Versus { reference: "1 network", ours: "100", measure: Measure::AsLong, rows };
    let title = format!("{ROUND_TRIPS} round trips of an established UDP flow: 100 networks against one");
    Section { title, body: Body::Versus(versus) }
}
