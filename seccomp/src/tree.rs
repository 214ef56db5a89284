//! From numbers of system calls to verdicts: a binary search, so that no call waits for a long list.

use std::collections::BTreeMap;

use crate::assemble::{Instruction, Test, jump, test};

/// What is done about one number: instructions that all end with a verdict.
pub(crate) type Leaf = Vec<Instruction>;

/// Instructions for all numbers: `leaves` for those that it has, `other` for those that it has not. The number is loaded.
pub(crate) fn build(leaves: &BTreeMap<u32, Leaf>, other: &Leaf) -> Vec<Instruction> {
    node(&ranges(leaves, other))
}

/// Where each run of numbers of one kind begins.
fn ranges<'a>(leaves: &'a BTreeMap<u32, Leaf>, other: &'a Leaf) -> Vec<(u32, &'a Leaf)> {
    let mut ranges: Vec<(u32, &Leaf)> = vec![(0, other)];
    let mut push = |begin: u32, leaf: &'a Leaf| match ranges.last_mut() {
        Some((at, last)) if *at == begin => *last = leaf,
        Some((_, last)) if **last == *leaf => {}
        _ => ranges.push((begin, leaf)),
    };
    let mut expected = 0;
    for (number, leaf) in leaves {
        if *number != expected {
            push(expected, other);
        }
        push(*number, leaf);
        expected = number.saturating_add(1);
    }
    push(expected, other);
    ranges
}

fn node(ranges: &[(u32, &Leaf)]) -> Vec<Instruction> {
    if let [(_, leaf)] = ranges {
        return (*leaf).clone();
    }
    let (lower, higher) = ranges.split_at(ranges.len() / 2);
    let (first, below, above) = (higher[0].0, node(lower), node(higher));
    let mut instructions = match u8::try_from(below.len()) {
        Ok(length) => vec![test(Test::NotLess, first, length, 0)],
        // Too far for a comparison's own jump.
        Err(_) => {
            vec![test(Test::NotLess, first, 0, 1), jump(u32::try_from(below.len()).unwrap_or(u32::MAX))]
        }
    };
    instructions.extend(below);
    instructions.extend(above);
    instructions
}
