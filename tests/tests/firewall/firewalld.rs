//! Hosts where firewalld is in charge: a real one, on a bus of the host's own.

use crate::scene::{Attached, IN_VAIN, POLICY, STRICT, WITHIN, notes, reaches, socket};
use lab::traffic::{Transport, ask, serve};
use lab::{Background, Neighbour, Place, daemons, tools};
use serde_json::{Value, json};
use std::error::Error;
use tests::config::{dual, portmap, with};
use tests::facts::ruleset;
use tests::{Allowed, Before, Chain, Stage, Test, programs};

/// A host where firewalld drops what is forwarded, and somebody outside who answers.
struct Guarded {
    firewalld: Background,
    _bus: Background,
    _servers: Vec<Background>,
    outside: Neighbour,
    stage: Stage,
}

impl Guarded {
    /// Nothing, if this machine has no firewalld to try.
    fn new(name: &str) -> Result<Option<Self>, Box<dyn Error>> {
        for program in ["dbus-daemon", "firewalld"] {
            if tools::require(program).is_none() {
                return Ok(None);
            }
        }
        let stage = Stage::new(name)?;
        let outside = Neighbour::of(stage.host(), "outside")?;
        let servers = [outside.v4(), outside.v6()].map(|to| serve(&outside, Transport::Udp, socket(to)));
        let servers = servers.into_iter().collect::<Result<_, _>>()?;
        let bus = daemons::bus(stage.host())?;
        let firewalld = daemons::firewalld(stage.host())?;
        Ok(Some(Self { firewalld, _bus: bus, _servers: servers, outside, stage }))
    }

    fn command(&self, words: &str) -> Result<String, Box<dyn Error>> {
        Ok(self.stage.host().sh(&format!("firewall-cmd {words}")).ok()?.trim().to_owned())
    }

    /// What a zone takes packets from, in the order of the alphabet.
    fn sources(&self, zone: &str) -> Result<Vec<String>, Box<dyn Error>> {
        let said = self.command(&format!("--zone={zone} --list-sources"))?;
        let mut sources: Vec<String> = said.split_whitespace().map(str::to_owned).collect();
        sources.sort();
        Ok(sources)
    }

    fn reaches_outside(&self, from: &Attached<'_>) -> bool {
        [self.outside.v4(), self.outside.v6()].iter().all(|to| reaches(&from.container, *to, WITHIN))
    }

    fn netctl(&self, words: &str) -> Result<lab::Outcome, Box<dyn Error>> {
        let call = lab::Call::new([programs::find("netctl")?]);
        Ok(words.split(' ').fold(call, lab::Call::arg).run(self.stage.host()))
    }
}

#[test]
fn the_way_is_open_after_add_and_only_the_own_sources_go_with_del() -> Test {
    let Some(site) = Guarded::new("guarded")? else { return Ok(()) };
    site.command("--zone=trusted --add-source=10.77.0.0/24")?;
    for backend in ["", "firewalld"] {
        let more = json!({"backend": backend});
        let web = Attached::by_bridge(&site.stage, &format!("web{backend}"), more.clone())?;
        let other = Attached::by_bridge(&site.stage, &format!("other{backend}"), more)?;
        let before = Before::of(&site.stage)?;
        assert!(!reaches(&web.container, site.outside.v4(), IN_VAIN), "{backend}: before ADD");
        for attached in [&web, &other] {
            attached.call().add().result()?;
            attached.call().check().done()?;
            attached.call().status().done()?;
            assert!(site.reaches_outside(attached), "{backend}");
        }
        // A second ADD finds everything there.
        web.call().add().result()?;
        web.call().del().done()?;
        let [v4, v6] = [0, 1].map(|family| other.address(family));
        let expected = [format!("{v4}/32"), "10.77.0.0/24".to_owned(), format!("{v6}/128")];
        assert_eq!(site.sources("trusted")?, expected, "{backend}");
        assert!(!reaches(&web.container, site.outside.v4(), IN_VAIN), "{backend}: after DEL");
        assert!(site.reaches_outside(&other), "{backend}");
        web.call().del().done()?;
        other.call().without("CNI_NETNS").with("prevResult", Value::Null).del().done()?;
        assert_eq!(site.sources("trusted")?, ["10.77.0.0/24"]);
        assert_eq!(notes(&site.stage)?, "");
        assert_eq!(before.changes(Allowed::Books)?, Vec::<String>::new(), "{backend}");
    }
    Ok(())
}

