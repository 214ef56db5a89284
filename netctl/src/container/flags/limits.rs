//! Flags about how much a container may use.

use clap::Args;
use oci::{Cpu, Memory, Pids, Resources};
use runner::{Limits, Ulimit};

use super::{Invalid, text};

/// The period that shares of a processor are of, in microseconds.
const PERIOD: u64 = 100_000;

#[derive(Debug, Args)]
#[group(skip)]
#[command(next_help_heading = "Limits")]
pub(super) struct Flags {
    /// The most memory: 512m
    #[arg(short, long, value_name = "SIZE")]
    memory: Option<String>,
    /// The most memory and swap together; -1 for no limit
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true)]
    memory_swap: Option<String>,
    /// What it is to get by with when memory is short
    #[arg(long, value_name = "SIZE")]
    memory_reservation: Option<String>,
    /// The most processors: 1.5
    #[arg(long, value_name = "NUMBER")]
    cpus: Option<String>,
    /// Its weight against others: 1024 is the usual one
    #[arg(short, long, value_name = "WEIGHT", value_parser = clap::value_parser!(u64).range(2..=262_144))]
    cpu_shares: Option<u64>,
    /// Only these processors: 0-3,5
    #[arg(long, value_name = "LIST")]
    cpuset_cpus: Option<String>,
    /// Only these memory nodes
    #[arg(long, value_name = "LIST")]
    cpuset_mems: Option<String>,
    /// The most tasks; -1 for no limit
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    pids_limit: Option<i64>,
    /// Set a limit of setrlimit(2): nofile=1024:2048
    #[arg(long, value_name = "NAME=SOFT[:HARD]")]
    ulimit: Vec<String>,
    /// The size of /dev/shm [default: 64m]
    #[arg(long, value_name = "SIZE")]
    shm_size: Option<String>,
    /// Whom to kill first when memory is short: -1000 to 1000
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true, value_parser = clap::value_parser!(i32).range(-1000..=1000))]
    oom_score_adj: Option<i32>,
}

impl Flags {
    pub(super) fn limits(&self) -> Result<Limits, Invalid> {
        let bytes = |flag, text: &Option<String>| {
            let number = |text: &String| text::size(flag, text).map(u64::cast_signed);
            text.as_ref().map(number).transpose()
        };
        let limit = bytes("--memory", &self.memory)?;
        if let Some(text) = self.memory.as_ref().filter(|_| limit.is_some_and(|limit| limit < 6 << 20)) {
            return Err(Invalid::new("--memory", text.clone(), "expected 6m at least"));
        }
        let swap = match self.memory_swap.as_deref() {
            Some("-1") => Some(-1),
            _ => bytes("--memory-swap", &self.memory_swap)?,
        };
        if let (Some(text), Some(swap)) = (&self.memory_swap, swap.filter(|swap| *swap > 0))
            && limit.is_none_or(|limit| swap < limit)
        {
            return Err(Invalid::new(
                "--memory-swap",
                text.clone(),
                "expected as much as --memory at least: it counts both",
            ));
        }
        let memory =
            Memory { limit, reservation: bytes("--memory-reservation", &self.memory_reservation)?, swap };
        let quota = self.cpus.as_deref().map(quota).transpose()?;
        let cpu = Cpu {
            shares: self.cpu_shares,
            quota,
            period: quota.map(|_| PERIOD),
            cpus: self.cpuset_cpus.clone(),
            mems: self.cpuset_mems.clone(),
        };
        let pids = self.pids_limit.map(|limit| Pids { limit });
        Ok(Limits {
            resources: Resources {
                memory: (memory != Memory::default()).then_some(memory),
                cpu: (cpu != Cpu::default()).then_some(cpu),
                pids,
                ..Resources::default()
            },
            ulimits: self.ulimit.iter().map(|text| ulimit(text)).collect::<Result<_, _>>()?,
            shm_size: bytes("--shm-size", &self.shm_size)?.map(i64::cast_unsigned),
            oom_score_adj: self.oom_score_adj,
        })
    }
}

/// Microseconds of a period.
fn quota(text: &str) -> Result<i64, Invalid> {
    let wrong = || Invalid::new("--cpus", text, "expected a number of processors, such as 0.5 or 2");
    let number: f64 = text.parse().map_err(|_| wrong())?;
    // The kernel gives no less than a hundredth, and the number is not to be infinite.
    if !(0.01..=65_536.0).contains(&number) {
        return Err(wrong());
    }
    #[allow(clippy::cast_possible_truncation, reason = "it was just found to be small")]
    Ok((number * 100_000.0).round() as i64)
}

fn ulimit(text: &str) -> Result<Ulimit, Invalid> {
    let wrong =
        || Invalid::new("--ulimit", text, "expected NAME=SOFT or NAME=SOFT:HARD, each a number or -1");
    let (name, values) = text.split_once('=').ok_or_else(wrong)?;
    let number = |text: &str| match text {
        "-1" | "unlimited" => Ok(u64::MAX),
        text => text.parse().map_err(|_| wrong()),
    };
    let (soft, hard) = match values.split_once(':') {
        Some((soft, hard)) => (number(soft)?, number(hard)?),
        None => (number(values)?, number(values)?),
    };
    if soft > hard {
        return Err(Invalid::new("--ulimit", text, "the first is to be no more than the second"));
    }
    Ok(Ulimit { name: name.to_owned(), soft, hard })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_are_shares_of_a_period() {
        assert_eq!((quota("1.5"), quota("0.01")), (Ok(150_000), Ok(1000)));
        for text in ["0", "-1", "x", "inf", "nan", "0.001"] {
            assert!(quota(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_limit_has_a_name_and_one_or_two_numbers() {
        let read = ulimit("nofile=1024:2048").unwrap();
        assert_eq!((read.name.as_str(), read.soft, read.hard), ("nofile", 1024, 2048));
        assert_eq!(ulimit("core=-1").unwrap().hard, u64::MAX);
        for text in ["nofile", "nofile=", "nofile=x", "nofile=2:1"] {
            assert!(ulimit(text).is_err(), "{text}");
        }
    }
}
