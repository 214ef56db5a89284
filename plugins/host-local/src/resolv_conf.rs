//! The file that `resolvConf` names: how the container resolves names.

use std::fs;
use std::path::Path;

use cni::Dns;

use crate::error::HostLocalError;

/// Reads the file at `path` (`resolv.conf(5)`).
pub(crate) fn read(path: &Path) -> Result<Dns, HostLocalError> {
    let text =
        fs::read(path).map_err(|source| HostLocalError::ResolvConf { path: path.to_owned(), source })?;
    Ok(parse(&String::from_utf8_lossy(&text)))
}

/// Unlike the resolver, and like the reference, it adds up several `search` and `options` lines.
fn parse(text: &str) -> Dns {
    let mut dns = Dns::default();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let keyword = words.next().unwrap_or_default();
        let mut values = words.map(str::to_owned);
        match keyword {
            "nameserver" => dns.nameservers.extend(values.next()),
            "domain" => dns.domain = values.next().unwrap_or(dns.domain),
            "search" => dns.search.extend(values),
            "options" => dns.options.extend(values),
            _ => {}
        }
    }
    dns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_keyword_of_the_specification_is_read() {
        let dns = parse(
            "# nameserver 9.9.9.9\n; options x\nnameserver 192.0.2.1 ignored\n nameserver\tfd00::53\nnameserver\n\
             domain one.test\ndomain lab.test\nsearch a.test b.test\nsearch c.test\noptions ndots:5 edns0\nsortlist 10.0.0.0\n",
        );
        assert_eq!(dns.nameservers, ["192.0.2.1", "fd00::53"]);
        assert_eq!(dns.domain, "lab.test");
        assert_eq!(dns.search, ["a.test", "b.test", "c.test"]);
        assert_eq!(dns.options, ["ndots:5", "edns0"]);
    }
}
