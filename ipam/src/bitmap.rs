//! Which addresses are taken, a bit each, in sparse files.
//!
//! One file holds the 2^32 addresses that differ in their last 32 bits only: all of IPv4, or an IPv6 /96. It
//! occupies a page for every 32,768 addresses around one that was ever leased.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::FileExt;

use nix::fcntl::OFlag;
use subnet::{Family, bits};

use crate::directory::{Folder, READ_WRITE};

const PAGE: usize = 4096;
const PAGE_BITS: u128 = PAGE as u128 * 8;

/// The bitmap files that this operation has opened so far.
#[derive(Default)]
pub(crate) struct Bitmap {
    open: Vec<(String, File)>,
}

impl Bitmap {
    /// The first address from `from` to `to`, both included, whose bit is clear.
    pub(crate) fn first_clear(
        &mut self,
        folder: &Folder,
        family: Family,
        from: u128,
        to: u128,
    ) -> io::Result<Option<u128>> {
        let mut at = from;
        loop {
            let page = self.page(folder, family, at)?;
            let start = at - at % PAGE_BITS;
            let last = (to - start).min(PAGE_BITS - 1) as usize;
            if let Some(bit) = first_clear(&page, (at - start) as usize, last) {
                return Ok(Some(start + bit as u128));
            }
            match start.checked_add(PAGE_BITS) {
                Some(next) if next <= to => at = next,
                _ => return Ok(None),
            }
        }
    }

    /// Sets or clears the bit of `address`.
    pub(crate) fn put(&mut self, folder: &Folder, address: IpAddr, taken: bool) -> io::Result<()> {
        let (offset, mask) = position(address);
        let file = self.file(folder, Family::of(address), bits(address))?;
        let mut byte = [0];
        file.read_at(&mut byte, offset)?;
        let new = if taken { byte[0] | mask } else { byte[0] & !mask };
        file.write_all_at(&[new], offset)
    }

    /// Sets the bits of many addresses, a page at a time, in files that do not exist yet.
    pub(crate) fn fill(folder: &Folder, taken: impl Iterator<Item = IpAddr>) -> io::Result<()> {
        let mut pages: BTreeMap<(String, u64), Box<[u8; PAGE]>> = BTreeMap::new();
        for address in taken {
            let (offset, mask) = position(address);
            let start = offset - offset % PAGE as u64;
            let page = pages.entry((file_name(Family::of(address), bits(address)), start));
            page.or_insert_with(|| Box::new([0; PAGE]))[(offset - start) as usize] |= mask;
        }
        for ((name, start), page) in pages {
            folder.open(&name, OFlag::O_WRONLY | OFlag::O_CREAT)?.write_all_at(&page[..], start)?;
        }
        Ok(())
    }

    fn page(&mut self, folder: &Folder, family: Family, at: u128) -> io::Result<[u8; PAGE]> {
        let (offset, _) = position(family.address(at));
        let file = self.file(folder, family, at)?;
        let mut page = [0; PAGE];
        // What lies behind the end of the file was never leased: zeros.
        file.read_at(&mut page, offset - offset % PAGE as u64)?;
        Ok(page)
    }

    fn file(&mut self, folder: &Folder, family: Family, at: u128) -> io::Result<&File> {
        let name = file_name(family, at);
        let number = match self.open.iter().position(|(open, _)| *open == name) {
            Some(number) => number,
            None => {
                let file = folder.open(&name, READ_WRITE | OFlag::O_CREAT)?;
                self.open.push((name, file));
                self.open.len() - 1
            }
        };
        Ok(&self.open[number].1)
    }
}

fn file_name(family: Family, at: u128) -> String {
    match family {
        Family::V4 => "taken4".to_owned(),
        Family::V6 => format!("taken6.{:x}", at >> 32),
    }
}

/// The byte of `address` in its file, and the bit in the byte.
fn position(address: IpAddr) -> (u64, u8) {
    let low = bits(address) as u32;
    (u64::from(low / 8), 1 << (low % 8))
}

fn first_clear(page: &[u8; PAGE], first: usize, last: usize) -> Option<usize> {
    let (head, tail) = (first / 8, last / 8);
    let found = (head..=tail).find_map(|number| {
        let before = if number == head { (1u16 << (first % 8)) as u8 - 1 } else { 0 };
        let byte = page[number] | before;
        (byte != 0xff).then(|| number * 8 + byte.trailing_ones() as usize)
    });
    found.filter(|bit| *bit <= last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_clear_bit_of_a_page_is_found_between_the_bounds() {
        let mut page = [0xff; PAGE];
        assert_eq!(first_clear(&page, 0, 32767), None);
        page[100] = 0b1101_1111;
        assert_eq!(first_clear(&page, 0, 32767), Some(805));
        assert_eq!(first_clear(&page, 805, 805), Some(805));
        assert_eq!(first_clear(&page, 806, 32767), None);
        assert_eq!(first_clear(&page, 0, 804), None);
    }

    #[test]
    fn addresses_that_share_their_last_32_bits_have_bits_of_their_own() {
        let name = |text: &str| {
            let address: IpAddr = text.parse().unwrap();
            file_name(Family::of(address), bits(address))
        };
        assert_eq!(name("0.0.0.5"), name("255.0.0.5"));
        assert_ne!(name("0.0.0.5"), name("::5"));
        assert_ne!(name("fd00:1::5"), name("fd00:2::5"));
        assert_eq!(name("fd00:1::5"), name("fd00:1::ffff:ffff"));
    }
}
