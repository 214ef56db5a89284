//! Questions to the kernel's connection tracking, over the same kind of socket.

use netlink_packet_core::{DefaultNla, NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST};
use netlink_packet_netfilter::NetfilterProtoFamily;
use netlink_packet_netfilter::conntrack::ConntrackMessage;
use nix::errno::Errno;

use super::answer::Answer;
use super::{Channel, Error, Request, refused};
use crate::wire;

/// `IPCTNL_MSG_CT_GET`, `IPCTNL_MSG_CT_DELETE` and `IPCTNL_MSG_CT_GET_STATS`.
const GET: u8 = 1;
const DELETE: u8 = 2;
const GET_STATS: u8 = 5;
/// `CTA_STATS_GLOBAL_ENTRIES`.
const STATS_ENTRIES: u16 = 1;
/// How many deletions are sent at once: their answers wait in the socket's receive buffer.
const DELETIONS_PER_SEND: usize = 64;

/// What tells a connection from all others, or some from the rest.
pub(crate) type ConnectionName = (NetfilterProtoFamily, Vec<DefaultNla>);

impl Channel {
    /// How many connections the kernel remembers in this namespace. To know that costs nothing.
    pub(crate) fn count_connections(&mut self) -> Result<usize, Error> {
        let mut request = Vec::new();
        let message = ConntrackMessage::Other { message_type: GET_STATS, attributes: Vec::new() };
        self.encode(&mut request, NetfilterProtoFamily::Unspec, message, NLM_F_REQUEST, 0);
        self.send(&request)?;
        self.receive()?;
        let answer = Answer::all_in(&self.received).find(|answer| answer.sequence == self.sequence);
        if let Some(refusal) = answer.as_ref().and_then(|answer| answer.refusal(Request::ListConnections)) {
            return Err(refusal);
        }
        let entries = answer.and_then(|answer| wire::attribute(answer.raw_attributes(), STATS_ENTRIES));
        let entries = entries.and_then(wire::number).and_then(|entries| entries.try_into().ok());
        entries.ok_or_else(|| refused(Request::ListConnections, Errno::ENODATA))
    }

    /// Hands on the attributes of each connection that `filter` describes, while the kernel lists them: there may be
    /// hundreds of thousands.
    pub(crate) fn connections(
        &mut self,
        family: NetfilterProtoFamily,
        filter: Vec<DefaultNla>,
        mut each: impl FnMut(&[u8]),
    ) -> Result<(), Error> {
        let mut request = Vec::new();
        let message = ConntrackMessage::Other { message_type: GET, attributes: filter };
        self.encode(&mut request, family, message, NLM_F_REQUEST | NLM_F_DUMP, 0);
        self.send(&request)?;
        loop {
            self.receive()?;
            for answer in Answer::all_in(&self.received).filter(|answer| answer.sequence == self.sequence) {
                if let Some(refusal) = answer.refusal(Request::ListConnections) {
                    return Err(refusal);
                }
                if answer.is_end() {
                    return Ok(());
                }
                each(answer.raw_attributes());
            }
        }
    }

    /// Deletes connections. Says how many of the names were understood and meant something; since Linux 6.11 one may
    /// describe any number of connections, and it does not tell how many there were.
    pub(crate) fn delete_connections(&mut self, names: Vec<ConnectionName>) -> Result<usize, Error> {
        let mut deleted = 0;
        let mut names = names.into_iter().peekable();
        while names.peek().is_some() {
            let first = self.sequence + 1;
            let mut request = Vec::new();
            for (family, attributes) in names.by_ref().take(DELETIONS_PER_SEND) {
                let message = ConntrackMessage::Other { message_type: DELETE, attributes };
                self.encode(&mut request, family, message, NLM_F_REQUEST | NLM_F_ACK, 0);
            }
            self.send(&request)?;
            deleted += self.count_deletions(first)?;
        }
        Ok(deleted)
    }

    /// Hears how each request since `first` ended. One that is refused does not keep the others from being heard.
    fn count_deletions(&mut self, first: u32) -> Result<usize, Error> {
        let (mut open, mut deleted, mut failed) = (self.sequence + 1 - first, 0, None);
        while open > 0 {
            self.receive()?;
            for answer in Answer::all_in(&self.received).filter(|answer| answer.sequence >= first) {
                open = open.saturating_sub(1);
                match answer.refusal(Request::DeleteConnection) {
                    None => deleted += 1,
                    Some(Error::Refused { errno: Errno::ENOENT, .. }) => {}
                    Some(refusal) => failed = failed.or(Some(refusal)),
                }
            }
        }
        failed.map_or(Ok(deleted), Err)
    }
}

/// Whether that is how a kernel without connection tracking, or without netlink for it, refuses.
pub(crate) fn is_absent(error: &Error) -> bool {
    use Errno::{EINVAL, ENOENT, EOPNOTSUPP, EPROTONOSUPPORT};
    matches!(error.errno(), Some(EINVAL | ENOENT | EOPNOTSUPP | EPROTONOSUPPORT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_without_connection_tracking_is_told_from_one_that_does_not_let_us() {
        assert!(is_absent(&refused(Request::ListConnections, Errno::EINVAL)));
        assert!(!is_absent(&refused(Request::ListConnections, Errno::EPERM)));
        let text = refused(Request::ListConnections, Errno::EPERM).to_string();
        assert_eq!(text, "conntrack refused to list connections: EPERM: Operation not permitted");
    }
}
