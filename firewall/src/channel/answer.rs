//! What the kernel answers: which request, and whether it refused.

use netlink_packet_core::{NLM_F_DUMP_INTR, NetlinkBuffer};
use nix::errno::Errno;

use super::{Error, Request};
use crate::wire;

/// `NLMSG_ERROR` and `NLMSG_DONE`.
const ERROR: u16 = 2;
const DONE: u16 = 3;
/// `NLMSGERR_ATTR_MSG`: the kernel's own words.
const ERROR_TEXT: u16 = 1;
/// Before an answer's attributes: `struct nfgenmsg`.
const FAMILY_HEADER_LEN: usize = 4;

/// An answer: to which message, of what type, and what it says.
pub(super) struct Answer<'a> {
    pub(super) sequence: u32,
    kind: u16,
    flags: u16,
    payload: &'a [u8],
}

impl<'a> Answer<'a> {
    /// The answers in a datagram.
    pub(super) fn all_in(mut bytes: &'a [u8]) -> impl Iterator<Item = Self> {
        std::iter::from_fn(move || {
            let message = NetlinkBuffer::new_checked(bytes).ok()?;
            let length = (message.length() as usize).next_multiple_of(4);
            bytes = bytes.get(length..).unwrap_or_default();
            Some(Answer {
                sequence: message.sequence_number(),
                kind: message.message_type(),
                flags: message.flags(),
                payload: message.payload(),
            })
        })
    }

    /// Its attributes.
    pub(super) fn attributes(&self) -> Option<Vec<u8>> {
        self.payload.get(FAMILY_HEADER_LEN..).map(<[u8]>::to_vec)
    }

    /// Its attributes where they stand; none if it is too short for any.
    pub(super) fn raw_attributes(&self) -> &'a [u8] {
        self.payload.get(FAMILY_HEADER_LEN..).unwrap_or_default()
    }

    /// Whether it is the last of a listing.
    pub(super) fn is_end(&self) -> bool {
        self.kind == DONE
    }

    /// Whether somebody changed what is listed while it was listed.
    pub(super) fn is_torn(&self) -> bool {
        self.kind != ERROR && self.flags & NLM_F_DUMP_INTR != 0
    }

    /// Why the kernel refused, if that is what it says.
    pub(super) fn refusal(&self, request: Request) -> Option<Error> {
        if self.kind != ERROR && self.kind != DONE {
            return None;
        }
        let code =
            self.payload.get(..4).and_then(|bytes| Some(i32::from_ne_bytes(bytes.try_into().ok()?)))?;
        if code == 0 {
            return None;
        }
        // Behind the code is the header of the request, without its body because of NETLINK_CAP_ACK.
        let attributes = self.payload.get(4 + 16..).unwrap_or_default();
        let text = wire::attribute(attributes, ERROR_TEXT).and_then(wire::text).map(str::to_owned);
        Some(Error::Refused { request, errno: Errno::from_raw(-code), text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u16, flags: u16, payload: &[u8]) -> Vec<u8> {
        let mut bytes = (16 + payload.len() as u32).to_ne_bytes().to_vec();
        bytes.extend([kind, flags].map(u16::to_ne_bytes).concat());
        bytes.extend([7_u32, 0].map(u32::to_ne_bytes).concat());
        bytes.extend(payload);
        bytes
    }

    #[test]
    fn a_refusal_tells_the_kernel_s_own_words() {
        let mut payload = (-(Errno::EPERM as i32)).to_ne_bytes().to_vec();
        payload.extend([0; 16]);
        payload.extend(b"\x07\x00\x01\x00no\x00\x00");
        let bytes = message(ERROR, 0, &payload);
        let answers: Vec<_> = Answer::all_in(&bytes).collect();
        let refusal = answers[0].refusal(Request::AddRule).unwrap();
        assert_eq!(
            refusal.to_string(),
            "nf_tables refused to add a rule: EPERM: Operation not permitted (no)"
        );
        assert_eq!((answers.len(), answers[0].sequence), (1, 7));
    }

    #[test]
    fn an_acknowledgement_is_no_refusal() {
        let bytes = [message(ERROR, 0, &[0; 20]), message(DONE, NLM_F_DUMP_INTR, &[0; 4])].concat();
        let answers: Vec<_> = Answer::all_in(&bytes).collect();
        assert!(answers.iter().all(|answer| answer.refusal(Request::Show).is_none()));
        assert!(answers[1].is_end() && answers[1].is_torn() && !answers[0].is_torn());
    }

    #[test]
    fn a_datagram_that_was_cut_off_ends_the_reading() {
        let bytes = message(DONE, 0, &[0; 4]);
        assert_eq!(Answer::all_in(&bytes[..bytes.len() - 1]).count(), 0);
        assert_eq!(Answer::all_in(&[1, 2, 3]).count(), 0);
    }
}
