//! Series of rounds in which contenders take turns.

use serde::Serialize;
use std::time::{Duration, Instant};

/// One of something for each of two contenders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Pair<T> {
    /// What we are compared with.
    pub reference: T,
    /// What we made.
    pub ours: T,
}

/// How often to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rounds {
    /// Rounds before the first that counts: caches fill, bridges and tables are made.
    pub warm_up: usize,
    /// Rounds that count.
    pub counted: usize,
}

impl<T> Pair<T> {
    /// The same done to both.
    pub fn map<R>(self, mut with: impl FnMut(T) -> R) -> Pair<R> {
        Pair { reference: with(self.reference), ours: with(self.ours) }
    }

    /// The same done to both, as far as it succeeds.
    ///
    /// # Errors
    /// The first failure.
    pub fn try_map<R, E>(self, mut with: impl FnMut(T) -> Result<R, E>) -> Result<Pair<R>, E> {
        Ok(Pair { reference: with(self.reference)?, ours: with(self.ours)? })
    }

    /// Both by reference.
    pub fn as_ref(&self) -> Pair<&T> {
        Pair { reference: &self.reference, ours: &self.ours }
    }
}

/// Lets both take turns, and returns what the rounds that count have yielded.
///
/// Who begins changes from round to round: whatever one leaves behind, the other leaves as often.
///
/// # Errors
/// The first failure of `work`.
pub fn alternate<S, R, E>(
    contenders: &mut Pair<S>,
    rounds: Rounds,
    mut work: impl FnMut(&mut S) -> Result<R, E>,
) -> Result<Pair<Vec<R>>, E> {
    let mut yields: Pair<Vec<R>> = Pair { reference: Vec::new(), ours: Vec::new() };
    for round in 0..rounds.warm_up + rounds.counted {
        let (reference, ours);
        if round % 2 == 0 {
            reference = work(&mut contenders.reference)?;
            ours = work(&mut contenders.ours)?;
        } else {
            ours = work(&mut contenders.ours)?;
            reference = work(&mut contenders.reference)?;
        }
        if round >= rounds.warm_up {
            yields.reference.push(reference);
            yields.ours.push(ours);
        }
    }
    Ok(yields)
}

/// Lets any number take turns, and returns what the rounds that count have yielded, in the order of the contenders.
///
/// Another one begins each round. Whose turns have altogether taken `budget` takes no more of them: everybody has one
/// that counts, and the slow have fewer than others.
///
/// # Errors
/// The first failure of `work`.
pub fn rotate<S, R, E>(
    contenders: &mut [S],
    rounds: Rounds,
    budget: Duration,
    mut work: impl FnMut(&mut S) -> Result<R, E>,
) -> Result<Vec<Vec<R>>, E> {
    let mut yields: Vec<Vec<R>> = contenders.iter().map(|_| Vec::new()).collect();
    let mut spent = vec![Duration::ZERO; contenders.len()];
    for round in 0..rounds.warm_up + rounds.counted {
        for step in 0..contenders.len() {
            let index = (round + step) % contenders.len();
            if !yields[index].is_empty() && spent[index] >= budget {
                continue;
            }
            let started = Instant::now();
            let yielded = work(&mut contenders[index])?;
            if round >= rounds.warm_up {
                spent[index] += started.elapsed();
                yields[index].push(yielded);
            }
        }
    }
    Ok(yields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    #[test]
    fn contenders_take_turns_at_beginning() {
        let mut order = String::new();
        let mut contenders = Pair { reference: 'r', ours: 'o' };
        let rounds = Rounds { warm_up: 1, counted: 3 };
        let work = |who: &mut char| {
            order.push(*who);
            Ok::<_, Infallible>(order.len())
        };
        let yields = alternate(&mut contenders, rounds, work).unwrap();
        assert_eq!(order, "roorroor");
        assert_eq!(yields, Pair { reference: vec![4, 5, 8], ours: vec![3, 6, 7] });
    }

    #[test]
    fn a_failure_ends_the_series() {
        let mut turns = 0;
        let rounds = Rounds { warm_up: 0, counted: 5 };
        let failed = alternate(&mut Pair { reference: (), ours: () }, rounds, |()| {
            turns += 1;
            if turns == 3 { Err("third") } else { Ok(()) }
        });
        assert_eq!(failed, Err("third"));
        assert_eq!(turns, 3);
    }

    #[test]
    fn each_of_many_begins_once() {
        let mut order = String::new();
        let rounds = Rounds { warm_up: 1, counted: 2 };
        let work = |who: &mut char| {
            order.push(*who);
            Ok::<_, Infallible>(order.len())
        };
        let yields = rotate(&mut ['a', 'b', 'c'], rounds, Duration::MAX, work).unwrap();
        assert_eq!(order, "abcbcacab");
        assert_eq!(yields, [[6, 8], [4, 9], [5, 7]]);
    }

    #[test]
    fn nobody_is_stopped_before_a_turn_that_counts() {
        let rounds = Rounds { warm_up: 2, counted: 5 };
        let work = |number: &mut i32| {
            *number += 1;
            Ok::<_, Infallible>(*number)
        };
        let yields = rotate(&mut [0, 10], rounds, Duration::ZERO, work).unwrap();
        assert_eq!(yields, [[3], [13]]);
    }
}
