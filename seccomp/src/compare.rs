//! Comparisons of arguments: 64 bits, in two halves.

use oci::{Comparison, Operator};

use crate::assemble::{Instruction, Test, and, argument, load, test};

/// Where a comparison leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum To {
    Next,
    /// So many on.
    Skip(u8),
    /// The comparison holds: behind its last instruction.
    Holds,
    /// It does not: behind the rule.
    Fails,
}

enum Step {
    Plain(Instruction),
    Test(Test, u32, To, To),
}

/// The instructions of a rule: falls through to `verdict` if all comparisons hold, and leads behind it if not.
pub(crate) fn rule(comparisons: &[Comparison], verdict: Instruction) -> Option<Vec<Instruction>> {
    let parts: Vec<Vec<Step>> = comparisons.iter().map(steps).collect();
    let length: usize = parts.iter().map(Vec::len).sum::<usize>() + 1;
    let mut instructions = Vec::with_capacity(length);
    for part in parts {
        let end = instructions.len() + part.len();
        for step in part {
            let after = instructions.len() + 1;
            let distance = |to: To| match to {
                To::Next => Some(0),
                To::Skip(by) => Some(by),
                To::Holds => u8::try_from(end - after).ok(),
                To::Fails => u8::try_from(length - after).ok(),
            };
            instructions.push(match step {
                Step::Plain(instruction) => instruction,
                Step::Test(kind, value, if_so, if_not) => {
                    test(kind, value, distance(if_so)?, distance(if_not)?)
                }
            });
        }
    }
    instructions.push(verdict);
    Some(instructions)
}

fn steps(comparison: &Comparison) -> Vec<Step> {
    let Comparison { index, value, value_two, op } = comparison;
    let low = Step::Plain(load(argument(*index)));
    let high = Step::Plain(load(argument(*index) + 4));
    let (below, above) = halves(*value);
    match op {
        Operator::Equal => vec![
            high,
            Step::Test(Test::Equal, above, To::Next, To::Fails),
            low,
            Step::Test(Test::Equal, below, To::Next, To::Fails),
        ],
        Operator::NotEqual => vec![
            high,
            Step::Test(Test::Equal, above, To::Next, To::Holds),
            low,
            Step::Test(Test::Equal, below, To::Fails, To::Next),
        ],
        Operator::MaskedEqual => {
            let (wanted_below, wanted_above) = halves(*value_two);
            vec![
                high,
                Step::Plain(and(above)),
                Step::Test(Test::Equal, wanted_above, To::Next, To::Fails),
                low,
                Step::Plain(and(below)),
                Step::Test(Test::Equal, wanted_below, To::Next, To::Fails),
            ]
        }
        Operator::GreaterOrEqual => ordered(high, low, *value, Test::NotLess, To::Holds, To::Fails),
        Operator::Greater => ordered(high, low, *value, Test::Greater, To::Holds, To::Fails),
        Operator::Less => ordered(high, low, *value, Test::NotLess, To::Fails, To::Holds),
        Operator::LessOrEqual => ordered(high, low, *value, Test::Greater, To::Fails, To::Holds),
    }
}

/// The higher halves decide, unless they are the same; then the lower ones by `kind`.
fn ordered(high: Step, low: Step, value: u64, kind: Test, if_more: To, if_less: To) -> Vec<Step> {
    let (below, above) = halves(value);
    vec![
        high,
        Step::Test(Test::Greater, above, if_more, To::Next),
        Step::Test(Test::Equal, above, To::Skip(0), if_less),
        low,
        Step::Test(kind, below, if_more, if_less),
    ]
}

const fn halves(value: u64) -> (u32, u32) {
    ((value & 0xffff_ffff) as u32, (value >> 32) as u32)
}
