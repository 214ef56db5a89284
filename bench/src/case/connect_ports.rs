//! Connections from outside to the first and to the last of 5,000 published ports.

use super::stand::Stand;
use super::{Bench, Error};
use crate::contender::{Chain, Contender};
use crate::ports::{Ports, SERVED, Transport};
use crate::report::{Body, Measure, Row, Section, Versus};
use crate::series::{Rounds, rotate};
use crate::site::{Site, UPLINK};
use crate::traffic::{Server, connects};
use lab::{Call, Here};
use std::fmt::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// So many ports of others lie between the first and the last.
const BETWEEN: u16 = 5_000;

/// The first port and the last, in the order in which they are published.
const ENDS: [u16; 2] = [9_000, 21_000];

/// So many connections make one time.
const CONNECTS: u32 = 50;

/// What the turns of one contender to one port may take altogether.
const BUDGET: Duration = Duration::from_secs(4);

/// A contender with 5,000 ports, and the servers behind two of them.
#[derive(Debug)]
struct Exhibit<'a> {
    name: &'static str,
    stand: Stand<'a>,
    servers: Vec<Server>,
}

pub(super) fn run(bench: &Bench) -> Result<Vec<Section>, Error> {
    let field = bench.field()?;
    let bridge = Chain::bridge_only("a rule per port", &bench.sides.ours);
    let mut exhibits = vec![linear(&bridge)?];
    for contender in field.all() {
        exhibits.push(published(contender)?);
    }
    let mut turns: Vec<(&Exhibit<'_>, u16)> =
        exhibits.iter().flat_map(|exhibit| ENDS.map(|port| (exhibit, port))).collect();
    let rounds = Rounds { warm_up: 2, ..bench.effort.rounds(100) };
    let times = rotate(&mut turns, rounds, BUDGET, |(exhibit, port)| {
        let to = SocketAddr::from((UPLINK, *port));
        exhibit.stand.passed(connects(exhibit.stand.site.outside()?, to, CONNECTS))
    })?;
    let names: Vec<&'static str> = exhibits.iter().map(|exhibit| exhibit.name).collect();
    exhibits.into_iter().try_for_each(Exhibit::end)?;
    let ends: Vec<&[Vec<Duration>]> = times.chunks(ENDS.len()).collect();
    let mut sections = vec![scale(&names, &ends)];
    if let (Some((ours, rivals)), Some((_, rival_names))) = (ends.split_last(), names.split_last()) {
        let rivals = rival_names.iter().zip(rivals);
        sections.splice(..0, rivals.map(|(name, its)| against(name, its, ours)));
    }
    Ok(sections)
}

/// One container before all others, one after them.
fn published(contender: &dyn Contender) -> Result<Exhibit<'_>, Error> {
    let mut stand = Stand::new(contender, Site::with_outside()?);
    let [first, last] = ENDS;
    let mut servers = vec![serve(&mut stand, first)?.0];
    stand.crowd(BETWEEN)?;
    servers.push(serve(&mut stand, last)?.0);
    stand.site.settle()?;
    Ok(Exhibit { name: contender.name(), stand, servers })
}

/// The same ports, and a rule for each of them in the one chain that all packets walk through.
fn linear(bridge: &Chain) -> Result<Exhibit<'_>, Error> {
    let mut stand = Stand::new(bridge, Site::with_outside()?);
    let [(first, to_first), (last, to_last)] = [serve(&mut stand, ENDS[0])?, serve(&mut stand, ENDS[1])?];
    let script = linear_rules(to_first, to_last);
    stand.site.run(|| Call::new(["nft", "-f", "-"]).stdin(script).run(&Here).ok())??;
    stand.site.settle()?;
    Ok(Exhibit { name: bridge.name(), stand, servers: vec![first, last] })
}

fn linear_rules(first: Ipv4Addr, last: Ipv4Addr) -> String {
    let mut script =
        String::from("table ip linear {\nchain publish {\ntype nat hook prerouting priority dstnat\n");
    // To whom the ports in between lead does not matter.
    let between = Ports::scattered(ENDS[0] + 2, BETWEEN).pairs().map(|(port, _)| (port, first));
    for (port, to) in [(ENDS[0], first)].into_iter().chain(between).chain([(ENDS[1], last)]) {
        // Writing to a string cannot fail.
        let _written = writeln!(script, "tcp dport {port} dnat to {to}:{SERVED}");
    }
    script + "}\n}\n"
}

/// A container with one port, and a server in it.
fn serve(stand: &mut Stand<'_>, port: u16) -> Result<(Server, Ipv4Addr), Error> {
    let (lan, tenant) = (stand.lan(None), stand.tenant(Ports::one(port))?);
    let server = stand.passed(Server::start(&tenant.container.netns()?, Transport::Tcp))?;
    let (_, attached) = stand.attach(&lan, &tenant)?;
    stand.keep(tenant);
    Ok((server, attached.address))
}

impl Exhibit<'_> {
    fn end(self) -> Result<(), Error> {
        let stopped: Result<(), _> = self.servers.into_iter().try_for_each(Server::stop);
        self.stand.passed(stopped)?;
        self.stand.end()
    }
}

fn against(rival: &'static str, its: &[Vec<Duration>], ours: &[Vec<Duration>]) -> Section {
    let row = |what: &str, end: usize| Row::new(what, its[end].clone(), ours[end].clone());
    let goal = (rival == "a rule per port").then_some(1.0);
    let rows = vec![row("to the first of 5,000", 0), row("to the last of 5,000", 1).goal(goal)];
    let versus = Versus { reference: rival, ours: "ours", measure: Measure::Faster, rows };
    let title = format!("{CONNECTS} connections from outside to a published port: against {rival}");
    Section { title, body: Body::Versus(versus) }
}

fn scale(names: &[&'static str], ends: &[&[Vec<Duration>]]) -> Section {
    let row = |(name, ends): (&&'static str, &&[Vec<Duration>])| {
        Row::new(*name, ends[0].clone(), ends[1].clone()).goal((*name == "ours").then_some(1.3))
    };
    let rows = names.iter().zip(ends).map(row).collect();
    let versus = Versus { reference: "first port", ours: "last port", measure: Measure::AsLong, rows };
    let title = format!(
        "{CONNECTS} connections from outside: to the last of 5,000 published ports against the first"
    );
    Section { title, body: Body::Versus(versus) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_is_for_the_first_port_and_the_last_for_the_last() {
        let script = linear_rules(Ipv4Addr::new(10, 1, 0, 2), Ipv4Addr::new(10, 1, 0, 3));
        let rules: Vec<&str> = script.lines().filter(|line| line.starts_with("tcp")).collect();
        assert_eq!(rules.len(), 5_002);
        assert_eq!(rules.first(), Some(&"tcp dport 9000 dnat to 10.1.0.2:8080"));
        assert_eq!(rules.last(), Some(&"tcp dport 21000 dnat to 10.1.0.3:8080"));
    }
}
