//! Containers from the command line: what runs in them, what they see, and what is left when they end.
//!
//! Each test has a private host, with control groups of its own where it counts them.

mod files;
mod isolation;
mod leftovers;
mod lifecycle;
mod modes;
mod networks;
mod ports;
mod programs;
mod refused;
mod runtime;

use std::time::{Duration, Instant};

use lab::{Call, Host, Outcome};
use serde_json::Value;

type Wrong = Box<dyn std::error::Error>;
type Test = Result<(), Wrong>;

const NETCTL: &str = env!("CARGO_BIN_EXE_netctl");

/// Where containers are in a host: its own `/var/lib` is an overlay, on which none can be stacked.
const STATE: &str = "/run/state";

/// What is written for a shell, with `netctl` as a word of its own.
fn script(text: &str) -> Call {
    let text = format!("netctl() {{ {NETCTL} \"$@\"; }}\n{text}");
    Call::new(["sh", "-c", &text]).env("NETCTL_STATE_DIR", STATE)
}

/// A private host.
struct Machine(Host);

impl Machine {
    fn new(name: &str) -> Result<Self, Wrong> {
        let mut host = Host::new(name)?;
        host.own_control_groups()?;
        Ok(Self(host))
    }

    /// With an image `box`, in which busybox is every program.
    fn with_image(name: &str) -> Result<Self, Wrong> {
        let machine = Self::new(name)?;
        machine.ok(IMAGE)?;
        Ok(machine)
    }

    fn run(&self, text: &str) -> Outcome {
        script(text).run(&self.0)
    }

    /// What a script prints that must succeed.
    #[track_caller]
    fn ok(&self, text: &str) -> Result<String, Wrong> {
        Ok(self.run(text).ok()?)
    }

    /// What it prints as JSON.
    #[track_caller]
    fn json(&self, text: &str) -> Result<Value, Wrong> {
        Ok(serde_json::from_str(&self.ok(text)?)?)
    }

    /// What `container inspect` tells of one container.
    #[track_caller]
    fn inspect(&self, name: &str) -> Result<Value, Wrong> {
        Ok(self.json(&format!("netctl container inspect {name}"))?[0].take())
    }

    /// A script that ends with that code: what it says on standard error.
    #[track_caller]
    fn ends(&self, code: i32, text: &str) -> String {
        let outcome = self.run(text);
        assert_eq!(outcome.code(), Some(code), "{outcome}");
        outcome.stderr().to_owned()
    }

    /// Waits until a script prints something, which it does not at once.
    #[track_caller]
    fn until(&self, text: &str) -> Result<String, Wrong> {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let outcome = self.run(text);
            if outcome.succeeded() && !outcome.stdout().is_empty() {
                return Ok(outcome.stdout().to_owned());
            }
            if Instant::now() > deadline {
                return Err(format!("nothing came of it: {outcome}").into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Everything of containers that a host can have left: links, mounts, groups, processes, files. Nothing is right.
    fn left(&self) -> Result<String, Wrong> {
        self.until(&format!("{LEFT}\n[ -z \"$left\" ] && echo nothing"))
            .or_else(|_| self.ok(&format!("{LEFT}\necho \"$left\"")))
    }
}

/// What runs in a container to answer everybody on a port.
fn serve(port: u16) -> String {
    format!("nc -ll -p {port} -e echo hello")
}

/// Collects in `$left` what there should not be when no container runs.
const LEFT: &str = r#"
left=
for link in $(ls /sys/class/net); do [ $link = lo ] || left="$left link:$link"; done
left="$left$(grep -c netctl /proc/self/mounts | sed 's/^0$//')"
left="$left$(ls -d /sys/fs/cgroup/*/netctl /sys/fs/cgroup/netctl 2>/dev/null)"
left="$left$(ls /run/netctl/containers 2>/dev/null)"
left="$left$(ls /var/lib/cni/results 2>/dev/null)"
left="$left$(find /var/lib/cni/networks -name '[0-9]*' 2>/dev/null)"
left="$left$(nft list ruleset 2>/dev/null | grep -o '172\.17\.[0-9.]*' | head -1)"
for process in /proc/[0-9]*; do
    case "$(cat $process/comm 2>/dev/null)" in netctl-monitor) left="$left process:$process";; esac
done"#;

/// Makes the image.
const IMAGE: &str = r#"
root=/run/root
mkdir -p $root/bin $root/etc $root/home/web $root/srv
cp "$(command -v busybox)" $root/bin/busybox
for name in ln sh true false cat echo id env ls ps ip nc sleep touch hostname kill stat grep mount wget test printf head tail \
    mkdir rm chmod sync wc cut sort tty stty readlink sed awk; do ln -sf busybox $root/bin/$name; done
printf 'root:x:0:0:root:/root:/bin/sh\nweb:x:1000:1001::/home/web:/bin/sh\n' > $root/etc/passwd
printf 'root:x:0:\nwww:x:1001:\nstaff:x:50:web\n' > $root/etc/group
netctl import -c 'CMD ["echo", "from the image"]' -c 'EXPOSE 80 53/udp' -c 'ENV A=image B=image' -c 'LABEL tier=test' $root box > /dev/null"#;
