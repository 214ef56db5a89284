//! Many calls at once.

use crate::plugin::{Ended, Error, Prepared, Running};
use std::panic::resume_unwind;
use std::thread;
use std::time::{Duration, Instant};

/// Starts all calls together, and returns how long it took until the last was reaped, and what each said.
///
/// There is one starter for each processor: a process is made by its parent, and one parent alone would
/// make quick programs stand in a queue. But one thread reaps them all: on Linux 6.18 two threads of one
/// process that reap children at the same time can chase each other through `/proc`'s cache for ever
/// (`proc_invalidate_siblings_dcache`), and nobody can kill them.
///
/// # Errors
/// The first failure, after all have ended.
pub fn run(calls: Vec<Prepared>) -> Result<(Duration, Vec<String>), Error> {
    let starters = thread::available_parallelism().map_or(1, usize::from);
    let mut shares: Vec<Vec<Prepared>> = (0..starters).map(|_| Vec::new()).collect();
    for (number, call) in calls.into_iter().enumerate() {
        shares[number % starters].push(call);
    }
    let started = Instant::now();
    let running: Vec<Result<Running, Error>> = thread::scope(|scope| {
        let starters: Vec<_> = shares.into_iter().map(|share| scope.spawn(|| start(share))).collect();
        starters
            .into_iter()
            .flat_map(|starter| starter.join().unwrap_or_else(|panic| resume_unwind(panic)))
            .collect()
    });
    let ended: Vec<Result<Ended, Error>> = running.into_iter().map(|running| running?.wait()).collect();
    let took = started.elapsed();
    let said: Result<Vec<String>, Error> = ended.into_iter().map(|ended| ended?.output()).collect();
    Ok((took, said?))
}

fn start(share: Vec<Prepared>) -> Vec<Result<Running, Error>> {
    share.into_iter().map(Prepared::start).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::Call;

    fn shell(script: &str) -> Prepared {
        let arguments = vec!["-c".into(), script.into()];
        let call =
            Call { program: "/bin/sh".into(), arguments, environment: Vec::new(), stdin: String::new() };
        call.prepare().unwrap()
    }

    #[test]
    fn everybody_is_waited_for() {
        let (_, mut said) = run((0..7).map(|number| shell(&format!("echo {number}"))).collect()).unwrap();
        said.sort();
        assert_eq!(said.concat(), "0\n1\n2\n3\n4\n5\n6\n");
    }

    #[test]
    fn one_failure_is_told() {
        let failed = run(vec![shell("true"), shell("false"), shell("true")]).unwrap_err();
        assert!(matches!(failed, Error::Failed { .. }), "{failed}");
    }
}
