//! Which name was meant, perhaps.

/// How alike two names must be (0 to 1, Jaro) for one to be suggested for the other.
const ALIKE: f64 = 0.7;

/// The name that is most like `wanted`, if any is like it.
#[must_use]
pub(crate) fn nearest<T: AsRef<str>>(wanted: &str, names: impl Iterator<Item = T>) -> Option<T> {
    let alike = names.map(|name| (strsim::jaro(wanted, name.as_ref()), name));
    let alike = alike.filter(|(likeness, _)| *likeness > ALIKE);
    alike.max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_understood_and_another_word_is_not() {
        let meant = |wanted| nearest(wanted, ["mybr0", "mybr1", "frontend", "db"].into_iter());
        assert_eq!(meant("mybr0"), Some("mybr0"));
        assert_eq!(meant("mbyr1"), Some("mybr1"));
        assert_eq!(meant("fronted"), Some("frontend"));
        assert_eq!((meant("zz"), meant("backend-7"), meant("")), (None, None, None));
    }
}
