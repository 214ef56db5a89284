//! What a failed request means to the protocol.

use cni::Code;
use nix::errno::Errno;

/// The protocol's code for a request that failed. What passes by itself may be tried again.
#[must_use]
pub fn code_of(error: &netlink::Error) -> Code {
    match error.errno() {
        Some(Errno::EBUSY | Errno::EAGAIN | Errno::ENOBUFS | Errno::ENOMEM) => Code::TRY_AGAIN,
        Some(_) => Code::INTERNAL,
        None => Code::IO,
    }
}

/// What helps with a request that failed, whatever it was.
pub(crate) fn hint_for(error: &netlink::Error) -> Option<String> {
    let hint = match error.errno()? {
        Errno::EPERM => {
            "changing the network takes CAP_NET_ADMIN, in the host's namespace and in the container's"
        }
        Errno::EAFNOSUPPORT | Errno::EACCES => {
            "IPv6 may be switched off: see /proc/sys/net/ipv6/conf/*/disable_ipv6"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}
