//! A bridge and its IPAM plugin: in process, executed, and from different houses.

use lab::Place;
use serde_json::{Value, json};
use tests::config::{BRIDGE, dual, host_local, in_version, v4, with};
use tests::facts::{addresses, pings, plain};
use tests::{Allowed, Before, Container, PluginFolder, Stage, Surprise, Test, programs};

/// Our bridge with our IPAM plugins as other files than itself: they have to be executed.
fn executed() -> Result<PluginFolder, tests::folder::Error> {
    let plugins = PluginFolder::empty()?;
    plugins.link("bridge")?;
    plugins.copy("host-local")?;
    plugins.copy("static")?;
    Ok(plugins)
}

/// Our bridge, the reference's IPAM plugin; or the other way round.
fn mixed(ours: &str, theirs: &str) -> Result<Option<PluginFolder>, tests::folder::Error> {
    if programs::reference(theirs).is_none() {
        return Ok(None);
    }
    let plugins = PluginFolder::empty()?;
    plugins.link(ours)?;
    plugins.reference(theirs)?;
    Ok(Some(plugins))
}

fn configurations() -> Vec<Value> {
    let ipam = |ipam: Value| with(v4(), json!({ "ipam": ipam }));
    vec![
        v4(),
        with(dual(), json!({"ipMasq": true, "isDefaultGateway": true, "hairpinMode": true})),
        in_version(dual(), "0.2.0"),
        in_version(v4(), "0.4.0"),
        ipam(json!({"type": "static", "addresses": [{"address": "10.1.0.50/24", "gateway": "10.1.0.1"}]})),
        ipam(
            json!({"type": "host-local", "subnet": "10.1.0.0/24", "dataDir": "/run/leases", "resolvConf": "/etc/own.conf"}),
        ),
        with(v4(), json!({"ipam": null, "bip": "10.1.0.5/24", "fixed-cidr-v6": "fd00:1::/64"})),
        // Each of these fails.
        ipam(json!({"type": "host-local", "ranges": [[{"subnet": "10.1.0.0/31"}]]})),
        ipam(json!({"type": "host-local", "ranges": [[{"subnet": "ten"}]]})),
        ipam(json!({"type": "host-local"})),
        ipam(json!({"type": "static", "addresses": [{"address": "10.1.0.50"}]})),
        with(v4(), json!({"runtimeConfig": {"ips": ["10.1.0.1"]}})),
    ]
}

/// What every verb of a life answers.
fn life(stage: &Stage, config: &Value, container: &Container) -> Result<Vec<String>, Surprise> {
    let call = stage.call("bridge", config).of(container).args("K8S_POD_NAME=web;IgnoreUnknown=1");
    let added = call.add();
    let mut said = vec![without_chance(added.outcome().stdout())];
    let call = match added.result() {
        Ok(result) => call.after(&result),
        Err(_) => call,
    };
    for verb in ["CHECK", "STATUS", "DEL", "DEL", "CHECK", "STATUS"] {
        let answer = call.run(verb);
        said.push(format!(
            "{verb} {:?} {}",
            answer.outcome().code(),
            without_chance(answer.outcome().stdout())
        ));
    }
    let answer = call.gc(&[container]);
    said.push(format!("GC {:?} {}", answer.outcome().code(), answer.outcome().stdout()));
    Ok(said)
}

/// The link-layer address of a bridge is chance.
fn without_chance(text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(mut document) => {
            if let Some(mac) = document.pointer_mut("/interfaces/0/mac") {
                mac.take();
            }
            document.to_string()
        }
        Err(_) => text.to_owned(),
    }
}

