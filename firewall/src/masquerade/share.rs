//! What an element of several networks looks like. No input, no output.

use crate::element::Element;
use crate::owner::Owner;
use crate::owners::{comment_of, fits, owners_of};

/// An element that takes the place of others.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Merge {
    pub(super) replaced: Vec<Element>,
    pub(super) element: Element,
}

/// What has to happen so that `wanted` is there beside `existing`, the set as it is.
pub(super) fn plan_merge(existing: &[Element], wanted: &Element) -> Option<Merge> {
    let replaced: Vec<_> = existing.iter().filter(|other| overlap(other, wanted)).cloned().collect();
    // Subnets that overlap are nested: either one of the others holds ours, or ours holds them all.
    let widest = replaced.iter().find(|other| covers(other, wanted)).unwrap_or(wanted).clone();
    let mut owners: Vec<Owner> = Vec::new();
    for owner in replaced.iter().chain([wanted]).flat_map(owners_of) {
        if !owners.contains(&owner) {
            owners.push(owner);
        }
    }
    let element = widest.with_comment(&comment_of(&owners));
    (replaced.as_slice() != std::slice::from_ref(&element)).then_some(Merge { replaced, element })
}

/// Whether nothing is left to be done for `wanted` when `found` is there.
pub(super) fn is_served_by(wanted: &Element, found: &Element) -> bool {
    covers(found, wanted) && {
        let owners = owners_of(found);
        let wanted = owners_of(wanted);
        wanted.iter().all(|owner| owners.contains(owner)) || !fits(&owners, &wanted)
    }
}

/// Whether the one range holds the other.
pub(super) fn covers(wider: &Element, narrower: &Element) -> bool {
    wider.key <= narrower.key && narrower.key_end <= wider.key_end
}

fn overlap(one: &Element, other: &Element) -> bool {
    one.key_end.as_ref() >= Some(&other.key) && other.key_end.as_ref() >= Some(&one.key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vocab::InterfaceName;

    fn element(subnet: &str, comment: &str) -> Element {
        let interface = InterfaceName::new("cni0").unwrap();
        Element::interface_subnet(&interface, subnet.parse().unwrap()).with_comment(comment)
    }

    #[test]
    fn a_subnet_that_another_network_has_gets_a_second_owner() {
        let existing = [element("10.1.0.0/16", "one"), element("10.2.0.0/16", "other")];
        let merge = plan_merge(&existing, &element("10.1.0.0/16", "two")).unwrap();
        assert_eq!(merge.replaced, [element("10.1.0.0/16", "one")]);
        assert_eq!(merge.element, element("10.1.0.0/16", "one, two"));
        assert_eq!(plan_merge(&[merge.element], &element("10.1.0.0/16", "one")), None);
    }

    #[test]
    fn of_nested_subnets_the_widest_remains() {
        let wide = element("10.1.0.0/16", "wide");
        let narrow = element("10.1.5.0/24", "narrow");
        let merge = plan_merge(std::slice::from_ref(&wide), &narrow).unwrap();
        assert_eq!(
            (merge.replaced, merge.element),
            (vec![wide.clone()], element("10.1.0.0/16", "wide, narrow"))
        );
        let others = [narrow.clone(), element("10.1.6.0/24", "third")];
        let merge = plan_merge(&others, &wide).unwrap();
        assert_eq!((merge.replaced.len(), merge.element), (2, element("10.1.0.0/16", "narrow, third, wide")));
    }

    #[test]
    fn the_same_subnet_behind_another_bridge_is_another_matter() {
        let other = InterfaceName::new("cni1").unwrap();
        let other = Element::interface_subnet(&other, "10.1.0.0/16".parse().unwrap()).with_comment("other");
        let wanted = element("10.1.0.0/16", "mine");
        let merge = plan_merge(&[other], &wanted).unwrap();
        assert_eq!((merge.replaced, merge.element), (vec![], wanted));
    }

    #[test]
    fn owners_that_no_comment_can_hold_change_nothing() {
        let many = element("10.1.0.0/16", &["n".repeat(60), "m".repeat(60)].join(", "));
        let wanted = element("10.1.0.0/16", "another");
        assert!(is_served_by(&wanted, &many));
        assert_eq!(plan_merge(&[many], &wanted), None);
    }
}
