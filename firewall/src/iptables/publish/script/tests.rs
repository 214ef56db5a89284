//! Scripts for tables as `iptables-save` lists them.

use super::*;
use crate::iptables::Version;
use crate::iptables::publish::IptablesOptions;
use crate::iptables::publish::plan::tests::plan;

const SAVED: &str = r#"*nat
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:CNI-DN-e88f49d94512ff752ebe6 - [0:0]
:CNI-DN-other - [0:0]
:CNI-HOSTPORT-DNAT - [0:0]
:CNI-HOSTPORT-MASQ - [0:0]
:CNI-HOSTPORT-SETMARK - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
-A OUTPUT -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
-A POSTROUTING -m comment --comment "CNI portfwd requiring masquerade" -j CNI-HOSTPORT-MASQ
-A CNI-DN-e88f49d94512ff752ebe6 -s fd22::/64 -p tcp -m tcp --dport 80 -j CNI-HOSTPORT-SETMARK
-A CNI-DN-e88f49d94512ff752ebe6 -p tcp -m tcp --dport 80 -j DNAT --to-destination [fd22::5]:80
-A CNI-HOSTPORT-DNAT -p udp -m multiport --dports 53 -j CNI-DN-other
-A CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name: \"mynet\" id: \"abc\"" -m multiport --dports 80 -j CNI-DN-e88f49d94512ff752ebe6
-A CNI-HOSTPORT-MASQ -m mark --mark 0x2000/0x2000 -j MASQUERADE
-A CNI-HOSTPORT-SETMARK -m comment --comment "CNI portfwd masquerade mark" -j MARK --set-xmark 0x2000/0x2000
COMMIT
"#;
const CHAIN: &str = "CNI-DN-e88f49d94512ff752ebe6";
const ENTRY: &str = r#" CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name: \"mynet\" id: \"abc\"" -m multiport --dports 80 -j CNI-DN-e88f49d94512ff752ebe6"#;
const FROM_PREROUTING: &str = " PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT";
const FROM_OUTPUT: &str = " OUTPUT -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT";
const FROM_POSTROUTING: &str =
    " POSTROUTING -m comment --comment \"CNI portfwd requiring masquerade\" -j CNI-HOSTPORT-MASQ";

/// Port 80 of `abc`, which is in the table above.
fn web() -> Plan {
    plan(Version::V6, &["80:80"], &IptablesOptions::default()).unwrap()
}

/// The table without the lines in which one of these texts is.
fn saved_without(texts: &[&str]) -> Saved {
    let lines = SAVED.lines().filter(|line| !texts.iter().any(|text| line.contains(text)));
    Saved::parse(&lines.map(|line| format!("{line}\n")).collect::<String>())
}

fn with(sign: &str, lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| format!("{sign}{line}")).collect()
}

#[test]
fn what_is_published_needs_no_script() {
    assert_eq!(addition(&web(), &saved_without(&[])), None);
    assert_eq!(missing(&web(), &saved_without(&[])), Vec::<String>::new());
}

#[test]
fn an_empty_table_gets_every_chain_by_a_line_that_fails_where_it_is() {
    let script = addition(&web(), &Saved::default()).unwrap();
    let is_made = |line: &&String| line.starts_with("-N ");
    let made: Vec<_> = script.iter().filter(is_made).collect();
    assert_eq!(made, ["-N CNI-HOSTPORT-DNAT", "-N CNI-HOSTPORT-MASQ"]);
    assert!(!script.iter().any(|line| line.starts_with("-D") || line.starts_with("-X")), "{script:#?}");
    // The same lines as in the table, whatever their order.
    let mut added: Vec<_> = script.iter().filter(|line| line.starts_with("-A")).cloned().collect();
    added.extend(script.iter().filter_map(|line| Some(format!("-A{}", line.strip_prefix("-I")?))));
    let mut expected: Vec<_> =
        SAVED.lines().filter(|line| line.starts_with("-A") && !line.contains("other")).collect();
    added.sort_unstable();
    expected.sort_unstable();
    assert_eq!(added, expected);
}