#[test]
fn an_executed_delegate_answers_like_one_in_process() -> Test {
    let lives = |plugins: PluginFolder| -> Result<Vec<Vec<String>>, Box<dyn std::error::Error>> {
        let stage = Stage::with("same", plugins)?;
        stage.host().write_file("/etc/own.conf", "nameserver 192.0.2.1\n")?;
        let mut lives = Vec::new();
        for (index, config) in configurations().iter().enumerate() {
            let container = stage.container(&format!("c{index}"))?;
            lives.push(life(&stage, config, &container)?);
            let _never_made = stage.host().run(["ip", "link", "delete", BRIDGE]);
        }
        Ok(lives)
    };
    let (inside, outside) = (lives(PluginFolder::ours()?)?, lives(executed()?)?);
    for ((inside, outside), config) in inside.iter().zip(&outside).zip(configurations()) {
        assert_eq!(inside, outside, "{config}");
    }
    Ok(())
}

#[test]
fn an_executed_delegate_is_one() -> Test {
    let stage = Stage::with("really", executed()?)?;
    let container = stage.container("web")?;
    let starts = |stage: &Stage| -> Result<usize, Box<dyn std::error::Error>> {
        let call = stage.call("bridge", &v4()).of(&container);
        let traced = call.command("ADD").under([
            "strace",
            "-f",
            "-qq",
            "-e",
            "trace=execve",
            "-o",
            "/run/starts",
            "--",
        ]);
        traced.run(stage.host()).ok()?;
        call.del().done()?;
        Ok(stage.host().read_file("/run/starts")?.matches("execve(").count())
    };
    if lab::faults::Strace::require(stage.host()).is_none() {
        return Ok(());
    }
    assert_eq!(starts(&stage)?, 2);
    let stage = Stage::new("not-really")?;
    let container = stage.container("web")?;
    let call = stage.call("bridge", &v4()).of(&container);
    let traced =
        call.command("ADD").under(["strace", "-f", "-qq", "-e", "trace=execve", "-o", "/run/starts", "--"]);
    traced.run(stage.host()).ok()?;
    assert_eq!(stage.host().read_file("/run/starts")?.matches("execve(").count(), 1, "no process on the way");
    Ok(())
}

#[test]
fn our_bridge_works_with_the_references_addresses() -> Test {
    let Some(plugins) = mixed("bridge", "host-local")? else { return Ok(()) };
    let stage = Stage::with("their-ipam", plugins)?;
    // The folder of namespaces comes with the first and stays.
    stage.container("first")?.vanish(&stage)?;
    let before = Before::of(&stage)?;
    let containers = stage.containers("c", 2)?;
    let config = in_version(with(dual(), json!({"ipMasq": true})), "1.0.0");
    for container in &containers {
        let call = stage.call("bridge", &config).of(container);
        let result = call.add().result()?;
        call.after(&result).check().done()?;
    }
    assert_eq!(addresses(&containers[1], "eth0")?, ["10.1.0.3/24", "fd00:1::3/64"]);
    assert!(pings(&containers[0], "fd00:1::3"));
    for container in &containers {
        container.vanish(&stage)?;
        let call = stage.call("bridge", &config).of(container);
        call.without("CNI_NETNS").del().done()?;
    }
    assert_eq!(before.changes(Allowed::Network(BRIDGE))?, Vec::<String>::new());
    Ok(())
}

#[test]
fn the_references_bridge_works_with_our_addresses() -> Test {
    let Some(plugins) = mixed("host-local", "bridge")? else { return Ok(()) };
    let stage = Stage::with("our-ipam", plugins)?;
    let containers = stage.containers("c", 2)?;
    for (version, container) in ["0.4.0", "1.0.0"].into_iter().zip(&containers) {
        let call = stage.call("bridge", &in_version(dual(), version)).of(container);
        let result = call.add().result()?;
        call.after(&result).check().done()?;
    }
    assert_eq!(addresses(&containers[1], "eth0")?, ["10.1.0.3/24", "fd00:1::3/64"]);
    for container in &containers {
        stage.call("bridge", &in_version(dual(), "1.0.0")).of(container).del().done()?;
    }
    assert_eq!(
        stage.host().sh("ls /var/lib/cni/networks/net").ok()?,
        "last_reserved_ip.0\nlast_reserved_ip.1\nlock\n"
    );
    Ok(())
}