#[test]
fn gc_takes_the_sources_of_those_who_are_not_valid_and_no_others() -> Test {
    let Some(site) = Guarded::new("guarded")? else { return Ok(()) };
    site.command("--zone=work --add-source=10.77.0.0/24")?;
    let more = json!({"firewalldZone": "work"});
    let kept = Attached::by_bridge(&site.stage, "kept", more.clone())?;
    let lost = Attached::by_bridge(&site.stage, "lost", more)?;
    for attached in [&kept, &lost] {
        attached.call().add().result()?;
    }
    site.stage.call("firewall", &kept.config).gc(&[&kept.container]).done()?;
    assert_eq!(site.sources("work")?, ["10.1.0.2/32", "10.77.0.0/24", "fd00:1::2/128"]);
    kept.call().check().done()?;
    site.stage.call("firewall", &kept.config).gc(&[]).done()?;
    assert_eq!(site.sources("work")?, ["10.77.0.0/24"]);
    assert_eq!(notes(&site.stage)?, "");
    Ok(())
}

#[test]
fn what_a_reload_of_firewalld_took_is_named_and_put_back() -> Test {
    let Some(site) = Guarded::new("guarded")? else { return Ok(()) };
    let keys = json!({"ipMasq": true, "name": null, "cniVersion": null});
    let list = json!({
        "cniVersion": "1.1.0", "name": "net",
        "plugins": [with(dual(), keys), {"type": "firewall", "ingressPolicy": "same-bridge"}],
    });
    site.stage.host().write_file("/etc/cni/net.d/87-net.conflist", list.to_string())?;
    let web = site.stage.container("web")?;
    site.netctl("cni add net web")?.ok()?;
    assert!(reaches(&web, site.outside.v4(), WITHIN));
    site.command("--reload")?;
    assert_eq!(site.sources("trusted")?, Vec::<String>::new());
    assert!(!reaches(&web, site.outside.v4(), IN_VAIN));
    let said = site.netctl("cni check net web")?;
    let expected = ["zone trusted of firewalld", "it lacks the source 10.1.0.2", "netctl reload"];
    assert!(!said.succeeded() && expected.iter().all(|text| said.to_string().contains(text)), "{said}");
    for _ in 0..2 {
        site.netctl("reload")?.ok()?;
        site.netctl("cni check net web")?.ok()?;
        for to in [site.outside.v4(), site.outside.v6()] {
            assert!(reaches(&web, to, WITHIN), "{to}");
        }
    }
    site.netctl("cni del net web")?.ok()?;
    assert_eq!((site.sources("trusted")?, notes(&site.stage)?), (Vec::new(), String::new()));
    Ok(())
}

#[test]
fn a_published_port_is_reached_from_outside() -> Test {
    let Some(site) = Guarded::new("guarded")? else { return Ok(()) };
    for backend in ["", "firewalld"] {
        for ports in ["nftables", "iptables"] {
            let name = format!("{ports}-{}", if backend.is_empty() { "auto" } else { backend });
            let web = site.stage.container(&name)?;
            let configs = [
                with(dual(), json!({"ipMasq": true})),
                with(portmap(&["8080:7000/udp", "8080:7000/tcp"]), json!({"backend": ports})),
                json!({"cniVersion": "1.1.0", "name": "net", "type": "firewall", "backend": backend}),
            ];
            let chain = Chain::new(&site.stage, &configs, &web);
            let result = chain.add()?;
            chain.check(&result)?;
            for transport in [Transport::Udp, Transport::Tcp] {
                // It hears both address families.
                let _server = serve(&web, transport, "[::]:7000".parse()?)?;
                for to in [site.outside.host_v4(), site.outside.host_v6()] {
                    let to = std::net::SocketAddr::new(to, 8080);
                    let answer = ask(&site.outside, transport, to, WITHIN);
                    assert!(answer.is_ok(), "{name}: {transport:?} {to}: {answer:?}");
                }
            }
            chain.del(Some(&result))?;
        }
    }
    assert_eq!(site.sources("trusted")?, Vec::<String>::new());
    Ok(())
}

