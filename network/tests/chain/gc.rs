//! GC, STATUS and VERSION through a chain of executables.

use std::time::Duration;

use crate::fake::{Fake, attachment, list, parse, request};
use cni::{Code, Failure, Valid};
use network::Place;
use serde_json::json;

#[test]
fn what_is_not_valid_is_deleted_and_the_plugins_are_told_what_is() {
    let fake = Fake::new();
    let list = parse(&list("1.1.0"));
    for container in ["stays", "goes"] {
        fake.runtime.add(&list, &request(container)).unwrap();
    }
    fake.names();
    let valid: Valid = [attachment("stays"), attachment("also")].into_iter().collect();
    fake.runtime.gc(&list, &valid).unwrap();
    let calls = fake.calls();
    let names: Vec<_> = calls.iter().map(|made| made.call.as_str()).collect();
    assert_eq!(names, ["c DEL", "b DEL", "a DEL", "a GC", "b GC", "c GC"]);
    assert_eq!(calls[0].env["CNI_CONTAINERID"], "goes");
    assert_eq!(calls[0].env["CNI_NETNS"], "/run/netns/blue");
    let told = json!([{"containerID": "also", "ifname": "eth0"}, {"containerID": "stays", "ifname": "eth0"}]);
    assert_eq!(calls[3].stdin["cni.dev/valid-attachments"], told);
    assert_eq!(calls[3].stdin["cni.dev/attachments"], told);
    assert_eq!(fake.cached(), ["net-stays-eth0"]);
}

#[test]
fn versions_without_gc_get_their_dels() {
    let fake = Fake::new();
    let list = parse(&list("0.3.1"));
    fake.runtime.add(&list, &request("goes")).unwrap();
    fake.names();
    fake.runtime.gc(&list, &Valid::default()).unwrap();
    assert_eq!(fake.names(), ["c DEL", "b DEL", "a DEL"]);
}

#[test]
fn other_networks_are_left_alone() {
    let fake = Fake::new();
    let mut other = list("1.1.0");
    other["name"] = json!("net-2");
    fake.runtime.add(&parse(&other), &request("web")).unwrap();
    fake.names();
    fake.runtime.gc(&parse(&list("1.1.0")), &Valid::default()).unwrap();
    assert_eq!(fake.names(), ["a GC", "b GC", "c GC"]);
    assert_eq!(fake.cached(), ["net-2-web-eth0"]);
}

#[test]
fn gc_goes_on_over_errors_and_reports_all() {
    let fake = Fake::new();
    let list = parse(&list("1.1.0"));
    fake.runtime.add(&list, &request("goes")).unwrap();
    fake.names();
    fake.fail("b-DEL", "busy");
    fake.fail("a-GC", "tired");
    let failure = Failure::from(fake.runtime.gc(&list, &Valid::default()).unwrap_err());
    assert_eq!(
        failure.to_string(),
        "remove goes/eth0 from network net: call plugin \"b\": busy; \
         collect garbage of network net: call plugin \"a\": tired"
    );
    assert_eq!(fake.names(), ["c DEL", "b DEL", "a DEL", "a GC", "b GC", "c GC"]);
}

#[test]
fn a_list_that_disables_gc_is_left_alone() {
    let fake = Fake::new();
    let mut list = list("1.1.0");
    list["disableGC"] = json!(true);
    let list = parse(&list);
    fake.runtime.add(&list, &request("web")).unwrap();
    fake.names();
    fake.runtime.gc(&list, &Valid::default()).unwrap();
    assert!(fake.names().is_empty());
}

#[test]
fn a_process_id_that_may_be_anothers_by_now_is_not_passed_on() {
    let fake = Fake::new();
    let list = parse(&list("1.0.0"));
    let mut request = request("goes");
    request.netns = Some("/proc/4242/ns/net".into());
    fake.runtime.add(&list, &request).unwrap();
    fake.names();
    fake.runtime.gc(&list, &Valid::default()).unwrap();
    assert!(fake.calls().iter().all(|made| made.env["CNI_NETNS"].is_empty()));
}

#[test]
fn gc_waits_for_an_add_under_way() {
    let fake = Fake::new();
    fake.slow_down("c-ADD");
    let list = parse(&list("1.1.0"));
    std::thread::scope(|scope| {
        scope.spawn(|| fake.runtime.add(&list, &request("web")).unwrap());
        std::thread::sleep(Duration::from_millis(150));
        fake.runtime.gc(&list, &[attachment("web")].into_iter().collect()).unwrap();
    });
    let names = fake.names();
    assert_eq!(names, ["a ADD", "b ADD", "c ADD", "a GC", "b GC", "c GC"]);
}

#[test]
fn status_stops_at_the_first_that_is_not_ready() {
    let fake = Fake::new();
    fake.fail("b-STATUS", "pool exhausted");
    let failure = Failure::from(fake.runtime.status(&parse(&list("1.1.0"))).unwrap_err());
    assert_eq!(failure.to_string(), "ask for the status of network net: call plugin \"b\": pool exhausted");
    assert_eq!(failure.code(), Code::TRY_AGAIN);
    assert_eq!(fake.names(), ["a STATUS", "b STATUS"]);
    fake.runtime.status(&parse(&list("1.0.0"))).unwrap();
    assert!(fake.names().is_empty());
}

#[test]
fn every_plugin_and_its_ipam_is_asked_for_its_versions() {
    let fake = Fake::new();
    let answer = json!({"cniVersion": "1.1.0", "supportedVersions": ["0.4.0", "9.0.0"]});
    fake.answer("a-VERSION", &answer);
    fake.answer("c-VERSION", &answer);
    let list = json!({"cniVersion": "1.0.0", "name": "net", "plugins": [
        {"type": "a", "ipam": {"type": "c"}}, {"type": "b"}, {"type": "missing"}
    ]});
    let speakers = fake.runtime.versions(&parse(&list));
    let kinds: Vec<_> = speakers.iter().map(|speaker| speaker.kind.as_str()).collect();
    assert_eq!(kinds, ["a", "c", "b", "missing"]);
    assert_eq!(speakers[0].versions.as_ref().unwrap(), &["0.4.0", "9.0.0"]);
    assert!(matches!(&speakers[0].place, Some(Place::File(file)) if file.ends_with("bin/a")));
    assert!(speakers[2].versions.as_ref().unwrap_err().to_string().contains("answered nothing to VERSION"));
    assert!(speakers[3].place.is_none() && speakers[3].versions.is_err());
    assert_eq!(fake.calls()[0].env["CNI_NETNS"], "dummy");
}
