//! The text on a link that says whose it is.

use netlink::Link;

/// The kernel's limit, less the terminating zero (`IFALIASZ`, `linux/if.h`).
const MAX_LEN: usize = 255;

/// The alias of a link (`ip link show` prints it): whose link it is, for people and for DEL and GC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias(String);

impl Alias {
    /// Makes an alias of `text`. What the kernel has no room for is cut off, here as in every comparison.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut end = text.len().min(MAX_LEN);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        Self(text[..end].to_owned())
    }

    /// The alias as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `link` bears it.
    #[must_use]
    pub fn is_on(&self, link: &Link) -> bool {
        link.alias.as_deref() == Some(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_has_no_room_for_is_cut_off() {
        assert_eq!(Alias::new("net/web/eth0").as_str(), "net/web/eth0");
        assert_eq!(Alias::new(&"x".repeat(300)).as_str().len(), 255);
        assert_eq!(Alias::new(&"é".repeat(200)).as_str().len(), 254);
    }
}
