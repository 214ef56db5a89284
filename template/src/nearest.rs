//! The name that somebody may have meant.

/// Longer names are not compared: the work grows with the product of both lengths.
const MAX_LEN: usize = 64;

/// The one of `known` that differs least from `name`, without regard to case, unless it differs in more than a third of
/// the characters.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = letters(name)?;
    let tolerated = (wanted.len() / 3).max(1);
    known
        .filter_map(|candidate| Some((distance(&wanted, &letters(candidate)?), candidate)))
        .filter(|(distance, candidate)| *distance <= tolerated && *distance < candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn letters(name: &str) -> Option<Vec<char>> {
    (name.len() <= MAX_LEN).then(|| name.chars().flat_map(char::to_lowercase).collect())
}

/// How many characters must be added, taken away, changed or swapped with their neighbour.
fn distance(from: &[char], to: &[char]) -> usize {
    let mut before = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for (row, left) in from.iter().enumerate() {
        let mut next = vec![row + 1];
        for (column, right) in to.iter().enumerate() {
            let mut least = (last[column] + usize::from(left != right)).min(last[column + 1] + 1);
            least = least.min(next[column] + 1);
            let swapped = row > 0 && column > 0 && from[row - 1] == *right && *left == to[column - 1];
            if swapped {
                least = least.min(before[column - 1] + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut last, next);
    }
    last[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_different_name_is_found() {
        let known = ["Name", "Names", "Driver", "IPAM"];
        for (wanted, near) in [
            ("Nmae", Some("Name")),
            ("name", Some("Name")),
            ("Drivre", Some("Driver")),
            ("ipma", Some("IPAM")),
        ] {
            assert_eq!(nearest(wanted, known.into_iter()), near, "{wanted}");
        }
    }

    #[test]
    fn what_nobody_meant_is_not_proposed() {
        for wanted in ["", "x", "Subnet", &"Name".repeat(100)] {
            assert_eq!(nearest(wanted, ["Name", "a"].into_iter()), None, "{wanted}");
        }
    }
}
