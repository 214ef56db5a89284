//! Hosts whose own firewall drops what it forwards, and containers on them.

use lab::Place;
use lab::traffic::{Transport, ask};
use serde_json::{Value, json};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tests::config::{dual, with};
use tests::{Container, Stage, Test, programs};

pub(crate) const WITHIN: Duration = Duration::from_secs(5);
/// How long a question is asked that nobody should hear.
pub(crate) const IN_VAIN: Duration = Duration::from_millis(300);

/// What `iptables -P FORWARD DROP` leaves.
pub(crate) const POLICY: &str = "iptables -P FORWARD DROP; ip6tables -P FORWARD DROP";

/// The filter of a host with Docker (chains and order of moby's iptables driver, version 20).
pub(crate) const DOCKER: &str = "iptables-restore <<END
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:DOCKER - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A FORWARD -i docker0 -o docker0 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-1 -j RETURN
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
-A DOCKER-ISOLATION-STAGE-2 -j RETURN
-A DOCKER-USER -j RETURN
COMMIT
END
ip6tables -P FORWARD DROP";

/// A host's own nftables.
pub(crate) const STRICT: &str = "nft -f - <<END
table inet filter {
    chain forward {
        type filter hook forward priority 0; policy drop;
    }
}
END";

/// A container on the bridge, behind the firewall of its host.
pub(crate) struct Attached<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) container: Container,
    pub(crate) config: Value,
    /// What bridge answered.
    pub(crate) result: Value,
}

pub(crate) fn firewall(more: Value) -> Value {
    with(json!({"cniVersion": "1.1.0", "name": "net", "type": "firewall"}), more)
}

impl<'a> Attached<'a> {
    /// Attaches by bridge alone.
    pub(crate) fn by_bridge(
        stage: &'a Stage,
        name: &str,
        more: Value,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        Self::to(stage, name, &with(dual(), json!({"ipMasq": true})), more)
    }

    pub(crate) fn to(
        stage: &'a Stage,
        name: &str,
        network: &Value,
        more: Value,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let container = stage.container(name)?;
        let result = stage.call("bridge", network).of(&container).add().result()?;
        let config = with(firewall(more), json!({"name": network["name"]}));
        Ok(Self { stage, container, config, result })
    }

    pub(crate) fn call(&self) -> tests::Call<'a> {
        self.stage.call("firewall", &self.config).of(&self.container).after(&self.result)
    }

    /// A call by the reference's plugin.
    pub(crate) fn reference(&self, verb: &str) -> Test {
        let config = with(self.config.clone(), json!({"cniVersion": "1.0.0", "backend": "iptables"}));
        let config =
            with(config, json!({"prevResult": with(self.result.clone(), json!({"cniVersion": "1.0.0"}))}));
        let file = format!("{}/firewall", programs::REFERENCE);
        let call = lab::Call::new([file]).stdin(config.to_string());
        let call = call.env("CNI_COMMAND", verb).env("CNI_CONTAINERID", self.container.id());
        let call = call.env("CNI_NETNS", self.container.path()).env("CNI_IFNAME", "eth0");
        call.env("CNI_PATH", programs::REFERENCE).run(self.stage.host()).ok()?;
        Ok(())
    }

    pub(crate) fn address(&self, family: usize) -> IpAddr {
        let text = self.result["ips"][family]["address"].as_str().unwrap_or_default();
        text.split('/').next().unwrap_or_default().parse().unwrap_or([0, 0, 0, 0].into())
    }
}

pub(crate) fn socket(address: IpAddr) -> SocketAddr {
    SocketAddr::new(address, 7000)
}

pub(crate) fn reaches(from: &impl Place, to: IpAddr, within: Duration) -> bool {
    ask(from, Transport::Udp, socket(to), within).is_ok()
}

/// Both `filter` tables without what changes by itself.
pub(crate) fn saved(stage: &Stage) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let text = stage.host().sh("iptables-save -t filter; ip6tables-save -t filter").ok()?;
    let lines = text.lines().filter(|line| line.starts_with("-A"));
    Ok(lines.map(str::to_owned).collect())
}

/// The notes that are left.
pub(crate) fn notes(stage: &Stage) -> Result<String, Box<dyn std::error::Error>> {
    Ok(stage.host().sh("find /run/netctl/firewall -type l 2>/dev/null || true").ok()?)
}

/// What all containers share: iptables' chain FORWARD, the reference's two, and the jumps to them.
pub(crate) fn is_constant(line: &str) -> bool {
    let is_of_iptables = line.contains("table ip filter") || line.contains("table ip6 filter");
    let is_of_iptables = is_of_iptables || line.contains("iptables: ip");
    is_of_iptables && !line.contains("10.1.0.") && !line.contains("fd00:1:")
}

pub(crate) fn without_counters(ruleset: &str) -> Vec<String> {
    let words = |line: &str| {
        let words: Vec<_> = line.split_whitespace().filter(|word| word.parse::<u64>().is_err()).collect();
        words.join(" ")
    };
    ruleset.lines().map(words).collect()
}
