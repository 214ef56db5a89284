//! Reading what the kernel answers.
//!
//! Attributes are read one by one rather than parsed into whole messages: dumps also bring what other
//! programs made, and an expression that nobody knows here must not hide the comment beside it.

use netlink_packet_core::NlasIterator;

/// The attributes in `bytes`, up to the first that is malformed, each with its number and value.
pub(crate) fn attributes(bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    NlasIterator::new(bytes).map_while(Result::ok).filter_map(|attribute| {
        let (kind, length) = (attribute.kind(), usize::from(attribute.length()));
        attribute.into_inner().get(4..length).map(|value| (kind, value))
    })
}

/// The value of the first attribute of that number.
pub(crate) fn attribute(bytes: &[u8], kind: u16) -> Option<&[u8]> {
    attributes(bytes).find_map(|(found, value)| (found == kind).then_some(value))
}

/// The value of an attribute inside others, from the outermost inwards.
pub(crate) fn nested<'a>(bytes: &'a [u8], path: &[u16]) -> Option<&'a [u8]> {
    path.iter().try_fold(bytes, |inside, kind| attribute(inside, *kind))
}

/// A number of four bytes, as nf_tables sends it.
pub(crate) fn number(value: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(value.try_into().ok()?))
}

/// A number of eight bytes, as nf_tables sends it.
pub(crate) fn long_number(value: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(value.try_into().ok()?))
}

/// Text that ends with a zero byte.
pub(crate) fn text(value: &[u8]) -> Option<&str> {
    let end = value.iter().position(|byte| *byte == 0).unwrap_or(value.len());
    std::str::from_utf8(&value[..end]).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_malformed_attribute_ends_the_reading() {
        let whole = [6, 0, 1, 0, b'a', 0, 0, 0];
        let beyond_its_end = [9, 0, 2, 0, b'b', 0, 0, 0];
        let bytes = [whole, beyond_its_end].concat();
        assert_eq!(attributes(&bytes).collect::<Vec<_>>(), [(1, &b"a\0"[..])]);
        assert_eq!(attribute(&bytes, 1).and_then(text), Some("a"));
        assert_eq!(attribute(&bytes, 2), None);
        assert_eq!(attributes(&[3, 0, 1, 0]).count(), 0);
    }

    #[test]
    fn numbers_have_their_length() {
        assert_eq!(number(&[0, 0, 1, 2]), Some(258));
        assert_eq!(number(&[0, 1, 2]), None);
        assert_eq!(long_number(&[0, 0, 0, 0, 0, 0, 1, 2]), Some(258));
    }
}
