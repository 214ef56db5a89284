//! Folders of files, good and broken.

use cni::Failure;

use super::*;
use crate::scratch::Scratch;

fn list(name: &str, kind: &str) -> String {
    format!(r#"{{"cniVersion":"1.0.0","name":"{name}","plugins":[{{"type":"{kind}"}}]}}"#)
}

fn kinds(list: &List) -> Vec<&str> {
    list.plugins().iter().map(PluginConfig::kind).collect()
}

#[test]
fn the_first_file_by_name_has_the_network_and_lists_come_before_single_plugins() {
    let scratch = Scratch::new();
    scratch.write("10-a.conf", r#"{"name":"net","type":"single"}"#);
    scratch.write("20-b.conflist", list("net", "second"));
    scratch.write("15-b.conflist", list("net", "first"));
    scratch.write("12-b.conflist", list("other", "other"));
    scratch.write("11-b.txt", list("net", "text"));
    let folder = Folder::new(scratch.path());
    assert_eq!(kinds(&folder.find("net").unwrap()), ["first"]);
    let names: Vec<_> =
        folder.lists().unwrap().into_iter().map(|list| list.unwrap().name().to_string()).collect();
    assert_eq!(names, ["other", "net", "net", "net"]);
}

#[test]
fn single_plugins_and_lists_by_another_name_are_read() {
    let scratch = Scratch::new();
    scratch.write("1.conf", r#"{"name":"conf","type":"a"}"#);
    scratch.write("2.json", r#"{"name":"json","type":"b"}"#);
    scratch.write("3.json", list("list", "c"));
    let folder = Folder::new(scratch.path());
    for (name, kind) in [("conf", "a"), ("json", "b"), ("list", "c")] {
        assert_eq!(kinds(&folder.find(name).unwrap()), [kind]);
    }
}

#[test]
fn a_broken_file_hides_no_other_and_is_told_of_when_nothing_is_found() {
    let scratch = Scratch::new();
    scratch.write("00-broken.conflist", "{");
    scratch.write("01-wrong.conflist", list("wrong", ""));
    scratch.write("02-good.conflist", list("good", "bridge"));
    let folder = Folder::new(scratch.path());
    assert_eq!(kinds(&folder.find("good").unwrap()), ["bridge"]);
    let failure = Failure::from(folder.find("wrong").unwrap_err());
    let text = failure.to_string();
    assert!(text.contains("find network \"wrong\" in "), "{text}");
    assert!(text.contains("00-broken.conflist: decode network configuration list: EOF"), "{text}");
    assert!(
        text.contains("01-wrong.conflist: decode network configuration list: plugins[0].type: missing"),
        "{text}"
    );
    assert_eq!(failure.hint().as_deref(), Some("the networks there are good"));
}

#[test]
fn a_file_that_has_gone_meanwhile_is_none_and_a_link_that_leads_nowhere_is_one() {
    let scratch = Scratch::new();
    let link = scratch.write("link.conflist", list("net", "bridge"));
    std::fs::remove_file(&link).unwrap();
    assert!(List::from_file(&link).unwrap_err().is_gone());
    std::os::unix::fs::symlink("/nonexistent", &link).unwrap();
    assert!(!List::from_file(&link).unwrap_err().is_gone());
    assert!(!List::from_file(&scratch.write("broken.conflist", "{")).unwrap_err().is_gone());
}

#[test]
fn without_a_folder_there_is_no_network() {
    let failure = Failure::from(Folder::new("/nonexistent/net.d").find("a").unwrap_err());
    assert_eq!(failure.to_string(), "find network \"a\" in /nonexistent/net.d");
    assert_eq!(failure.hint().as_deref(), Some("there is no network in /nonexistent/net.d"));
}

#[test]
fn the_plugins_of_its_folder_are_appended_by_name() {
    let scratch = Scratch::new();
    let file = scratch.write("net.conflist", list("net", "inline"));
    scratch.write("net/20-b.conf", r#"{"type":"b"}"#);
    scratch.write("net/10-a.conf", r#"{"type":"a"}"#);
    scratch.write("net/30-c.conflist", r#"{"type":"c"}"#);
    assert_eq!(kinds(&List::from_file(&file).unwrap()), ["inline", "a", "b"]);
    let only = r#"{"name":"net","loadOnlyInlinedPlugins":"true","plugins":[{"type":"inline"}]}"#;
    assert_eq!(kinds(&List::from_file(&scratch.write("only.conflist", only)).unwrap()), ["inline"]);
    let folder_alone = scratch.write("alone.conflist", r#"{"name":"net"}"#);
    assert_eq!(kinds(&List::from_file(&folder_alone).unwrap()), ["a", "b"]);
}

#[test]
fn a_broken_plugin_of_the_folder_is_named_by_its_file() {
    let scratch = Scratch::new();
    let file = scratch.write("net.conflist", r#"{"name":"net"}"#);
    let failure = Failure::from(List::from_file(&file).unwrap_err());
    assert!(failure.to_string().ends_with("plugins: none in the list, none in its folder"), "{failure}");
    assert!(failure.hint().is_some());
    scratch.write("net/10-a.conf", r#"{"type":1}"#);
    let text = Failure::from(List::from_file(&file).unwrap_err()).to_string();
    assert!(text.contains("net/10-a.conf: decode network configuration list: type: invalid type"), "{text}");
    scratch.write("net/10-a.conf", "");
    assert!(Failure::from(List::from_file(&file).unwrap_err()).to_string().contains("10-a.conf"));
}
