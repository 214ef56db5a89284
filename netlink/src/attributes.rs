//! Attributes of the kernel's answers: read where they stand, without a copy.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Type and length of an attribute, 16 bits each (`struct nlattr`).
const HEADER: usize = 4;
/// The upper two bits of a type say that the value is nested or in network order.
const TYPE_MASK: u16 = 0x3fff;

/// The attributes in a run of bytes. A run that is cut short ends there: what was read before stays valid.
pub(crate) struct Attributes<'a>(&'a [u8]);

impl<'a> Attributes<'a> {
    /// The attributes that follow a fixed header of `header` bytes.
    pub(crate) fn after(bytes: &'a [u8], header: usize) -> Self {
        Self(bytes.get(header..).unwrap_or_default())
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let length = usize::from(u16_at(self.0, 0)?);
        let kind = u16_at(self.0, 2)? & TYPE_MASK;
        let value = self.0.get(HEADER..length)?;
        self.0 = self.0.get(align(length)..).unwrap_or_default();
        Some((kind, Value(value)))
    }
}

/// The value of one attribute.
#[derive(Clone, Copy)]
pub(crate) struct Value<'a>(&'a [u8]);

impl<'a> Value<'a> {
    pub(crate) fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// What is left behind the first bytes.
    pub(crate) fn after(self, skipped: usize) -> Self {
        Self(self.0.get(skipped..).unwrap_or_default())
    }

    pub(crate) fn nested(self) -> Attributes<'a> {
        Attributes(self.0)
    }

    pub(crate) fn u8(self) -> Option<u8> {
        self.0.first().copied()
    }

    pub(crate) fn u32(self) -> Option<u32> {
        u32_at(self.0, 0)
    }

    pub(crate) fn i32(self) -> Option<i32> {
        self.u32().map(u32::cast_signed)
    }

    /// A text that ends with a zero byte, if it is UTF-8.
    pub(crate) fn text(self) -> Option<&'a str> {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(self.0.len());
        std::str::from_utf8(self.0.get(..end)?).ok()
    }

    pub(crate) fn ip(self) -> Option<IpAddr> {
        match self.0.len() {
            4 => <[u8; 4]>::try_from(self.0).ok().map(|bytes| Ipv4Addr::from(bytes).into()),
            16 => <[u8; 16]>::try_from(self.0).ok().map(|bytes| Ipv6Addr::from(bytes).into()),
            _ => None,
        }
    }
}

/// One number among the attributes that follow a header.
pub(crate) fn i32_attribute(bytes: &[u8], header: usize, wanted: u16) -> Option<i32> {
    Attributes::after(bytes, header).find(|(kind, _)| *kind == wanted)?.1.i32()
}

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|chunk| u16::from_ne_bytes(*chunk))
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|chunk| u32::from_ne_bytes(*chunk))
}

/// Rounds up to the four bytes that messages and attributes are aligned to.
pub(crate) const fn align(length: usize) -> usize {
    length.next_multiple_of(4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_is_cut_short_ends_where_it_is_cut() {
        let whole = [8, 0, 4, 0, 1, 2, 3, 4, 5, 0, 3, 0x80, b'a', 0, 0, 0];
        let kinds = |bytes: &[u8]| Attributes(bytes).map(|(kind, _)| kind).collect::<Vec<_>>();
        assert_eq!(kinds(&whole), [4, 3]);
        assert_eq!(kinds(&whole[..12]), [4]);
        assert_eq!(kinds(&whole[..3]), []);
        assert_eq!(
            kinds(&[2, 0, 4, 0]),
            [],
            "a length below the header's ends the run, for it would never end"
        );
    }

    #[test]
    fn a_text_ends_at_its_zero() {
        assert_eq!(Value(b"eth0\0").text(), Some("eth0"));
        assert_eq!(Value(b"eth0").text(), Some("eth0"));
        assert_eq!(Value(&[0xff, 0]).text(), None);
    }
}
