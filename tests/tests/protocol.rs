//! The environment and stdin of a call: what is missing or wrong is named, and what is odd but allowed works.

use lab::Place;
use serde_json::{Value, json};
use tests::folder::OURS;
use tests::{Allowed, Before, Call, PluginFolder, Stage, Test, config, facts};

/// A call in which everything is right but what the test changes.
fn complete<'a>(stage: &'a Stage, plugin: &str) -> Call<'a> {
    let call = stage.call(plugin, &config::v4());
    call.id("c1").netns("/run/netns/c1").interface("eth0")
}

#[test]
fn a_plugin_called_by_hand_says_what_it_is() -> Test {
    let stage = Stage::new("hand")?;
    for plugin in OURS {
        for call in [stage.call(plugin, &Value::Null).stdin(""), complete(&stage, plugin)] {
            let answer = call.run("");
            answer.done()?;
            let said = answer.outcome().stderr();
            for text in [plugin, "CNI", "0.1.0", "0.4.0", "1.1.0"] {
                assert!(said.contains(text), "{plugin} says {text}: {said}");
            }
        }
    }
    Ok(())
}

#[test]
fn the_executable_under_its_own_name_lists_its_plugins() -> Test {
    let stage = Stage::new("own-name")?;
    let program = tests::programs::find("netctl-cni")?;
    let outcome = stage.host().run([&program]);
    assert!(outcome.succeeded() && outcome.stdout().is_empty(), "{outcome}");
    for plugin in OURS {
        assert!(outcome.stderr().contains(plugin), "{outcome}");
    }
    stage.plugins().link("no-such-plugin")?;
    let outcome = stage.host().run([stage.plugins().file("no-such-plugin")]).refused()?;
    assert!(outcome.stderr().contains("no-such-plugin"), "{outcome}");
    Ok(())
}

#[test]
fn every_missing_variable_is_named_at_once() -> Test {
    let stage = Stage::new("missing")?;
    let all = ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"];
    let of_del = ["CNI_CONTAINERID", "CNI_IFNAME", "CNI_PATH"];
    let of_network = ["CNI_PATH"];
    let needed = [
        ("ADD", &all[..]),
        ("CHECK", &all[..]),
        ("DEL", &of_del[..]),
        ("GC", &of_network[..]),
        ("STATUS", &of_network[..]),
    ];
    for plugin in OURS {
        for (verb, needed) in needed {
            let none = all.iter().fold(complete(&stage, plugin), |call, name| call.without(name));
            none.run(verb).error(4, needed)?;
            let empty = needed.iter().fold(complete(&stage, plugin), |call, name| call.env(name, ""));
            empty.run(verb).error(4, needed)?;
            for name in needed {
                let text = complete(&stage, plugin).without(name).run(verb).error(4, &[name])?;
                let others = needed.iter().filter(|other| *other != name);
                assert!(others.clone().all(|other| !text.contains(other)), "{text}");
            }
        }
    }
    Ok(())
}

#[test]
fn an_unknown_verb_is_named() -> Test {
    let stage = Stage::new("verbs")?;
    for plugin in OURS {
        for verb in ["add", "Add", "REMOVE", "ADD "] {
            complete(&stage, plugin).run(verb).error(4, &["CNI_COMMAND", &format!("{verb:?}")])?;
        }
    }
    Ok(())
}

#[test]
fn a_bad_container_id_is_named() -> Test {
    let stage = Stage::new("ids")?;
    let long = "x".repeat(256);
    for plugin in OURS {
        for id in ["-c", "_c", ".", "..", "a/b", "../../etc/x", "a b", "a\nb", "é", "a\u{1}", &long] {
            for verb in ["ADD", "DEL", "CHECK"] {
                let quoted = format!("{id:?}");
                complete(&stage, plugin).id(id).run(verb).error(4, &["CNI_CONTAINERID", &quoted])?;
            }
        }
    }
    Ok(())
}

#[test]
fn a_bad_interface_name_is_named() -> Test {
    let stage = Stage::new("interfaces")?;
    for plugin in OURS {
        for name in [".", "..", "a/b", "a:b", "a b", "a\tb", "sixteen-letters-", "../x"] {
            for verb in ["ADD", "DEL", "CHECK"] {
                let quoted = format!("{name:?}");
                complete(&stage, plugin).interface(name).run(verb).error(4, &["CNI_IFNAME", &quoted])?;
            }
        }
    }
    Ok(())
}

