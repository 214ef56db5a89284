//! What is told of a series of times.

use serde::{Serialize, Serializer};
use std::time::Duration;

/// A series of times in six numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// How many times there were.
    pub n: usize,
    /// The shortest: what it costs when nothing comes between.
    #[serde(serialize_with = "micros")]
    pub min: Duration,
    /// The median.
    #[serde(serialize_with = "micros")]
    pub p50: Duration,
    /// Nine of ten are not longer.
    #[serde(serialize_with = "micros")]
    pub p90: Duration,
    /// Ninety-nine of a hundred are not longer. With fewer than a hundred, the longest.
    #[serde(serialize_with = "micros")]
    pub p99: Duration,
    /// The longest.
    #[serde(serialize_with = "micros")]
    pub max: Duration,
}

impl Summary {
    /// The summary of a series; there is none of nothing.
    #[must_use]
    pub fn of(times: impl IntoIterator<Item = Duration>) -> Option<Self> {
        let mut times: Vec<Duration> = times.into_iter().collect();
        times.sort_unstable();
        Some(Self {
            n: times.len(),
            min: *times.first()?,
            p50: percentile(&times, 50)?,
            p90: percentile(&times, 90)?,
            p99: percentile(&times, 99)?,
            max: *times.last()?,
        })
    }
}

/// The smallest value that `percent` of all do not exceed: always one that was really measured.
fn percentile(sorted: &[Duration], percent: usize) -> Option<Duration> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).copied()
}

/// How often the second goes into the first.
#[must_use]
pub fn ratio(dividend: Duration, divisor: Duration) -> Option<f64> {
    (!divisor.is_zero()).then(|| dividend.as_secs_f64() / divisor.as_secs_f64())
}

/// A time as a JSON number: microseconds.
///
/// # Errors
/// As the serializer tells.
pub fn micros<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64() * 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(millis: impl IntoIterator<Item = u64>) -> Option<Summary> {
        Summary::of(millis.into_iter().map(Duration::from_millis))
    }

    #[test]
    fn a_percentile_is_a_time_that_was_measured() {
        let summary = summary((1..=100).rev()).unwrap();
        let millis = |time: Duration| time.as_millis();
        assert_eq!(summary.n, 100);
        assert_eq!((millis(summary.min), millis(summary.max)), (1, 100));
        assert_eq!((millis(summary.p50), millis(summary.p90), millis(summary.p99)), (50, 90, 99));
    }

    #[test]
    fn few_times_have_their_longest_as_p99() {
        let three = summary([3, 1, 2]).unwrap();
        assert_eq!((three.p50, three.p99), (Duration::from_millis(2), Duration::from_millis(3)));
        let one = summary([7]).unwrap();
        assert_eq!((one.min, one.p50, one.p99), (one.max, one.max, one.max));
    }

    #[test]
    fn nothing_has_no_summary() {
        assert_eq!(summary([]), None);
    }

    #[test]
    fn nothing_goes_into_a_time_any_number_of_times() {
        assert_eq!(ratio(Duration::from_millis(3), Duration::from_millis(2)), Some(1.5));
        assert_eq!(ratio(Duration::from_millis(3), Duration::ZERO), None);
    }

    #[test]
    fn json_speaks_microseconds() {
        let json = serde_json::to_value(summary([2])).unwrap();
        assert_eq!(json["p50"], 2000.0);
        assert_eq!(json["n"], 1);
    }
}