#[test]
fn both_lease_from_one_folder_and_never_the_same_address() -> Test {
    let Some(theirs) = mixed("bridge", "host-local")? else { return Ok(()) };
    let stage = Stage::new("one-folder")?;
    let config = in_version(host_local(), "1.0.0");
    let call = |number: usize| {
        let call = stage.call("host-local", &config).id(&format!("c{number}")).netns("/x").interface("eth0");
        if number.is_multiple_of(2) { call } else { call.by(&theirs) }
    };
    let mut given: Vec<String> = std::thread::scope(|scope| {
        let adds: Vec<_> = (0..40).map(|number| scope.spawn(move || call(number).add().result())).collect();
        adds.into_iter().flat_map(|add| add.join()).collect::<Result<Vec<_>, _>>()
    })?
    .iter()
    .map(|result| plain(&result["ips"][0]["address"]))
    .collect();
    given.sort();
    given.dedup();
    assert_eq!(given.len(), 40, "{given:?}");
    // Each releases what the other has leased.
    for number in 0..40 {
        let call = stage.call("host-local", &config).id(&format!("c{number}")).netns("/x").interface("eth0");
        if number % 2 == 0 { call.by(&theirs).del().done()? } else { call.del().done()? }
    }
    assert_eq!(stage.host().sh("ls /var/lib/cni/networks/net").ok()?, "last_reserved_ip.0\nlock\n");
    Ok(())
}

#[test]
fn addresses_go_on_where_the_other_left_off() -> Test {
    let Some(theirs) = mixed("bridge", "host-local")? else { return Ok(()) };
    let stage = Stage::new("rotation")?;
    let config = in_version(host_local(), "1.0.0");
    let mut given = Vec::new();
    for number in 0..6 {
        let call = stage.call("host-local", &config).id(&format!("c{number}")).netns("/x").interface("eth0");
        let call = if number % 2 == 0 { call } else { call.by(&theirs) };
        given.push(plain(&call.add().result()?["ips"][0]["address"]));
        call.del().done()?;
    }
    assert_eq!(given, (2..8).map(|number| format!("10.1.0.{number}/24")).collect::<Vec<_>>());
    Ok(())
}

#[test]
fn we_take_away_what_the_reference_has_made() -> Test {
    if programs::reference("bridge").is_none() {
        return Ok(());
    }
    let theirs = PluginFolder::empty()?;
    theirs.reference("bridge")?;
    theirs.reference("host-local")?;
    let stage = Stage::new("take-over")?;
    let config = in_version(dual(), "1.0.0");
    let containers = stage.containers("c", 2)?;
    let before = Before::of(&stage)?;
    let call = stage.call("bridge", &config);
    for container in &containers {
        let result = call.clone().by(&theirs).of(container).add().result()?;
        // A node that is switched over while its containers run: they are found in order.
        call.clone().of(container).after(&result).check().done()?;
        call.clone().of(container).after(&result).del().done()?;
    }
    assert_eq!(before.changes(Allowed::Network(BRIDGE))?, Vec::<String>::new());
    Ok(())
}

#[test]
fn the_reference_takes_away_what_we_have_made() -> Test {
    if programs::reference("bridge").is_none() {
        return Ok(());
    }
    let theirs = PluginFolder::empty()?;
    theirs.reference("bridge")?;
    theirs.reference("host-local")?;
    let stage = Stage::new("give-back")?;
    let container = stage.container("web")?;
    let before = Before::of(&stage)?;
    let call = stage.call("bridge", &in_version(dual(), "1.0.0")).of(&container);
    let result = call.add().result()?;
    let call = call.after(&result).by(&theirs);
    call.check().done()?;
    call.del().done()?;
    assert_eq!(before.changes(Allowed::Network(BRIDGE))?, Vec::<String>::new());
    Ok(())
}