#[test]
fn other_ports_take_the_place_of_what_is_there() {
    let script =
        addition(&plan(Version::V6, &["81:80"], &IptablesOptions::default()).unwrap(), &saved_without(&[]));
    let script = script.unwrap();
    assert_eq!(script[..2], [format!("-D{ENTRY}"), format!(":{CHAIN} - [0:0]")]);
    assert!(script[2..].iter().all(|line| line.starts_with("-A") && line.contains("81")), "{script:#?}");
}

#[test]
fn a_lost_way_in_is_put_back_only_if_the_chain_is_as_it_was_seen() {
    let script = addition(&web(), &saved_without(&["-A OUTPUT"])).unwrap();
    let other = " CNI-HOSTPORT-DNAT -p udp -m multiport --dports 53 -j CNI-DN-other";
    let mut expected = with("-D", &[ENTRY, FROM_PREROUTING, other]);
    expected.extend(["-X CNI-HOSTPORT-DNAT".to_owned(), "-N CNI-HOSTPORT-DNAT".to_owned()]);
    expected.extend(with("-A", &[other, FROM_PREROUTING, FROM_OUTPUT]));
    assert_eq!(script[..expected.len()], expected);
    assert_eq!(script[expected.len()], format!(":{CHAIN} - [0:0]"));
}

#[test]
fn a_second_mark_stands_beside_the_first() {
    let mut plan = web();
    plan.mark = Some(0x20);
    let script = addition(&plan, &saved_without(&[])).unwrap();
    let script = script.join("\n");
    for (chain, lines) in [("CNI-HOSTPORT-MASQ", "--mark 0x"), ("CNI-HOSTPORT-SETMARK", "--set-xmark 0x")] {
        let added: Vec<_> = script.lines().filter(|line| line.starts_with(&format!("-A {chain}"))).collect();
        assert!(added.len() == 2 && added[0].contains(&format!("{lines}2000/")), "{script}");
        assert!(added[1].contains(&format!("{lines}20/")), "{script}");
    }
    assert!(script.contains("-X CNI-HOSTPORT-MASQ\n-N CNI-HOSTPORT-MASQ\n"), "{script}");
    assert!(script.contains(&format!("-I{FROM_POSTROUTING}")), "{script}");
}

#[test]
fn one_of_several_goes_alone() {
    let script = removal(&saved_without(&[]), &[CHAIN.to_owned()]).unwrap();
    assert_eq!(script, [format!("-D{ENTRY}"), format!("-F {CHAIN}"), format!("-X {CHAIN}")]);
    assert_eq!(removal(&saved_without(&[]), &["CNI-DN-none".to_owned()]), None);
}

#[test]
fn the_last_one_takes_along_what_all_shared() {
    let script = removal(&saved_without(&["other"]), &[CHAIN.to_owned()]).unwrap();
    assert_eq!(script[3..5], with("-D", &[FROM_PREROUTING, FROM_OUTPUT]));
    let deleted: Vec<_> = script.iter().filter(|line| line.starts_with("-X")).collect();
    let shared = ["-X CNI-HOSTPORT-DNAT", "-X CNI-HOSTPORT-MASQ", "-X CNI-HOSTPORT-SETMARK"];
    assert_eq!(deleted[0], &format!("-X {CHAIN}"));
    assert_eq!(deleted[1..], shared);
    // Rules that come meanwhile must make it fail.
    assert_eq!(script.iter().filter(|line| line.starts_with("-F")).count(), 1);
}

#[test]
fn a_chain_that_is_not_filled_yet_keeps_what_all_share() {
    let saved = saved_without(&["-j CNI-DN-other"]);
    assert!(saved.has_chain("CNI-DN-other"));
    assert_eq!(removal(&saved, &[CHAIN.to_owned()]).unwrap().len(), 3);
}

#[test]
fn owners_are_those_whose_chain_proves_it() {
    let saved = saved_without(&[]);
    let owners = owners(saved.rules_of(DNAT).map(|entry| &entry.rule));
    assert_eq!(
        owners.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["container abc in network mynet"]
    );
}
