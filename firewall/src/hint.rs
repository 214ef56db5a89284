//! What a person can do about an error of nf_tables.

use nix::errno::Errno;

use crate::channel::Error;

impl Error {
    /// A way out, where one is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match (self, self.errno()?) {
            (_, Errno::EPERM | Errno::EACCES) => {
                "run as root: changing nftables takes CAP_NET_ADMIN in the user namespace of this network namespace"
            }
            (Self::Open { .. }, Errno::EPROTONOSUPPORT | Errno::EAFNOSUPPORT) => {
                "this kernel has no netfilter netlink: load the module nf_tables (CONFIG_NF_TABLES)"
            }
            // The kernel does not know the subsystem (EINVAL to a question, EOPNOTSUPP to a transaction).
            (
                Self::Refused { request: "begin a transaction" | "make a table", .. },
                Errno::EOPNOTSUPP | Errno::EAFNOSUPPORT,
            )
            | (Self::Refused { request: "show an object", .. }, Errno::EINVAL) => {
                "this kernel has no nf_tables, or not for this family: load the module nf_tables \
                 (CONFIG_NF_TABLES, CONFIG_NF_TABLES_INET, CONFIG_NF_TABLES_BRIDGE)"
            }
            (Self::Refused { request: "make a chain", .. }, Errno::ENOENT) => {
                "this kernel has no such type of chain: load the module nft_chain_nat (CONFIG_NFT_NAT)"
            }
            (Self::Refused { request: "add a rule", .. }, Errno::ENOENT) => {
                "this kernel lacks an expression of nftables: load the module nft_masq (CONFIG_NFT_MASQ)"
            }
            (Self::Refused { request: "make a set", .. }, Errno::EINVAL | Errno::EOPNOTSUPP) => {
                "this kernel has no sets of concatenated ranges: Linux 5.6 or newer is needed"
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(request: &'static str, errno: Errno) -> Error {
        Error::Refused { request, errno, text: None }
    }

    #[test]
    fn a_kernel_without_nf_tables_is_named() {
        let hint = refused("begin a transaction", Errno::EOPNOTSUPP).hint().unwrap();
        assert!(hint.contains("CONFIG_NF_TABLES"), "{hint}");
        let source = std::io::Error::from_raw_os_error(Errno::EPROTONOSUPPORT as i32);
        assert!(Error::Open { source }.hint().unwrap().contains("CONFIG_NF_TABLES"));
        assert!(refused("add a rule", Errno::ENOENT).hint().unwrap().contains("nft_masq"));
    }

    #[test]
    fn a_user_without_privilege_is_told_so() {
        assert!(refused("show an object", Errno::EPERM).hint().unwrap().contains("CAP_NET_ADMIN"));
    }

    #[test]
    fn an_error_without_a_known_way_out_has_no_hint() {
        assert_eq!(refused("add an element", Errno::ENOMEM).hint(), None);
    }
}
