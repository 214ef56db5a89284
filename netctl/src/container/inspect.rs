//! `netctl container inspect`

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::Args;
use runner::{Attached, Config, Container, Engine, Mode, Source, State, Status, networks};
use serde_json::{Value, json};
use subnet::Family;

use super::place::Place;
use super::ps::word;
use super::words::ask;
use crate::output::Output;
use crate::report::Failure;
use crate::several::inspect_each;

/// Show containers in full: what was asked of them, and what became of them
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Inspect {
    /// The containers: names, or ids of which the first digits are enough
    #[arg(value_name = "CONTAINER", required = true)]
    containers: Vec<String>,
    /// Print of each what a template of Go's says, such as '{{.NetworkSettings.IPAddress}}'
    #[arg(short, long, value_name = "TEMPLATE")]
    format: Option<String>,
    #[command(flatten)]
    place: Place,
}

const HELP: &str = "\
Prints JSON with Docker's names.

Examples:
  netctl container inspect web
  netctl container inspect -f '{{.State.Pid}} {{.NetworkSettings.IPAddress}}' web

Exit codes:
  0  done
  1  failed, or one of them was not found; those that were are printed
  2  the command line cannot be understood";

impl Inspect {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        let engine = self.place.engine();
        inspect_each(&self.containers, self.format.as_deref(), output, |wanted| {
            shown(&engine, &self.place.find(wanted)?)
        })
    }
}

/// A container by Docker's names.
pub(crate) fn shown(engine: &Engine, container: &Container) -> Result<Value, Failure> {
    let state = engine.state(container).map_err(ask)?;
    let (config, folder) = (container.config(), container.folder());
    let mut command = config.program.entrypoint.iter().chain(&config.program.cmd);
    let image = match &config.source {
        Source::Image(used) => used.id.clone(),
        Source::Folder(folder) => folder.display().to_string(),
    };
    Ok(json!({
        "Id": config.id,
        "Name": format!("/{}", config.name),
        "Created": config.created,
        "Path": command.next(),
        "Args": command.collect::<Vec<_>>(),
        "State": of_state(&state),
        "Image": image,
        "LogPath": folder.log(),
        "HostnamePath": folder.hostname(),
        "HostsPath": folder.hosts(),
        "ResolvConfPath": folder.resolv_conf(),
        "Driver": "overlay",
        "Platform": "linux",
        "Mounts": mounts(config),
        "Config": of_program(config),
        "HostConfig": of_host(config),
        "NetworkSettings": of_networks(&state.attached, &state),
    }))
}

fn of_state(state: &State) -> Value {
    let ended = state.ended.clone().unwrap_or_default();
    let runs = matches!(state.status, Status::Running | Status::Paused);
    json!({
        "Status": word(state.status),
        "Running": runs,
        "Paused": state.status == Status::Paused,
        "OOMKilled": ended.out_of_memory,
        "Pid": state.pid.unwrap_or_default(),
        "MonitorPid": state.monitor.unwrap_or_default(),
        "ExitCode": if runs { 0 } else { ended.code },
        "Error": ended.error.unwrap_or_default(),
        "StartedAt": state.started,
        "FinishedAt": ended.at,
    })
}

fn mounts(config: &Config) -> Vec<Value> {
    let volumes = config.volumes.iter().map(|volume| {
        json!({
            "Type": "bind",
            "Source": volume.source,
            "Destination": volume.destination,
            "RW": !volume.read_only,
            "Propagation": volume.propagation.as_deref().unwrap_or("rprivate"),
        })
    });
    let memory =
        config.tmpfs.iter().map(|memory| json!({"Type": "tmpfs", "Destination": memory.destination}));
    volumes.chain(memory).collect()
}

fn of_program(config: &Config) -> Value {
    let program = &config.program;
    let exposed: BTreeMap<String, Value> =
        config.ports.exposed.iter().map(|port| (port.to_string(), json!({}))).collect();
    json!({
        "Hostname": networks::hostname(config),
        "Domainname": config.names.domainname.as_deref().unwrap_or_default(),
        "User": program.user,
        "Tty": program.tty,
        "OpenStdin": program.open_stdin,
        "StdinOnce": program.stdin_once,
        "Env": program.env,
        "Entrypoint": program.entrypoint,
        "Cmd": program.cmd,
        "Image": super::ps::image_of(&config.source),
        "WorkingDir": program.working_dir,
        "Labels": config.labels,
        "ExposedPorts": exposed,
        "StopSignal": program.stop_signal,
        "StopTimeout": program.stop_timeout,
    })
}

