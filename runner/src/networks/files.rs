//! /etc/hosts, /etc/hostname and /etc/resolv.conf of a container: written in place, because they are mounted by then.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use dns::hosts::{self, Entry};
use dns::resolv_conf::{self, BEHIND_RESOLVED, Nameserver, ResolvConf, Wish};
use docker::DaemonFile;

use super::{Connected, NetworksError};
use crate::{Config, FileError, Folder, Host, Mode};

/// Where the host says of itself what containers are told.
#[derive(Debug, Clone)]
pub struct Names {
    /// hosts(5).
    pub hosts: PathBuf,
    /// resolv.conf(5).
    pub resolv_conf: PathBuf,
}

/// What a container calls itself.
#[must_use]
pub fn hostname(config: &Config) -> String {
    match (&config.names.hostname, &config.mode) {
        (Some(name), _) => name.clone(),
        (None, Mode::Host) => rustix::system::uname().nodename().to_string_lossy().into_owned(),
        (None, _) => config.id.short().to_owned(),
    }
}

/// Writes the three files, but for a container that has another one's; gives what people had better know.
///
/// # Errors
/// [`NetworksError`].
pub fn write_files(
    config: &Config,
    folder: &Folder,
    connected: &Connected,
    daemon: &DaemonFile,
    host: &Names,
) -> Result<Vec<String>, NetworksError> {
    if matches!(config.mode, Mode::Container(_)) {
        return Ok(Vec::new());
    }
    write(&folder.hostname(), &format!("{}\n", hostname(config)))?;
    write(&folder.hosts(), &hosts_text(config, connected, host)?)?;
    let (text, notes) = resolver(config, connected, daemon, host)?;
    write(&folder.resolv_conf(), &text)?;
    Ok(notes)
}

fn write(path: &Path, text: &str) -> Result<(), FileError> {
    fs::write(path, text).map_err(FileError::new("write", path))
}

fn read(path: &Path) -> Result<String, FileError> {
    match fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        read => Ok(String::from_utf8_lossy(&read.map_err(FileError::new("read", path))?).into_owned()),
    }
}

fn hosts_text(config: &Config, connected: &Connected, host: &Names) -> Result<String, FileError> {
    let added: Vec<Entry> = config
        .names
        .add_hosts
        .iter()
        .flat_map(|added| {
            let addresses = match added.host {
                Host::Address(address) => vec![address],
                Host::Gateway if config.mode == Mode::Host => vec![IpAddr::from([127, 0, 0, 1])],
                Host::Gateway => connected.host.clone(),
            };
            addresses.into_iter().map(|address| Entry { address, names: added.name.clone() })
        })
        .collect();
    if matches!(config.mode, Mode::Host) {
        return Ok(hosts::of_host(&read(&host.hosts)?, &added));
    }
    let own = hosts::own_names(&hostname(config), config.names.domainname.as_deref());
    let addresses: Vec<IpAddr> = connected
        .attached
        .iter()
        .flat_map(|attached| attached.addresses.iter().map(|address| address.ip()))
        .collect();
    Ok(hosts::of_container(&added, &own, &addresses, has_ipv6(config, &addresses)))
}

/// Where the container has no address of its own, what its loopback has counts.
fn has_ipv6(config: &Config, addresses: &[IpAddr]) -> bool {
    match config.mode {
        Mode::Networks(_) => addresses.iter().any(IpAddr::is_ipv6),
        _ => Path::new("/proc/sys/net/ipv6").is_dir(),
    }
}

fn resolver(
    config: &Config,
    connected: &Connected,
    daemon: &DaemonFile,
    host: &Names,
) -> Result<(String, Vec<String>), NetworksError> {
    let names = &config.names;
    let own = Wish {
        nameservers: names.dns.iter().filter_map(|text| text.parse().ok()).map(Nameserver::of).collect(),
        search: names.dns_search.clone(),
        options: names.dns_options.clone(),
    };
    let networks = Wish {
        nameservers: connected
            .dns
            .nameservers
            .iter()
            .filter_map(|text| text.parse().ok())
            .map(Nameserver::of)
            .collect(),
        search: connected.dns.search.clone(),
        options: connected.dns.options.clone(),
    };
    let of_daemon = Wish {
        nameservers: daemon.dns.iter().copied().map(Nameserver::of).collect(),
        search: daemon.dns_search.clone(),
        options: daemon.dns_opts.clone(),
    };
    if config.mode == Mode::Host {
        return Ok((of_host(&own, host)?, Vec::new()));
    }
    let of_host = resolv_conf::read_host(&host.resolv_conf, Path::new(BEHIND_RESOLVED))?;
    let addresses: Vec<IpAddr> = connected
        .attached
        .iter()
        .flat_map(|attached| attached.addresses.iter().map(|address| address.ip()))
        .collect();
    let wishes = [own, networks, of_daemon];
    let (file, notes) = resolv_conf::of_container(&of_host, &wishes, has_ipv6(config, &addresses));
    // Who has no network misses no name server.
    let notes =
        if config.mode == Mode::None { Vec::new() } else { notes.iter().map(ToString::to_string).collect() };
    Ok((file.to_string(), notes))
}

