//! The frame of every netlink message: its header, and the answers that any request may get.

use netlink_packet_core::{Emitable, NLM_F_ACK_TLVS, NLM_F_CAPPED, NLMSG_DONE, NLMSG_ERROR};
use nix::errno::Errno;

use crate::attributes::{Attributes, align, u16_at, u32_at};

/// Length, type, flags, sequence number, port (`struct nlmsghdr`).
pub(crate) const HEADER: usize = 16;
const SEQUENCE: usize = 8;
/// The kernel's words on a failure (`linux/netlink.h`).
const NLMSGERR_ATTR_MSG: u16 = 1;

/// Writes a message behind those that are there.
pub(crate) fn append(bytes: &mut Vec<u8>, kind: u16, flags: u16, body: &impl Emitable) {
    let start = bytes.len();
    let length = HEADER + body.buffer_len();
    bytes.resize(start + align(length), 0);
    if let Some((header, rest)) =
        bytes.get_mut(start..).and_then(|message| message.split_at_mut_checked(HEADER))
    {
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        header[..4].copy_from_slice(&length.to_ne_bytes());
        header[4..6].copy_from_slice(&kind.to_ne_bytes());
        header[6..8].copy_from_slice(&flags.to_ne_bytes());
        body.emit(rest);
    }
}

/// Writes the sequence number into a message.
pub(crate) fn number(message: &mut [u8], sequence: u32) {
    if let Some(field) = message.get_mut(SEQUENCE..SEQUENCE + 4) {
        field.copy_from_slice(&sequence.to_ne_bytes());
    }
}

pub(crate) fn kind_and_flags(message: &[u8]) -> Option<(u16, u16)> {
    Some((u16_at(message, 4)?, u16_at(message, 6)?))
}

/// One message of the kernel's.
pub(crate) struct Message<'a> {
    pub(crate) kind: u16,
    pub(crate) flags: u16,
    pub(crate) sequence: u32,
    pub(crate) body: &'a [u8],
}

/// The messages in what one `recv` brought.
pub(crate) struct Messages<'a>(pub(crate) &'a [u8]);

impl<'a> Iterator for Messages<'a> {
    type Item = Message<'a>;

    fn next(&mut self) -> Option<Message<'a>> {
        let length = usize::try_from(u32_at(self.0, 0)?).ok()?;
        let (kind, flags) = kind_and_flags(self.0)?;
        let sequence = u32_at(self.0, SEQUENCE)?;
        let body = self.0.get(HEADER..length)?;
        self.0 = self.0.get(align(length)..).unwrap_or_default();
        Some(Message { kind, flags, sequence, body })
    }
}

/// How a request ended.
pub(crate) type Verdict = Result<(), (Errno, Option<String>)>;

impl Message<'_> {
    /// What the message says about the end of its request; nothing, if more is to come.
    pub(crate) fn verdict(&self) -> Option<Verdict> {
        if self.kind != NLMSG_ERROR && self.kind != NLMSG_DONE {
            return None;
        }
        // A dump may end without a code: it went well.
        let code = u32_at(self.body, 0).unwrap_or(0).cast_signed();
        if code == 0 {
            return Some(Ok(()));
        }
        Some(Err((Errno::from_raw(code.saturating_neg()), self.explanation())))
    }

    fn explanation(&self) -> Option<String> {
        if self.flags & NLM_F_ACK_TLVS == 0 {
            return None;
        }
        // An error quotes the request, or only its header; the end of a dump quotes nothing.
        let quoted = match self.kind {
            NLMSG_DONE => 0,
            _ if self.flags & NLM_F_CAPPED != 0 => HEADER,
            _ => align(usize::try_from(u32_at(self.body, 4)?).ok()?),
        };
        let mut attributes = Attributes::after(self.body, 4 + quoted);
        attributes.find(|(kind, _)| *kind == NLMSGERR_ATTR_MSG)?.1.text().map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: i32, flags: u16, rest: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(u32::try_from(HEADER + 4 + rest.len()).unwrap().to_ne_bytes());
        bytes.extend(NLMSG_ERROR.to_ne_bytes());
        bytes.extend(flags.to_ne_bytes());
        bytes.extend(9u32.to_ne_bytes());
        bytes.extend([0; 4]);
        bytes.extend(code.to_ne_bytes());
        bytes.extend(rest);
        bytes
    }

    #[test]
    fn a_refusal_brings_the_kernels_words() {
        let mut rest = vec![0; HEADER];
        rest.extend([8, 0, 1, 0, b'n', b'o', b'!', 0]);
        let bytes = error(-17, NLM_F_ACK_TLVS | NLM_F_CAPPED, &rest);
        let message = Messages(&bytes).next().unwrap();
        assert_eq!(message.sequence, 9);
        assert_eq!(message.verdict(), Some(Err((Errno::EEXIST, Some("no!".to_owned())))));
    }

    #[test]
    fn an_acknowledgement_is_no_refusal() {
        let bytes = error(0, NLM_F_CAPPED, &[0; HEADER]);
        assert_eq!(Messages(&bytes).next().unwrap().verdict(), Some(Ok(())));
    }

    #[test]
    fn bytes_that_are_cut_short_hold_no_message() {
        let bytes = error(0, NLM_F_CAPPED, &[0; HEADER]);
        for end in 0..bytes.len() {
            assert!(Messages(&bytes[..end]).next().is_none(), "{end}");
        }
    }
}
