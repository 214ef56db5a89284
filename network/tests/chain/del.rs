//! DEL and CHECK through a chain of executables.

use crate::fake::{Fake, list, parse, request};
use cni::{Args, Code, Failure};
use serde_json::json;

fn added(fake: &Fake, version: &str) -> network::List {
    let list = parse(&list(version));
    fake.answer("a-ADD", &json!({"cniVersion": "1.0.0", "ips": [{"address": "10.0.0.2/24"}]}));
    fake.answer("c-ADD", &json!({"cniVersion": "1.0.0", "ips": [{"address": "10.0.0.4/24"}]}));
    let mut request = request("web");
    request.args = Args::parse("IgnoreUnknown=1").unwrap();
    request.capability_args.insert("mac".to_owned(), json!("02:00:00:00:00:01"));
    fake.runtime.add(&list, &request).unwrap();
    fake.names();
    list
}

#[test]
fn del_goes_last_to_first_with_the_result_of_the_add() {
    let fake = Fake::new();
    let list = added(&fake, "1.0.0");
    fake.runtime.del(&list, &request("web")).unwrap();
    let calls = fake.calls();
    assert_eq!(calls.iter().map(|made| made.call.as_str()).collect::<Vec<_>>(), ["c DEL", "b DEL", "a DEL"]);
    for made in &calls {
        assert_eq!(made.stdin["prevResult"]["ips"][0]["address"], "10.0.0.4/24");
        assert_eq!(made.env["CNI_ARGS"], "IgnoreUnknown=1");
    }
    assert_eq!(calls[1].stdin["runtimeConfig"], json!({"mac": "02:00:00:00:00:01"}));
    assert!(fake.cached().is_empty());
}

#[test]
fn what_is_given_now_counts_more_than_what_was_given_to_add() {
    let fake = Fake::new();
    let list = added(&fake, "1.0.0");
    let mut request = request("web");
    request.args = Args::parse("A=b").unwrap();
    request.netns = None;
    fake.runtime.del(&list, &request).unwrap();
    let calls = fake.calls();
    assert_eq!((calls[0].env["CNI_ARGS"].as_str(), calls[0].env["CNI_NETNS"].as_str()), ("A=b", ""));
}

#[test]
fn versions_before_0_4_0_get_no_result() {
    let fake = Fake::new();
    let list = added(&fake, "0.3.1");
    fake.runtime.del(&list, &request("web")).unwrap();
    assert!(fake.calls().iter().all(|made| made.stdin.get("prevResult").is_none()));
    assert!(fake.cached().is_empty());
}

#[test]
fn a_failure_stops_nothing_and_keeps_what_the_next_del_needs() {
    let fake = Fake::new();
    let list = added(&fake, "1.0.0");
    fake.fail("c-DEL", "busy");
    fake.fail("a-DEL", "gone astray");
    let failure = Failure::from(fake.runtime.del(&list, &request("web")).unwrap_err());
    assert_eq!(
        failure.to_string(),
        "remove web/eth0 from network net: call plugin \"c\": busy; \
         remove web/eth0 from network net: call plugin \"a\": gone astray"
    );
    assert_eq!(fake.names(), ["c DEL", "b DEL", "a DEL"]);
    assert_eq!(fake.cached(), ["net-web-eth0"]);
    fake.mend("c-DEL");
    fake.mend("a-DEL");
    fake.runtime.del(&list, &request("web")).unwrap();
    assert!(fake.calls().iter().all(|made| made.stdin.get("prevResult").is_some()));
    assert!(fake.cached().is_empty());
}

#[test]
fn del_without_an_add_before_it_asks_every_plugin_all_the_same() {
    let fake = Fake::new();
    fake.runtime.del(&parse(&list("1.0.0")), &request("web")).unwrap();
    let calls = fake.calls();
    assert_eq!(calls.len(), 3);
    assert!(calls.iter().all(|made| made.stdin.get("prevResult").is_none()));
}

#[test]
fn a_torn_file_is_removed_and_del_goes_on() {
    let fake = Fake::new();
    let list = added(&fake, "1.0.0");
    std::fs::write(fake.runtime.cache.folder().join("net-web-eth0"), "{\"kind\":\"cniCa").unwrap();
    fake.runtime.del(&list, &request("web")).unwrap();
    assert_eq!(fake.names().len(), 3);
    assert!(fake.cached().is_empty());
}

#[test]
fn a_plugin_that_is_nowhere_does_not_stop_the_others() {
    let fake = Fake::new();
    let list = json!({"cniVersion": "1.0.0", "name": "net", "plugins": [{"type": "a"}, {"type": "missing"}]});
    let failure = Failure::from(fake.runtime.del(&parse(&list), &request("web")).unwrap_err());
    assert!(failure.to_string().contains("find plugin \"missing\""), "{failure}");
    assert_eq!(fake.names(), ["a DEL"]);
}

#[test]
fn check_goes_in_order_with_the_result_of_the_whole_add() {
    let fake = Fake::new();
    let list = added(&fake, "0.4.0");
    fake.runtime.check(&list, &request("web")).unwrap();
    let calls = fake.calls();
    let names: Vec<_> = calls.iter().map(|made| made.call.as_str()).collect();
    assert_eq!(names, ["a CHECK", "b CHECK", "c CHECK"]);
    for made in &calls {
        assert_eq!(made.stdin["prevResult"]["ips"][0]["address"], "10.0.0.4/24");
    }
    assert_eq!(fake.cached(), ["net-web-eth0"]);
}

#[test]
fn check_stops_at_the_first_difference() {
    let fake = Fake::new();
    let list = added(&fake, "1.0.0");
    fake.fail("b-CHECK", "an address is missing");
    let failure = Failure::from(fake.runtime.check(&list, &request("web")).unwrap_err());
    assert_eq!(
        failure.to_string(),
        "check web/eth0 in network net: call plugin \"b\": an address is missing"
    );
    assert_eq!(fake.names(), ["a CHECK", "b CHECK"]);
}

#[test]
fn check_is_refused_where_the_specification_has_none() {
    let fake = Fake::new();
    let failure = Failure::from(fake.runtime.check(&added(&fake, "0.3.1"), &request("web")).unwrap_err());
    assert_eq!(failure.code(), Code::INCOMPATIBLE_VERSION);
    let failure = Failure::from(fake.runtime.check(&parse(&list("1.0.0")), &request("other")).unwrap_err());
    assert_eq!(failure.code(), Code::UNKNOWN_CONTAINER);
    assert!(fake.names().is_empty());
}

#[test]
fn a_list_that_disables_check_is_not_checked() {
    let fake = Fake::new();
    let mut list = list("1.0.0");
    list["disableCheck"] = json!("True");
    fake.runtime.check(&parse(&list), &request("web")).unwrap();
    assert!(fake.names().is_empty());
}
