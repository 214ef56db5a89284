//! Networks that other programs wrote, as they write them.

use lab::Place;
use serde_json::{Value, json};

use crate::{Machine, Test};

/// As `podman network create --label tier=web -o isolate=1 podman1` writes it (podman 4 with CNI).
pub(crate) fn podman(name: &str, subnet: &str, gateway: &str) -> Value {
    let range = json!([[{"subnet": subnet, "gateway": gateway}]]);
    json!({
        "args": {"podman_labels": {"tier": "web"}, "podman_options": {"isolate": "true"}},
        "cniVersion": "0.4.0",
        "name": name,
        "plugins": [
            {
                "type": "bridge", "bridge": format!("cni-{name}"), "isGateway": true, "ipMasq": true, "hairpinMode": true,
                "ipam": {"type": "host-local", "routes": [{"dst": "0.0.0.0/0"}], "ranges": range},
                "capabilities": {"ips": true},
            },
            {"type": "portmap", "capabilities": {"portMappings": true}},
            {"type": "firewall", "backend": ""},
            {"type": "tuning"},
        ],
    })
}

/// As `nerdctl network create` writes it.
pub(crate) fn nerdctl() -> Value {
    json!({
        "cniVersion": "1.0.0",
        "name": "nerd",
        "nerdctlID": "17f29b073143d8cd97b5bbe492bdeffec1c5fee55cc1fe2112c8b9335f8b6121",
        "nerdctlLabels": {"tier": "nerd"},
        "plugins": [
            {
                "type": "bridge", "bridge": "br-17f29b073143", "isGateway": true, "ipMasq": true, "hairpinMode": true,
                "ipam": {
                    "type": "host-local", "routes": [{"dst": "0.0.0.0/0"}],
                    "ranges": [[{"subnet": "10.4.0.0/24", "gateway": "10.4.0.1"}]],
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": true}},
            {"type": "firewall", "ingressPolicy": "same-bridge"},
            {"type": "tuning"},
        ],
    })
}

/// As flannel and calico have their nodes write them: they say nothing of subnets.
fn kubernetes() -> [(&'static str, Value); 2] {
    let portmap = json!({"type": "portmap", "capabilities": {"portMappings": true}});
    let flannel = json!({"type": "flannel", "delegate": {"hairpinMode": true, "isDefaultGateway": true}});
    let calico = json!({
        "type": "calico", "datastore_type": "kubernetes", "mtu": 0, "ipam": {"type": "calico-ipam"},
        "policy": {"type": "k8s"}, "kubernetes": {"kubeconfig": "/etc/cni/net.d/calico-kubeconfig"},
    });
    [
        ("10-flannel", json!({"name": "cbr0", "cniVersion": "0.3.1", "plugins": [flannel, portmap]})),
        (
            "10-calico",
            json!({"name": "k8s-pod-network", "cniVersion": "0.3.1", "plugins": [calico, portmap]}),
        ),
    ]
}

impl Machine {
    /// Puts a list into the folder.
    pub(crate) fn has_file(&self, name: &str, list: &Value) -> Test {
        Ok(self.0.write_file(format!("/etc/cni/net.d/{name}"), list.to_string())?)
    }

    /// Has networks of all the others.
    pub(crate) fn has_others(&self) -> Test {
        self.has_file("podman1.conflist", &podman("podman1", "10.89.0.0/24", "10.89.0.1"))?;
        self.has_file("nerdctl-nerd.conflist", &nerdctl())?;
        for (name, list) in kubernetes() {
            self.has_file(&format!("{name}.conflist"), &list)?;
        }
        let loopback = json!({"cniVersion": "0.2.0", "name": "lo", "type": "loopback"});
        self.has_file("99-loopback.conf", &loopback)
    }
}