#[test]
fn a_document_that_is_none_is_refused_with_its_code() -> Test {
    let stage = Stage::new("documents")?;
    let documents: [(&str, u64, &[&str]); 12] = [
        ("", 6, &["decode"]),
        ("nonsense", 6, &["decode"]),
        ("{", 6, &["decode"]),
        ("[]", 6, &["object"]),
        ("null", 6, &["object"]),
        ("\"text\"", 6, &["object"]),
        (r#"{"cniVersion":"1.1.0","name":1}"#, 6, &["name"]),
        (r#"{"cniVersion":1,"name":"net"}"#, 6, &["cniVersion"]),
        (r#"{"cniVersion":"1.1.0"}"#, 7, &["name"]),
        (r#"{"cniVersion":"1.1.0","name":""}"#, 7, &["name"]),
        (r#"{"cniVersion":"1.1.0","name":"../net"}"#, 7, &["name", "../net"]),
        (r#"{"cniVersion":"1.1.0","name":"-net"}"#, 7, &["name", "-net"]),
    ];
    for plugin in OURS {
        for (document, code, words) in documents {
            for verb in ["ADD", "DEL", "CHECK", "GC", "STATUS"] {
                complete(&stage, plugin).stdin(document).run(verb).error(code, words)?;
            }
        }
    }
    Ok(())
}

#[test]
fn args_without_ignore_unknown_must_be_known() -> Test {
    let stage = Stage::new("args")?;
    let container = stage.container("c1")?;
    let call = stage.call("bridge", &config::v4()).of(&container);
    for (args, word) in
        [("FOO=1", "FOO"), ("IP", "IP"), ("A=b=c;IgnoreUnknown=1", "A=b=c"), ("FOO=1;IgnoreUnknown=0", "FOO")]
    {
        call.clone().args(args).add().error(4, &["CNI_ARGS", word])?;
    }
    for args in ["IgnoreUnknown=1;K8S_POD_NAME=web", "K8S_POD_NAME=web;IgnoreUnknown=true", ";;", ""] {
        let call = call.clone().args(args);
        let result = call.add().result()?;
        call.after(&result).del().done()?;
    }
    Ok(())
}

#[test]
fn plugins_are_found_along_the_path() -> Test {
    let stage = Stage::new("paths")?;
    let container = stage.container("c1")?;
    let own = stage.plugins().path().display().to_string();
    let other = PluginFolder::empty()?;
    let broken = PluginFolder::empty()?;
    broken.script("host-local", "exit 1")?;
    let (empty, broken) = (other.path().display(), broken.path().display());
    let call = stage.call("bridge", &config::v4()).of(&container);
    let good = [
        format!("{own}/"),
        format!("{own}//"),
        format!("/nowhere:{own}"),
        format!("{empty}/:{own}/"),
        format!(":{own}:"),
        format!("{own}:{broken}"),
        format!("/etc/passwd:{own}"),
    ];
    for path in &good {
        let call = call.clone().env("CNI_PATH", path);
        call.add().result()?;
        call.del().done()?;
    }
    call.clone().env("CNI_PATH", &format!("{broken}:{own}")).add().any_error()?;
    for path in ["/nowhere", &empty.to_string()] {
        let answer = call.clone().env("CNI_PATH", path).add();
        answer.error(7, &["host-local", path])?;
    }
    assert_eq!(facts::links(&container)?, ["lo"]);
    Ok(())
}

#[test]
fn the_answer_of_a_foreign_ipam_plugin_is_read_as_the_protocol_has_it() -> Test {
    let plugins = PluginFolder::empty()?;
    plugins.link("bridge")?;
    plugins.script("chatty", r#"echo "a warning" >&2; echo '{"ips":[{"address":"10.1.0.9/24"}]}'"#)?;
    plugins.script("silent", "exit 0")?;
    plugins.script("dead", "echo half an answ; exit 3")?;
    plugins.script("killed", "kill -9 $$")?;
    plugins.script("garbage", "echo '{\"ips\": 7}'")?;
    plugins.script("empty", "echo '{\"cniVersion\":\"1.1.0\"}'")?;
    plugins.script("refusing", r#"echo '{"code":117,"msg":"no room on deck","details":"swim"}'; exit 1"#)?;
    let stage = Stage::with("foreign", plugins)?;
    let container = stage.container("c1")?;
    let before = Before::of(&stage)?;
    let call = |ipam: &str| {
        let config = config::with(config::v4(), json!({"ipam": {"type": ipam}}));
        stage.call("bridge", &config).of(&container)
    };
    let answer = call("chatty").add();
    assert_eq!(answer.result()?["ips"][0]["address"], "10.1.0.9/24");
    assert!(answer.outcome().stderr().contains("a warning"), "stderr is handed through");
    // This one answers DEL with a result, too, which nobody asked for.
    call("chatty").del().done()?;
    call("refusing").add().error(117, &["no room on deck", "swim"])?;
    for (ipam, words) in [
        ("silent", &["silent"][..]),
        ("dead", &["dead", "half an answ"]),
        ("killed", &["killed"]),
        ("garbage", &["garbage", "ips"]),
        ("empty", &["empty"]),
        ("not-there", &["not-there", "plugin-folders"]),
        ("../bridge", &["../bridge"]),
    ] {
        let text = call(ipam).add().any_error()?;
        assert!(words.iter().all(|word| text.contains(word)), "{ipam}: {text}");
        assert_eq!(facts::links(&container)?, ["lo"], "{ipam}");
    }
    assert_eq!(before.changes(Allowed::Network(config::BRIDGE))?, Vec::<String>::new());
    Ok(())
}

#[test]
fn a_namespace_that_is_none_is_named_and_nothing_is_touched() -> Test {
    let stage = Stage::new("namespaces")?;
    stage.host().write_file("/run/netns/file", "no namespace")?;
    let before = Before::of(&stage)?;
    for plugin in ["bridge", "none", "loopback"] {
        for path in ["/run/netns/not-there", "/run/netns/file", "/run/netns", "/proc/self/ns/mnt", "relative"]
        {
            let call = stage.call(plugin, &config::with(config::v4(), json!({"type": plugin})));
            let text = call.id("c1").interface("eth0").netns(path).add().any_error()?;
            assert!(text.contains(path), "{plugin}: {text}");
        }
    }
    assert_eq!(before.changes(Allowed::Books)?, Vec::<String>::new());
    Ok(())
}

#[test]
fn the_hosts_own_namespace_is_refused_before_anything_is_done() -> Test {
    let stage = Stage::new("own-namespace")?;
    let before = Before::of(&stage)?;
    for plugin in ["bridge", "none"] {
        let call = stage.call(plugin, &config::with(config::v4(), json!({"type": plugin})));
        let call = call.id("c1").interface("eth0");
        for path in ["/proc/self/ns/net", "/proc/1/ns/net"] {
            call.clone().netns(path).add().error(8, &["CNI_NETNS"])?;
        }
    }
    assert_eq!(before.changes(Allowed::Books)?, Vec::<String>::new());
    let call = stage.call("bridge", &config::v4()).id("c1").interface("eth0").netns("/proc/1/ns/net");
    for override_ in ["1", "true", "TRUE"] {
        let call = call.clone().env("CNI_NETNS_OVERRIDE", override_);
        let result = call.add().result()?;
        assert_eq!(facts::addresses(stage.host(), "eth0")?, [facts::plain(&result["ips"][0]["address"])]);
        call.after(&result).del().done()?;
        assert!(!facts::links(stage.host())?.contains(&"eth0".to_owned()));
    }
    Ok(())
}

#[test]
fn keys_are_read_without_regard_to_case_and_null_is_not_given() -> Test {
    let stage = Stage::new("spelling")?;
    let container = stage.container("c1")?;
    let text = r#"{"CNIVersion":"1.0.0","Name":"net","TYPE":"bridge","Bridge":"br7","ISGATEWAY":true,"mtu":null,
        "vlan":null,"RuntimeConfig":{"MAC":"02:00:00:00:00:07"},"unknown":{"key":[]},
        "IPAM":{"Type":"host-local","Ranges":[[{"Subnet":"10.7.0.0/24","RANGEEND":"10.7.0.9"}]],"routes":null}}"#;
    let result = stage.call("bridge", &Value::Null).stdin(text).of(&container).add().result()?;
    assert_eq!(result["interfaces"][0]["name"], "br7");
    assert_eq!(result["interfaces"][2]["mac"], "02:00:00:00:00:07");
    assert_eq!(result["ips"][0]["gateway"], "10.7.0.1");
    Ok(())
}
