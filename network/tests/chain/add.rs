//! ADD through a chain of executables.

use crate::fake::{Fake, list, parse, request};
use cni::{Args, Code, Failure};
use network::Doing;
use serde_json::{Value, json};

fn answer(address: &str) -> Value {
    json!({"cniVersion": "1.0.0", "ips": [{"address": address}]})
}

#[test]
fn each_plugin_gets_the_result_of_the_one_before() {
    let fake = Fake::new();
    fake.answer("a-ADD", &answer("10.0.0.2/24"));
    fake.answer("b-ADD", &answer("10.0.0.3/24"));
    fake.answer("c-ADD", &answer("10.0.0.4/24"));
    let result = fake.runtime.add(&parse(&list("0.4.0")), &request("web")).unwrap();
    assert_eq!(result.ips[0].address.to_string(), "10.0.0.4/24");
    let calls = fake.calls();
    let names: Vec<_> = calls.iter().map(|made| made.call.as_str()).collect();
    assert_eq!(names, ["a ADD", "b ADD", "c ADD"]);
    assert_eq!(calls[0].stdin, json!({"cniVersion": "0.4.0", "name": "net", "type": "a"}));
    for (made, address) in calls[1..].iter().zip(["10.0.0.2/24", "10.0.0.3/24"]) {
        // In the version of the list, whatever version the plugin answered in.
        let expected =
            json!({"cniVersion": "0.4.0", "ips": [{"version": "4", "address": address}], "dns": {}});
        assert_eq!(made.stdin["prevResult"], expected);
    }
}

#[test]
fn the_variables_say_what_the_request_says() {
    let fake = Fake::new();
    let mut request = request("web");
    request.args = Args::parse("IgnoreUnknown=1;K8S_POD_NAME=web").unwrap();
    request.capability_args.insert("mac".to_owned(), json!("02:00:00:00:00:01"));
    fake.runtime.add(&parse(&list("1.0.0")), &request).unwrap();
    let calls = fake.calls();
    let expected = [
        ("CNI_CONTAINERID", "web"),
        ("CNI_IFNAME", "eth0"),
        ("CNI_NETNS", "/run/netns/blue"),
        ("CNI_ARGS", "IgnoreUnknown=1;K8S_POD_NAME=web"),
        ("CNI_PATH", fake.runtime.path.as_os_str().to_str().unwrap()),
    ];
    for (name, value) in expected {
        assert_eq!(calls[1].env[name], value);
    }
    assert_eq!(calls[1].stdin["runtimeConfig"], json!({"mac": "02:00:00:00:00:01"}));
    assert_eq!(calls[0].stdin.get("runtimeConfig"), None);
}

#[test]
fn the_last_result_is_kept() {
    let fake = Fake::new();
    fake.answer("c-ADD", &answer("10.0.0.4/24"));
    let list = parse(&list("1.0.0"));
    fake.runtime.add(&list, &request("web")).unwrap();
    assert_eq!(fake.cached(), ["net-web-eth0"]);
    let kept = fake.runtime.cache.find(list.name(), &request("web").attachment).unwrap().unwrap();
    assert_eq!(kept.config, list.bytes());
    assert_eq!(kept.result.ips.len(), 1);
    assert_eq!(kept.netns.as_deref(), request("web").netns.as_deref());
}

#[test]
fn a_plugin_that_is_nowhere_is_found_out_before_any_is_called() {
    let fake = Fake::new();
    let list = json!({"cniVersion": "1.0.0", "name": "net", "plugins": [{"type": "a"}, {"type": "missing"}]});
    let failure = Failure::from(fake.runtime.add(&parse(&list), &request("web")).unwrap_err());
    assert!(
        failure.to_string().starts_with("add web/eth0 to network net: find plugin \"missing\""),
        "{failure}"
    );
    assert_eq!(failure.code(), Code::INVALID_CONFIG);
    assert!(fake.names().is_empty() && fake.cached().is_empty());
}

