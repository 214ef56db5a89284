//! Named networks: what people know from Docker, on namespaces.

use std::error::Error;

use crate::stage::Stage;

/// Makes a network, puts one container on it and one on `bridge`, and takes everything away again.
pub(crate) fn show(stage: &Stage<'_>) -> Result<(), Box<dyn Error>> {
    stage.say(
        "A named network, in Docker's words: a bridge, and a conflist that containerd and podman use as well",
    );
    stage.show(["netctl", "create", "mybr0", "--subnet", "172.26.0.0/16", "--gateway", "172.26.0.1"])?;
    stage.say("One that overlaps with it, or with a route of the host, is refused with the name of what it overlaps");
    stage.show_refused(["netctl", "create", "other", "--subnet", "172.26.128.0/17"])?;
    stage.say("b1 on the network that is always there, b2 on the named one, with a port");
    stage.show(["netctl", "netns", "add", "b1"])?;
    stage.show(["netctl", "netns", "add", "b2"])?;
    stage.show(["netctl", "connect", "bridge", "b1"])?;
    stage.show(["netctl", "connect", "mybr0", "b2", "-p", "111:1232"])?;
    stage.show(["netctl", "ls"])?;
    stage.show(["bridge", "link"])?;
    stage.say("They reach each other as long as the host forwards");
    let ping = ["netctl", "netns", "exec", "b1", "ping", "-c1", "-W1", "172.26.0.2"];
    stage.show(ping)?;
    stage.show(["sysctl", "-w", "net.ipv4.ip_forward=0"])?;
    stage.show_refused(ping)?;
    stage.show(["sysctl", "-w", "net.ipv4.ip_forward=1"])?;
    stage.show(ping)?;
    stage.say("Somebody deletes the bridge; reload puts back the bridge, its address, and the container's port on it");
    stage.show(["ip", "link", "delete", "mybr0"])?;
    stage.show(["netctl", "reload"])?;
    stage.show(ping)?;
    stage.say("A network that somebody is on stays, and the error says who");
    stage.show_refused(["netctl", "rm", "mybr0"])?;
    stage.show(["netctl", "disconnect", "mybr0", "b2"])?;
    stage.show(["netctl", "disconnect", "bridge", "b1"])?;
    stage.show(["netctl", "rm", "mybr0"])?;
    stage.show(["netctl", "netns", "delete", "b1", "b2"])
}
