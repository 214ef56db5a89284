use super::*;

fn servers(texts: &[&str]) -> Vec<Nameserver> {
    texts.iter().map(|text| Nameserver::read(text).unwrap()).collect()
}

fn dns(texts: &[&str]) -> Wish {
    Wish { nameservers: servers(texts), ..Wish::default() }
}

#[test]
fn the_hosts_file_is_read_as_resolvers_read_it() {
    let text = "# c\n; c\r\nnameserver 10.0.0.1\r\nnameserver\tfe80::1%eth0\nnameserver nobody\nnameserver\n\
                domain a.example\nsearch b.example c.example\noptions ndots:2\noptions rotate\nsortlist 10.0.0.0\u{7}";
    let read = ResolvConf::parse(text);
    assert_eq!(read.nameservers, servers(&["10.0.0.1", "fe80::1%eth0"]));
    assert_eq!(read.search, ["b.example", "c.example"]);
    assert_eq!(read.options, ["ndots:2", "rotate"]);
    assert_eq!(read.others, ["sortlist 10.0.0.0"]);
    assert_eq!(ResolvConf::parse("search a b\ndomain c d").search, ["c"]);
}

#[test]
fn what_only_the_host_reaches_is_left_out() {
    let host = ResolvConf::parse(
        "nameserver 127.0.0.1\nnameserver ::1\nnameserver 10.0.0.1\nnameserver 2001:db8::1\n\
                                  nameserver fe80::1%eth0\nnameserver ::ffff:127.0.0.1",
    );
    let (made, notes) = of_container(&host, &[], false);
    assert_eq!((made.nameservers, notes), (servers(&["10.0.0.1"]), vec![]));
    let (made, _) = of_container(&host, &[], true);
    assert_eq!(made.nameservers, servers(&["10.0.0.1", "2001:db8::1"]));
}

#[test]
fn nobodys_queries_are_sent_to_strangers() {
    let (made, notes) = of_container(&ResolvConf::parse("nameserver 127.0.0.1"), &[], false);
    assert!(made.nameservers.is_empty());
    let told = "name server 127.0.0.1 is not reached from the container, so it has none; --dns names one";
    assert_eq!(notes.iter().map(ToString::to_string).collect::<Vec<_>>(), [told]);
    let (_, notes) = of_container(&ResolvConf::default(), &[], false);
    assert!(notes[0].to_string().starts_with("the host has no name server"));
}

#[test]
fn the_first_who_says_something_counts_for_each_kind_of_line() {
    let host = ResolvConf::parse("nameserver 10.0.0.1\nsearch host.example\noptions ndots:1");
    let container = Wish { options: vec!["ndots:5".to_owned()], ..dns(&[]) };
    let network = Wish { search: vec!["net.example".to_owned()], ..dns(&["10.9.9.9"]) };
    let daemon = Wish { search: vec!["daemon.example".to_owned()], ..dns(&["10.8.8.8"]) };
    let (made, _) = of_container(&host, &[container, network, daemon], false);
    let text = "# Written by netctl when the container was started\n\
                nameserver 10.9.9.9\nsearch net.example\noptions ndots:5\n";
    assert_eq!(made.to_string(), text);
}

#[test]
fn named_servers_are_not_filtered_and_a_dot_stands_for_no_domain() {
    let host = ResolvConf::parse("nameserver 10.0.0.1\nsearch host.example");
    let wish = Wish { search: vec![".".to_owned()], ..dns(&["127.0.0.1"]) };
    let (made, notes) = of_container(&host, &[wish], false);
    assert_eq!((made.nameservers, made.search.len(), notes.len()), (servers(&["127.0.0.1"]), 0, 0));
}

#[test]
fn more_than_resolvers_use_is_told() {
    let wish =
        Wish { search: vec!["x".to_owned(); 7], ..dns(&["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"]) };
    let (made, notes) = of_container(&ResolvConf::default(), &[wish], false);
    assert_eq!((made.nameservers.len(), made.search.len()), (4, 7));
    assert_eq!(notes, [Note::TooManyServers { count: 4 }, Note::TooManyDomains { count: 7 }]);
}

#[test]
fn behind_systemd_resolved_are_the_servers_that_it_asks() {
    let folder = std::env::temp_dir().join(format!("dns-test-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let (file, behind) = (folder.join("resolv.conf"), folder.join("behind"));
    assert_eq!(read_host(&file, &behind).unwrap(), ResolvConf::default());
    fs::write(&file, "nameserver 127.0.0.53\nsearch a").unwrap();
    assert_eq!(read_host(&file, &behind).unwrap().nameservers, servers(&["127.0.0.53"]));
    fs::write(&behind, b"nameserver 10.1.1.1\n\xff\xfe").unwrap();
    assert_eq!(read_host(&file, &behind).unwrap().nameservers, servers(&["10.1.1.1"]));
    fs::write(&file, "nameserver 127.0.0.53\nnameserver 10.0.0.1").unwrap();
    assert_eq!(read_host(&file, &behind).unwrap().nameservers.len(), 2);
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn what_was_made_is_read_as_the_same_whatever_the_host_has() {
    // A simple generator of bytes: the same on every run.
    let mut seed = 1_u64;
    let mut next = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        seed >> 33
    };
    let words = [
        "nameserver ",
        "10.0.0.1",
        "::1",
        "search ",
        "options ",
        "x",
        "\n",
        "\r",
        "%",
        " ",
        "\0",
        "#",
        "\u{1b}",
    ];
    for _ in 0..2000 {
        let text: String =
            (0..next() % 20).map(|_| words[usize::try_from(next()).unwrap() % words.len()]).collect();
        let read = ResolvConf::parse(&text);
        assert_eq!(ResolvConf::parse(&read.to_string()), read, "{text:?}");
    }
}