/// Whoever is on the host's network has the host's own file, but for what was asked for.
fn of_host(own: &Wish, host: &Names) -> Result<String, NetworksError> {
    let text = read(&host.resolv_conf)?;
    if *own == Wish::default() {
        return Ok(text);
    }
    let file = ResolvConf::parse(&text);
    let or = |own: &[String], hosts: Vec<String>| match own {
        [] => hosts,
        [dot] if dot == "." => Vec::new(),
        own => own.to_vec(),
    };
    let file = ResolvConf {
        nameservers: if own.nameservers.is_empty() { file.nameservers } else { own.nameservers.clone() },
        search: or(&own.search, file.search),
        options: or(&own.options, file.options),
        others: file.others,
    };
    Ok(file.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::{Scratch, config};
    use crate::{AddHost, Attached, Membership};
    use vocab::{InterfaceName, NetworkName};

    fn files(config: &Config, connected: &Connected) -> (String, String, String, Vec<String>) {
        let scratch = Scratch::new();
        let folder = scratch.places().container(&config.id);
        fs::create_dir_all(folder.run()).expect("a folder");
        let host =
            Names { hosts: scratch.path().join("hosts"), resolv_conf: scratch.path().join("resolv.conf") };
        fs::write(&host.hosts, "127.0.0.1 localhost\n10.0.0.1 host\n").expect("a file");
        fs::write(&host.resolv_conf, "nameserver 127.0.0.1\nnameserver 10.0.0.53\nsearch lan\n")
            .expect("a file");
        let notes = write_files(config, &folder, connected, &DaemonFile::default(), &host).expect("files");
        let text = |path: PathBuf| fs::read_to_string(path).expect("a file");
        (text(folder.hosts()), text(folder.hostname()), text(folder.resolv_conf()), notes)
    }

    fn on_bridge() -> Connected {
        let attached = Attached {
            network: NetworkName::new("bridge").expect("a name"),
            interface: InterfaceName::new("eth0").expect("a name"),
            mac: None,
            addresses: vec!["172.17.0.2/16".parse().expect("an address")],
            gateways: vec!["172.17.0.1".parse().expect("an address")],
            aliases: Vec::new(),
            ports: Vec::new(),
        };
        // The host is another one than the router.
        let host = vec![IpAddr::from([172, 17, 0, 9])];
        Connected { attached: vec![attached], host, ..Connected::default() }
    }

    #[test]
    fn a_container_on_a_network_knows_itself_and_asks_whom_it_reaches() {
        let mut asked = config("web", 1);
        asked.mode = Mode::Networks(vec![Membership::of(NetworkName::new("bridge").expect("a name"))]);
        asked.names.hostname = Some("web".to_owned());
        asked.names.domainname = Some("example.net".to_owned());
        asked.names.add_hosts = vec![AddHost { name: "gate".to_owned(), host: Host::Gateway }];
        let (hosts, hostname, resolv, _) = files(&asked, &on_bridge());
        assert_eq!(hosts, "127.0.0.1\tlocalhost\n172.17.0.9\tgate\n172.17.0.2\tweb.example.net web\n");
        assert_eq!(hostname, "web\n");
        assert!(resolv.ends_with("nameserver 10.0.0.53\nsearch lan\n"), "{resolv}");
    }

    #[test]
    fn the_hosts_files_are_the_hosts_own_but_for_what_was_asked() {
        let mut asked = config("web", 1);
        asked.mode = Mode::Host;
        let (hosts, _, resolv, _) = files(&asked, &Connected::default());
        assert_eq!(hosts, "127.0.0.1 localhost\n10.0.0.1 host\n");
        assert_eq!(resolv, "nameserver 127.0.0.1\nnameserver 10.0.0.53\nsearch lan\n");
        asked.names.dns = vec!["9.9.9.9".to_owned()];
        let (_, _, resolv, _) = files(&asked, &Connected::default());
        assert!(resolv.ends_with("nameserver 9.9.9.9\nsearch lan\n"), "{resolv}");
    }

    #[test]
    fn who_has_no_network_calls_itself_by_its_short_id_and_is_told_nothing() {
        let (hosts, hostname, _, notes) = files(&config("web", 1), &Connected::default());
        assert!(
            !hosts.contains("web") && hostname == "010101010101\n" && notes.is_empty(),
            "{hosts}{hostname}{notes:?}"
        );
    }
}
