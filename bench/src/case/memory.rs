//! How much memory a plugin has resident at most, and how large its file is.

use super::scene::Scene;
use super::{Bench, Error, version};
use crate::attachment;
use crate::container::Container;
use crate::helper::peak_memory;
use crate::network::{Shape, Stack};
use crate::report::{Body, Section, Size, Sizes, Unit};
use crate::series::alternate;
use crate::settle::settle;
use crate::side::Side;
use std::fs;

/// For memory and for the file.
const GOAL: Unit = Unit::megabytes(3);

/// What each verb took, in bytes.
#[derive(Clone, Copy, Debug)]
struct Peaks {
    add: u64,
    check: u64,
    del: u64,
}

pub(super) fn run(bench: &Bench) -> Result<Vec<Section>, Error> {
    let shape = Shape { stack: Stack::Dual, masquerade: true };
    let asked = bench.sides.as_ref().try_map(|side| peak_memory(&version::call(side)))?;
    let mut scenes = bench.sides.as_ref().try_map(|side| Scene::inhabited(side, shape))?;
    let peaks = alternate(&mut scenes, bench.effort.rounds(5), live)?;
    scenes.try_map(Scene::end)?;
    let row = |what: &str, bytes| Size { what: what.to_owned(), bytes, goal: Some(GOAL) };
    let most = |of: fn(&Peaks) -> u64| peaks.as_ref().map(|peaks| peaks.iter().map(of).max().unwrap_or(0));
    let rows = vec![
        row("resident, VERSION", asked.map(|(bytes, _)| bytes)),
        row(&format!("resident, bridge ADD, {shape}"), most(|peaks| peaks.add)),
        row("resident, CHECK", most(|peaks| peaks.check)),
        row("resident, DEL", most(|peaks| peaks.del)),
        row("files of bridge and host-local", bench.sides.as_ref().try_map(files)?),
    ];
    let title = "memory: the largest process of a call; files".to_owned();
    Ok(vec![Section { title, body: Body::Sizes(Sizes { rows }) }])
}

fn live(scene: &mut Scene<'_>) -> Result<Peaks, Error> {
    let container = Container::create()?;
    let attachment = scene.attachment(&container);
    let (add, said) = peak_memory(&attachment.call("ADD", None))?;
    let result = attachment::result(said)?;
    let (check, _) = peak_memory(&attachment.call("CHECK", Some(&result)))?;
    let (del, _) = peak_memory(&attachment.call("DEL", Some(&result)))?;
    scene.keep(container);
    settle()?;
    Ok(Peaks { add, check, del })
}

/// The sizes of all files that an ADD executes; several names of one file are one file.
fn files(side: &Side) -> Result<u64, Error> {
    use std::os::unix::fs::MetadataExt;
    let stat = |name: &str| {
        let metadata = fs::metadata(side.plugin(name));
        metadata.map_err(|source| Error::Size { name: name.to_owned(), source })
    };
    let (bridge, ipam) = (stat("bridge")?, stat("host-local")?);
    Ok(if bridge.ino() == ipam.ino() { bridge.len() } else { bridge.len() + ipam.len() })
}
