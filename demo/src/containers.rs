//! Containers in every network mode: addresses, a page over a published port, names, and what happens when something is killed.

use std::error::Error;

use lab::{Call, Neighbour};

use crate::stage::Stage;

/// Makes an image of Debian's busybox, without a line of it being of interest.
const IMAGE: &str = "mkdir -p /run/root/bin /run/root/etc && cp $(command -v busybox) /run/root/bin && \
    for name in sh cat echo sleep nc ping ip hostname ls id; do ln -s busybox /run/root/bin/$name; done && \
    echo 'root:x:0:0::/root:/bin/sh' > /run/root/etc/passwd";

/// Starts containers in every mode, and takes everything away again.
pub(crate) fn show(stage: &Stage<'_>, outside: &Neighbour) -> Result<(), Box<dyn Error>> {
    first(stage)?;
    bridge(stage, outside)?;
    shared(stage)?;
    named(stage)?;
    killed(stage)?;
    stage.say("Away with all of it");
    stage.type_in("netctl rm -f b1 b2 both; netctl rm mybr0; netctl rmi box")?;
    stage.type_in("netctl ps -a; netctl ls")?;
    // What is kept for the next container, and the folder that the image was made of.
    stage.quietly("rm -rf /run/state /run/root")
}

fn first(stage: &Stage<'_>) -> Result<(), Box<dyn Error>> {
    stage.say(
        "Containers: the host's own root is the image that every machine has; without a network there is lo",
    );
    stage.type_in("netctl run --rm --network none --rootfs / ip -brief address")?;
    stage.say("Or an image, here of busybox; on the host's network a container sees what the host has");
    stage.quietly(IMAGE)?;
    stage.type_in("netctl import -c 'CMD [\"sh\"]' -c 'EXPOSE 80' /run/root box")?;
    stage.type_in("netctl run --rm --network host box ip address show uplink")?;
    stage.say("What a mode cannot honour is refused, or told of");
    stage.type_in_refused("netctl run --rm --network host --ip 172.17.0.9 box id")?;
    stage.type_in("netctl run --rm --network none -p 80:80 box id 2>&1")
}

fn bridge(stage: &Stage<'_>, outside: &Neighbour) -> Result<(), Box<dyn Error>> {
    stage.say("On the bridge, with a port, names, limits");
    stage.type_in("netctl run -d --name b1 -p 111:1232 -h web --add-host db:172.17.0.1 -m 64m --pids-limit 20 box nc -ll -p 1232 -e echo 'hello from b1'")?;
    stage.type_in("netctl ps")?;
    stage.type_in("netctl exec b1 ip address show eth0; netctl exec b1 ip route")?;
    stage.type_in("netctl exec b1 cat /etc/hosts /etc/resolv.conf; netctl exec b1 ping -c1 db")?;
    stage.say("A page over the published port: from outside, and by 127.0.0.1");
    let page = format!("busybox nc {} 111", outside.host_v4());
    println!("outside$ {page}");
    print!("    {}", retried(outside, &page)?);
    stage.type_in("busybox nc 127.0.0.1 111 < /dev/null")
}

/// The server may be about to listen.
fn retried(outside: &Neighbour, page: &str) -> Result<String, Box<dyn Error>> {
    let script = format!(
        "for i in 1 2 3 4 5 6 7 8 9; do {page} < /dev/null 2>/dev/null && exit; sleep 0.2; done; exit 1"
    );
    Ok(Call::new(["sh", "-c", &script]).run(outside).ok()?)
}

fn shared(stage: &Stage<'_>) -> Result<(), Box<dyn Error>> {
    stage.say(
        "In the network of another container: the same addresses, the same name, and 127.0.0.1 leads to it",
    );
    stage.type_in(
        "netctl run --rm --network container:b1 box sh -c 'hostname; nc 127.0.0.1 1232 < /dev/null'",
    )?;
    stage.type_in("netctl run -d --name b2 --network container:b1 box sleep 100")?;
    stage.type_in_refused("netctl rm -f b1")?;
    stage.type_in("netctl rm -f b2")?;
    stage.say("In a namespace that somebody made");
    stage.type_in("ip netns add blue && netctl run --rm --network ns:blue box ip address show lo && ip netns delete blue")
}

fn named(stage: &Stage<'_>) -> Result<(), Box<dyn Error>> {
    stage.say("On a network of one's own, with an address of one's choice; and on two at once, of which the first is the way out");
    stage.type_in("netctl create mybr0 --subnet 172.26.0.0/16 --gateway 172.26.0.1")?;
    stage.type_in("netctl run -d --name b2 --network mybr0:ip=172.26.0.9 box sleep 1000")?;
    stage.type_in("netctl run -d --name both --network mybr0 --network bridge box sleep 1000")?;
    stage.type_in("netctl exec both ip route; netctl exec both ping -c1 172.26.0.9; netctl exec both ping -c1 172.17.0.2")
}

fn killed(stage: &Stage<'_>) -> Result<(), Box<dyn Error>> {
    stage.say("Its monitor is killed, and the container ends with it; whoever looks next finishes");
    stage.type_in(
        "kill -9 $(netctl inspect -f '{{.State.MonitorPid}}' b1); sleep 0.3; netctl ps -a; netctl logs b1",
    )?;
    stage.type_in("netctl start b1; netctl port b1; netctl stop -t 0 b1")
}