#[test]
fn a_zone_that_cannot_be_is_named_with_the_way_out() -> Test {
    let Some(site) = Guarded::new("guarded")? else { return Ok(()) };
    for backend in ["", "firewalld"] {
        let nowhere = json!({"backend": backend, "firewalldZone": "nowhere"});
        let nowhere = Attached::by_bridge(&site.stage, &format!("nowhere{backend}"), nowhere)?;
        nowhere.call().add().error(7, &["no zone", "nowhere", "trusted", "--new-zone=nowhere"])?;
        nowhere.call().status().error(50, &["no zone", "nowhere"])?;
        let web = Attached::by_bridge(&site.stage, &format!("web{backend}"), json!({"backend": backend}))?;
        let address = web.address(0);
        site.command(&format!("--zone=work --add-source={address}/32"))?;
        let way_out = format!("--zone=work --remove-source={address}");
        web.call().add().error(999, &["trusted", "it is in zone", "work", &way_out])?;
        assert_eq!(notes(&site.stage)?, "");
        assert_eq!(site.sources("trusted")?, Vec::<String>::new());
        assert_eq!(site.sources("work")?, [format!("{address}/32")]);
        site.command(&format!("--zone=work --remove-source={address}/32"))?;
    }
    Ok(())
}

#[test]
fn a_firewalld_that_has_died_has_nothing_left_to_close() -> Test {
    let Some(site) = Guarded::new("guarded")? else { return Ok(()) };
    let Guarded { firewalld, stage, .. } = site;
    let web = Attached::by_bridge(&stage, "web", json!({}))?;
    let named = Attached::by_bridge(&stage, "named", json!({"backend": "firewalld"}))?;
    for attached in [&web, &named] {
        attached.call().add().result()?;
    }
    let _said = firewalld.stop();
    daemons::wait_for_firewalld(stage.host(), false)?;
    named.call().check().error(999, &["ask firewalld"])?;
    for attached in [&web, &named] {
        for _ in 0..2 {
            attached.call().del().done()?;
        }
    }
    assert_eq!(notes(&stage)?, "");
    Ok(())
}

#[test]
fn whoever_else_drops_lets_pass_too_where_nobody_is_named() -> Test {
    for drops in [POLICY, STRICT] {
        let Some(site) = Guarded::new("guarded")? else { return Ok(()) };
        site.stage.host().sh(drops).ok()?;
        let named = Attached::by_bridge(&site.stage, "named", json!({"backend": "firewalld"}))?;
        named.call().add().result()?;
        assert!(!reaches(&named.container, site.outside.v4(), IN_VAIN), "{drops}: firewalld alone is meant");
        let web = Attached::by_bridge(&site.stage, "web", json!({}))?;
        let before = ruleset(site.stage.host())?;
        web.call().add().result()?;
        assert!(site.reaches_outside(&web), "{drops}");
        web.call().check().done()?;
        web.call().del().done()?;
        let left = ruleset(site.stage.host())?;
        assert_eq!(left.contains("10.1.0.3"), before.contains("10.1.0.3"), "{left}");
        assert!(!left.contains("netctl_forward"), "{left}");
    }
    Ok(())
}

#[test]
fn to_find_no_firewalld_takes_two_attempts_to_connect() -> Test {
    let Some(_) = tools::require("strace") else { return Ok(()) };
    let stage = Stage::new("unguarded")?;
    stage.host().sh(STRICT).ok()?;
    let web = Attached::by_bridge(&stage, "web", json!({}))?;
    let strace = ["strace", "-f", "-e", "trace=socket,connect,poll,ppoll,nanosleep"];
    let outcome = web.call().command("ADD").under(strace).run(stage.host());
    assert!(outcome.succeeded(), "{outcome}");
    let of_bus = outcome.stderr().lines().filter(|line| line.contains("AF_UNIX"));
    let (sockets, connects): (Vec<_>, Vec<_>) = of_bus.partition(|line| line.contains("socket("));
    assert_eq!((sockets.len(), connects.len()), (2, 2), "{outcome}");
    assert!(connects.iter().all(|line| line.contains("ENOENT")), "{connects:?}");
    Ok(())
}
