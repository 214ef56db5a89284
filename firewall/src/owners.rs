//! What stands on an element that several networks want: all of them.

use crate::batch::Batch;
use crate::element::{COMMENT_MAX, Element};
use crate::owner::Owner;
use crate::ruleset::Set;
use crate::skeleton::PACKETS;

/// Between the owners in a comment; neither character occurs in an owner.
const BETWEEN_OWNERS: &str = ", ";

/// The networks that an element's comment names.
pub(crate) fn owners_of(element: &Element) -> Vec<Owner> {
    let comment = element.comment().unwrap_or_default();
    comment.split(BETWEEN_OWNERS).filter(|owner| !owner.is_empty()).map(Owner::from_comment).collect()
}

/// As many owners as fit; those that came first have precedence.
pub(crate) fn comment_of(owners: &[Owner]) -> String {
    let mut comment = String::new();
    for owner in owners {
        let gap = if comment.is_empty() { "" } else { BETWEEN_OWNERS };
        if comment.len() + gap.len() + owner.as_str().len() <= COMMENT_MAX {
            comment.push_str(gap);
            comment.push_str(owner.as_str());
        }
    }
    comment
}

/// Whether a comment has room for both.
pub(crate) fn fits(owners: &[Owner], more: &[Owner]) -> bool {
    let both: Vec<_> = owners.iter().chain(more).cloned().collect();
    let length: usize = both.iter().map(|owner| owner.as_str().len() + BETWEEN_OWNERS.len()).sum();
    length <= COMMENT_MAX + BETWEEN_OWNERS.len()
}

/// The element with one owner more; `None` if it names that owner already, or has no room for it.
pub(crate) fn with_owner(element: &Element, owner: &Owner) -> Option<Element> {
    let mut owners = owners_of(element);
    if owners.contains(owner) || !fits(&owners, std::slice::from_ref(owner)) {
        return None;
    }
    owners.push(owner.clone());
    Some(element.clone().with_comment(&comment_of(&owners)))
}

/// Takes owners away from elements, and elements without an owner out of the set. Returns how many.
pub(crate) fn disown(
    batch: &mut Batch,
    set: &Set,
    elements: &[Element],
    keep: impl Fn(&Owner) -> bool,
) -> usize {
    let mut removed = 0;
    for element in elements {
        let owners = owners_of(element);
        let kept: Vec<_> = owners.iter().filter(|owner| keep(owner)).cloned().collect();
        if kept.len() == owners.len() {
            continue;
        }
        batch.delete(&PACKETS, set, std::slice::from_ref(element));
        if kept.is_empty() {
            removed += 1;
        } else {
            batch.add(&PACKETS, set, &[element.clone().with_comment(&comment_of(&kept))]);
        }
    }
    removed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::skeleton::sets::MASQUERADE4;
    use vocab::InterfaceName;

    #[test]
    fn the_last_owner_takes_the_element_along() {
        let interface = InterfaceName::new("cni0").unwrap();
        let element = |subnet: &str, comment: &str| {
            Element::interface_subnet(&interface, subnet.parse().unwrap()).with_comment(comment)
        };
        let elements =
            [element("10.1.0.0/16", "one, two"), element("10.2.0.0/16", "one"), element("10.3.0.0/16", "")];
        let mut batch = Batch::default();
        let removed = disown(&mut batch, &MASQUERADE4, &elements, |owner| owner.as_str() != "one");
        assert_eq!((removed, batch.changes.len()), (1, 3));
    }

    #[test]
    fn an_element_names_each_owner_once_and_as_many_as_fit() {
        let element = Element::interface(&InterfaceName::new("cni0").unwrap()).with_comment("one");
        let owner = |name: &str| Owner::from_comment(name);
        assert_eq!(with_owner(&element, &owner("one")), None);
        assert_eq!(with_owner(&element, &owner("two")).unwrap().comment(), Some("one, two"));
        assert_eq!(with_owner(&element, &owner(&"x".repeat(COMMENT_MAX))), None);
    }
}
