//! host-local alone, with few and with many leases present.
//!
//! All sizes take turns within a round, so that they see the same machine.

use super::{Bench, Error};
use crate::plugin::Call;
use crate::report::{Body, Measure, Row, Section, Versus};
use crate::series::{Pair, alternate};
use crate::side::Side;
use serde_json::json;
use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

/// How many leases are present.
const SIZES: [u32; 3] = [10, 1_000, 10_000];

/// The subnet has room for 65,000; the leases begin above the gateway.
const FIRST: Ipv4Addr = Ipv4Addr::new(10, 70, 0, 2);

/// Where the leases are.
const FOLDER: &str = "/run/bench/leases";

/// What one lease took.
#[derive(Clone, Copy, Debug)]
struct Lease {
    add: Duration,
    del: Duration,
}

pub(super) fn run(bench: &Bench) -> Result<Vec<Section>, Error> {
    let mut pools = bench.sides.as_ref().try_map(Pools::fill)?;
    let leases = alternate(&mut pools, bench.effort.rounds(60), Pools::lease)?;
    Ok(vec![sides(&leases), scale(&leases)])
}

fn sides(leases: &Pair<Vec<Vec<Lease>>>) -> Section {
    let row = |verb: &str, index: usize, of: fn(&Lease) -> Duration| {
        let Pair { reference, ours } = leases.as_ref().map(|rounds| times(rounds, index, of));
        Row::new(format!("{verb}, {} leases present", SIZES[index]), reference, ours)
    };
    let adds = (0..SIZES.len()).map(|index| row("ADD", index, |lease| lease.add));
    let dels = (0..SIZES.len()).map(|index| row("DEL", index, |lease| lease.del));
    let rows = adds.chain(dels).collect();
    let versus = Versus { reference: "reference", ours: "ours", measure: Measure::Faster, rows };
    Section { title: "host-local alone".to_owned(), body: Body::Versus(versus) }
}

fn scale(leases: &Pair<Vec<Vec<Lease>>>) -> Section {
    let row = |case: &str, rounds: &[Vec<Lease>], of: fn(&Lease) -> Duration| {
        Row::new(case, times(rounds, 0, of), times(rounds, SIZES.len() - 1, of))
    };
    let rows = vec![
        row("our ADD", &leases.ours, |lease| lease.add).goal(1.5),
        row("our DEL", &leases.ours, |lease| lease.del).goal(1.5),
        row("reference's ADD", &leases.reference, |lease| lease.add),
        row("reference's DEL", &leases.reference, |lease| lease.del),
    ];
    let versus = Versus { reference: "10 leases", ours: "10,000", measure: Measure::AsLong, rows };
    Section { title: "host-local alone, 10,000 leases against 10".to_owned(), body: Body::Versus(versus) }
}

fn times(rounds: &[Vec<Lease>], index: usize, of: fn(&Lease) -> Duration) -> Vec<Duration> {
    rounds.iter().filter_map(|sizes| sizes.get(index)).map(of).collect()
}

/// One folder of leases for each size.
#[derive(Debug)]
struct Pools {
    pools: Vec<Pool>,
    turn: usize,
}

impl Pools {
    fn fill(side: &Side) -> Result<Self, Error> {
        let pools = SIZES.iter().map(|size| Pool::fill(side, *size)).collect::<Result<_, Error>>()?;
        Ok(Self { pools, turn: 0 })
    }

    /// One lease from each pool. Each time another one comes first: the first finds the processor's caches
    /// as the other side has left them.
    fn lease(&mut self) -> Result<Vec<Lease>, Error> {
        let first = self.turn % SIZES.len();
        self.turn += 1;
        let order = (first..SIZES.len()).chain(0..first);
        let mut leases = order.map(|index| self.pools[index].lease()).collect::<Result<Vec<_>, Error>>()?;
        leases.rotate_right(first);
        Ok(leases)
    }
}

/// A folder of leases, and the calls that take one more and give it back.
#[derive(Debug)]
struct Pool {
    add: Call,
    del: Call,
}

impl Pool {
    /// Writes the leases of others, in the format that all tools know.
    fn fill(side: &Side, size: u32) -> Result<Self, Error> {
        let folder = PathBuf::from(FOLDER).join(side.name);
        // The same length for each size.
        let name = format!("pool{size:05}");
        write_leases(&folder.join(&name), size).map_err(Error::Fill)?;
        let stdin = json!({
            "cniVersion": "1.0.0",
            "name": name,
            "ipam": {
                "type": "host-local",
                "dataDir": folder,
                "ranges": [[{ "subnet": "10.70.0.0/16" }]],
            },
        });
        let call = |verb: &str| Call {
            program: side.plugin("host-local"),
            arguments: Vec::new(),
            environment: vec![
                ("CNI_COMMAND", verb.into()),
                ("CNI_CONTAINERID", "0".repeat(64).into()),
                ("CNI_NETNS", "/run/netns/bench".into()),
                ("CNI_IFNAME", "eth0".into()),
                ("CNI_PATH", side.folder.clone().into()),
            ],
            stdin: stdin.to_string(),
        };
        Ok(Self { add: call("ADD"), del: call("DEL") })
    }

    fn lease(&self) -> Result<Lease, Error> {
        let (add, _) = self.add.run()?;
        let (del, _) = self.del.run()?;
        Ok(Lease { add, del })
    }
}

fn write_leases(folder: &PathBuf, size: u32) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join("lock"), "")?;
    for number in 0..size {
        let address = Ipv4Addr::from_bits(FIRST.to_bits() + number);
        fs::write(folder.join(address.to_string()), format!("f{number:063x}\r\neth0"))?;
    }
    let last = Ipv4Addr::from_bits(FIRST.to_bits() + size - 1);
    fs::write(folder.join("last_reserved_ip.0"), last.to_string())
}
