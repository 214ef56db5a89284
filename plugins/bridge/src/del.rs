//! DEL: whatever is left of an attachment goes, and everything is tried.

use std::os::fd::AsFd;

use cni::{Attempts, DelCall, Failure};
use firewall::Firewall;
use ipnetwork::IpNetwork;
use link::sandbox;
use netlink::reaper;
use netlink::{Link, LinkName, RouteSocket};
use netns::Netns;

use crate::config::{self, Masquerade, Settings};
use crate::error::StepFault;
use crate::owner;
use crate::release::{self, Network};

pub(crate) fn del(call: &DelCall) -> Result<(), Failure> {
    let mut attempts = Attempts::default();
    let read = attempts.note(config::read(&call.call));
    let (settings, delegated) = read.unzip();
    let container =
        attempts.note(sandbox::open_if_there(call.netns.as_deref(), &call.call.environment)).flatten();
    if let Some(host) = attempts.note(RouteSocket::open().map_err(StepFault::from)) {
        Del { call, settings: settings.as_ref(), container: container.as_ref(), host }.run(&mut attempts);
    }
    // Last: while the pair was there, nobody else might have its addresses.
    let delegated = delegated.unwrap_or_else(|| call.call.clone());
    if let Some(Some(kind)) = attempts.note(delegated.config.ipam_type())
        && let Some(delegate) = attempts.note(delegated.delegate(&kind))
    {
        attempts.note(delegate.del());
    }
    attempts.finish()
}

/// What a DEL works with. Without settings (a configuration that cannot be read any more) what needs none goes.
struct Del<'a> {
    call: &'a DelCall,
    settings: Option<&'a Settings>,
    container: Option<&'a Netns>,
    host: RouteSocket,
}

impl Del<'_> {
    fn run(mut self, attempts: &mut Attempts) {
        let end = attempts.note(self.find_host_end()).flatten();
        // The firewall goes before the link, so that the kernel's waits for both overlap, in the child.
        let mut firewall = Firewall::new();
        self.unprotect(&mut firewall, end.as_ref(), attempts);
        let network = self.end_network(&mut firewall, end.as_ref(), attempts);
        let caller = link::caller(&self.call.call);
        match &end {
            Some(Link { index, name, .. }) => {
                let held = firewall.into_any_socket().into_iter().collect();
                let removed = reaper::remove_link_detached(*index, name, held, caller);
                attempts.note(removed.map_err(StepFault::from));
            }
            None => {
                release::close(firewall, caller);
                attempts.note(self.remove_inside());
            }
        }
        if end.is_some() && network == Some(Network::Used) {
            // Others were there when we looked; they may have left meanwhile, and seen us.
            let mut firewall = Firewall::new();
            self.end_network(&mut firewall, None, attempts);
            release::close(firewall, caller);
        }
    }

    /// The host's end of the pair: by its name, or, when another program made it, through the container's end.
    fn find_host_end(&mut self) -> Result<Option<Link>, StepFault> {
        let attachment = &self.call.attachment;
        let is_ours = |alias: &str| owner::is_of(alias, attachment);
        let own = link::veth::find_owned(&mut self.host, &owner::host_names(attachment), is_ours)?;
        let Some(container) = self.container.filter(|_| own.is_none()) else { return Ok(own) };
        let inside =
            container.run(|| RouteSocket::open()?.find_link(LinkName::Name(&attachment.interface)))??;
        match inside {
            Some(end) => Ok(link::veth::find_host_end(&mut self.host, &end, container.as_fd())?),
            None => Ok(None),
        }
    }

    /// Removes an interface whose other end is not to be seen from here.
    fn remove_inside(&self) -> Result<(), StepFault> {
        let Some(container) = self.container else { return Ok(()) };
        let interface = &self.call.attachment.interface;
        container.run(|| {
            let mut socket = RouteSocket::open()?;
            match socket.find_link(LinkName::Name(interface))? {
                Some(end) if !end.is_loopback => socket.remove_links(&[end.index]),
                _ => Ok(()),
            }
        })??;
        Ok(())
    }

    /// Ends the network's masquerade and policy with its last container. What the configuration says now matters only when there
    /// is no link any more that would tell that there may be something.
    fn end_network(
        &mut self,
        firewall: &mut Firewall,
        end: Option<&Link>,
        attempts: &mut Attempts,
    ) -> Option<Network> {
        let settings = self.settings?;
        if end.is_none() && !release::has_elements(settings) {
            return None;
        }
        // A conflist may have been renamed since ADD; the link knows the name of then.
        let told = end.and_then(|end| end.alias.as_deref()).and_then(owner::network);
        let network = told.as_ref().unwrap_or_else(|| self.call.call.config.name());
        let leaving = end.map(|_| &self.call.attachment);
        attempts.note(release::network(firewall, &mut self.host, network, &settings.bridge, leaving))
    }

    fn unprotect(&self, firewall: &mut Firewall, end: Option<&Link>, attempts: &mut Attempts) {
        let Some(settings) = self.settings else { return };
        let network = self.call.call.config.name();
        let attachment = &self.call.attachment;
        let ports = match end {
            // Also when it is not asked for (any more): the next link of that name must not meet it.
            Some(end) => vec![end.name.clone()],
            None if settings.spoof_check => owner::host_names(attachment),
            None => Vec::new(),
        };
        for port in ports {
            attempts.note(firewall.remove_spoof_check(&port).map_err(StepFault::from));
        }
        let is_ours = end.is_some_and(|end| end.alias.is_some());
        if settings.masquerade == Masquerade::Iptables || (settings.masquerade != Masquerade::No && !is_ours)
        {
            let addresses = self.addresses();
            let removed = release::iptables(firewall, network, &attachment.container, &addresses);
            attempts.note(removed.map_err(StepFault::from));
        }
        if !is_ours && (settings.masquerade != Masquerade::No || settings.spoof_check) {
            attempts.note(firewall.remove_reference_rules(network, attachment).map_err(StepFault::from));
        }
    }

    /// The container's addresses, as far as the runtime still knows them. A result that cannot be read is as good
    /// as none: what it would tell is found otherwise, only slower.
    fn addresses(&self) -> Vec<IpNetwork> {
        let result = self.call.call.config.prev_result().ok().flatten().unwrap_or_default();
        result.ips.iter().map(|ip| ip.address).collect()
    }
}