fn of_host(config: &Config) -> Value {
    let (privileges, resources) = (&config.privileges, &config.limits.resources);
    let mode = match &config.mode {
        Mode::Networks(memberships) => {
            memberships.first().map(|one| one.network.to_string()).unwrap_or_default()
        }
        Mode::Host => "host".to_owned(),
        Mode::None => "none".to_owned(),
        Mode::Container(id) => format!("container:{id}"),
        Mode::Namespace(path) => format!("ns:{}", path.display()),
    };
    let memory = resources.memory.clone().unwrap_or_default();
    let cpu = resources.cpu.clone().unwrap_or_default();
    let hosts = config.names.add_hosts.iter().map(|added| match added.host {
        runner::Host::Address(address) => format!("{}:{address}", added.name),
        runner::Host::Gateway => format!("{}:host-gateway", added.name),
    });
    json!({
        "NetworkMode": mode,
        "AutoRemove": config.auto_remove,
        "Privileged": privileges.privileged,
        "ReadonlyRootfs": privileges.read_only,
        "CapAdd": privileges.cap_add,
        "CapDrop": privileges.cap_drop,
        "Dns": config.names.dns,
        "DnsSearch": config.names.dns_search,
        "DnsOptions": config.names.dns_options,
        "ExtraHosts": hosts.collect::<Vec<_>>(),
        "PublishAllPorts": config.ports.publish_all,
        "Init": config.program.init,
        "Runtime": config.runtime.as_ref().map_or("netctl".to_owned(), |path| path.display().to_string()),
        "Memory": memory.limit.unwrap_or_default(),
        "MemorySwap": memory.swap.unwrap_or_default(),
        "MemoryReservation": memory.reservation.unwrap_or_default(),
        "CpuShares": cpu.shares.unwrap_or_default(),
        "CpuQuota": cpu.quota.unwrap_or_default(),
        "CpuPeriod": cpu.period.unwrap_or_default(),
        "CpusetCpus": cpu.cpus.unwrap_or_default(),
        "PidsLimit": resources.pids.as_ref().map(|pids| pids.limit),
        "OomScoreAdj": config.limits.oom_score_adj.unwrap_or_default(),
        "ShmSize": config.limits.shm_size.unwrap_or(64 << 20),
        "Sysctls": config.sysctl,
    })
}

fn of_networks(attached: &[Attached], state: &State) -> Value {
    let of_family = |attached: &Attached, family: Family| {
        let mut addresses = attached.addresses.iter();
        addresses.find(|address| Family::of_network(**address) == family).copied()
    };
    let address =
        |attached: &Attached, family| of_family(attached, family).map(|address| address.ip().to_string());
    let networks: BTreeMap<String, Value> = attached
        .iter()
        .map(|one| {
            let v4 = of_family(one, Family::V4);
            let gateway = |is_v4: bool| one.gateways.iter().find(|gateway| gateway.is_ipv4() == is_v4);
            let shown = json!({
                "Interface": one.interface,
                "IPAddress": address(one, Family::V4).unwrap_or_default(),
                "IPPrefixLen": v4.map(|address| address.prefix()).unwrap_or_default(),
                "Gateway": gateway(true),
                "GlobalIPv6Address": address(one, Family::V6).unwrap_or_default(),
                "IPv6Gateway": gateway(false),
                "MacAddress": one.mac.map(|mac| mac.to_string()).unwrap_or_default(),
                "Aliases": one.aliases,
            });
            (one.network.to_string(), shown)
        })
        .collect();
    let mut ports: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for mapping in networks::ports_of(attached) {
        let bound = ports.entry(format!("{}/{}", mapping.container_port, mapping.protocol)).or_default();
        for host in networks::shown(mapping.host_address) {
            let host = host.trim_matches(['[', ']']).to_owned();
            bound.push(json!({"HostIp": host, "HostPort": mapping.host_port.to_string()}));
        }
    }
    let first = attached.first();
    let sandbox = state.pid.map(|pid| format!("/proc/{pid}/ns/net")).unwrap_or_default();
    json!({
        "SandboxKey": sandbox,
        "Ports": ports,
        "IPAddress": first.and_then(|one| address(one, Family::V4)).unwrap_or_default(),
        "GlobalIPv6Address": first.and_then(|one| address(one, Family::V6)).unwrap_or_default(),
        "Gateway": first.and_then(|one| one.gateways.first()),
        "MacAddress": first.and_then(|one| one.mac).map(|mac| mac.to_string()).unwrap_or_default(),
        "Networks": networks,
    })
}
