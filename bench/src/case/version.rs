//! VERSION: the start of a process, and little else.

use super::{Bench, Error};
use crate::plugin::Call;
use crate::report::{Body, Measure, Row, Section, Versus};
use crate::series::alternate;
use crate::side::Side;

pub(super) fn run(bench: &Bench) -> Result<Vec<Section>, Error> {
    let mut calls = bench.sides.as_ref().map(call);
    let work = |call: &mut Call| call.run().map(|(took, _)| took);
    let times = alternate(&mut calls, bench.effort.rounds(300), work)?;
    let rows = vec![Row::new("VERSION", times.reference, times.ours).goal(2.5)];
    let versus = Versus { reference: "reference", ours: "ours", measure: Measure::Faster, rows };
    Ok(vec![Section { title: "bridge, asked for its versions".to_owned(), body: Body::Versus(versus) }])
}

/// As podman asks: the variables have to be there, and mean nothing.
pub(super) fn call(side: &Side) -> Call {
    let dummies = ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"];
    let mut environment: Vec<_> = dummies.map(|name| (name, "dummy".into())).to_vec();
    environment.push(("CNI_COMMAND", "VERSION".into()));
    Call {
        program: side.plugin("bridge"),
        arguments: Vec::new(),
        environment,
        stdin: r#"{"cniVersion":"1.0.0"}"#.to_owned(),
    }
}