#[test]
fn a_failure_takes_the_whole_chain_back_last_to_first() {
    let fake = Fake::new();
    fake.answer("a-ADD", &answer("10.0.0.2/24"));
    fake.fail("b-ADD", "no room");
    let failure = Failure::from(fake.runtime.add(&parse(&list("1.0.0")), &request("web")).unwrap_err());
    assert_eq!(failure.to_string(), "add web/eth0 to network net: call plugin \"b\": no room");
    assert_eq!((failure.code(), failure.hint().as_deref()), (Code::TRY_AGAIN, Some("a way out")));
    let calls = fake.calls();
    let names: Vec<_> = calls.iter().map(|made| made.call.as_str()).collect();
    assert_eq!(names, ["a ADD", "b ADD", "c DEL", "b DEL", "a DEL"]);
    assert_eq!(calls[4].stdin["prevResult"]["ips"][0]["address"], "10.0.0.2/24");
    assert!(fake.cached().is_empty());
}

#[test]
fn what_cannot_be_taken_back_is_reported_after_the_cause() {
    let fake = Fake::new();
    fake.fail("b-ADD", "no room");
    fake.fail("a-DEL", "busy");
    // The second refuses its DEL as it refused its ADD, the third was never called: neither left anything.
    fake.fail("b-DEL", "no room");
    fake.fail("c-DEL", "what container?");
    let errors = fake.runtime.add(&parse(&list("1.0.0")), &request("web")).unwrap_err();
    assert_eq!(errors.iter().map(|error| error.doing).collect::<Vec<_>>(), [Doing::Add, Doing::TakeBack]);
    assert_eq!(
        Failure::from(errors).to_string(),
        "add web/eth0 to network net: call plugin \"b\": no room; \
         take back web/eth0 from network net: call plugin \"a\": busy"
    );
}

#[test]
fn an_add_that_cannot_be_kept_is_taken_back() {
    let fake = Fake::new();
    std::fs::create_dir_all(fake.runtime.cache.folder().join(".net-web-eth0")).unwrap();
    let errors = fake.runtime.add(&parse(&list("1.0.0")), &request("web")).unwrap_err();
    assert!(errors.iter().next().unwrap().to_string().starts_with("add web/eth0"));
    assert_eq!(fake.names(), ["a ADD", "b ADD", "c ADD", "c DEL", "b DEL", "a DEL"]);
}

#[test]
fn a_result_that_the_version_cannot_say_is_taken_back() {
    let fake = Fake::new();
    let list = json!({"cniVersion": "0.2.0", "name": "net", "plugins": [{"type": "a"}]});
    let failure = Failure::from(fake.runtime.add(&parse(&list), &request("web")).unwrap_err());
    assert_eq!(failure.code(), Code::INCOMPATIBLE_VERSION);
    assert_eq!(fake.names(), ["a ADD", "a DEL"]);
}

#[test]
fn a_second_add_is_refused_and_harms_nothing() {
    let fake = Fake::new();
    let list = parse(&list("1.0.0"));
    fake.runtime.add(&list, &request("web")).unwrap();
    fake.names();
    let failure = Failure::from(fake.runtime.add(&list, &request("web")).unwrap_err());
    assert_eq!(failure.to_string(), "add web/eth0 to network net: it is attached already");
    assert!(fake.names().is_empty());
    assert_eq!(fake.cached(), ["net-web-eth0"]);
}

#[test]
fn a_torn_file_does_not_stand_in_the_way() {
    let fake = Fake::new();
    let list = parse(&list("1.0.0"));
    fake.runtime.add(&list, &request("web")).unwrap();
    std::fs::write(fake.runtime.cache.folder().join("net-web-eth0"), "").unwrap();
    fake.runtime.add(&list, &request("web")).unwrap();
}

#[test]
fn without_a_namespace_nothing_is_called() {
    let fake = Fake::new();
    let mut request = request("web");
    request.netns = None;
    let failure = Failure::from(fake.runtime.add(&parse(&list("1.0.0")), &request).unwrap_err());
    assert_eq!(failure.code(), Code::INVALID_ENVIRONMENT);
    assert!(fake.names().is_empty());
}
