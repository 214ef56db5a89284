//! Series of rounds in which two contenders take turns.

use serde::Serialize;

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
}
