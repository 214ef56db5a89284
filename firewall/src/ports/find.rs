//! Looking: whether an attachment's ports are published, and who has a port.

use vocab::PortMapping;

use super::claim::{Claim, Family, HostPort};
use super::conflict;
use super::found::Found;
use super::plan::Plan;
use super::publish::Scene;
use super::{Error, Publication};
use crate::channel::{self, Channel};
use crate::firewall::{Firewall, Standing};
use crate::owner::Owner;

impl Firewall {
    /// Whether an attachment's ports are published. One that another attachment of the same container has counts.
    ///
    /// # Errors
    /// [`Error::Find`]; [`Error::Twice`] and [`Error::Loopback6`] as with [`publish`](Self::publish).
    pub fn find_publication(&mut self, publication: &Publication<'_>) -> Result<Standing, Error> {
        let plan = Plan::new(publication)?;
        self.attempt(|channel| find(channel, publication, &plan))
            .map_err(|source| Error::Find { owner: plan.owner.clone(), source })
    }

    /// Who else has a port of the host, or one at an address that overlaps. `owner` is not in its own way.
    ///
    /// # Errors
    /// [`Error::List`].
    pub fn find_port_owner(
        &mut self,
        mapping: &PortMapping,
        owner: Option<&Owner>,
    ) -> Result<Option<Owner>, Error> {
        let nobody = Owner::from_comment("");
        let owner = owner.unwrap_or(&nobody);
        let claims = claims_of_all_families(mapping);
        let found = self.attempt(|channel| {
            let keys =
                Found::look(channel, claims.iter().map(|claim| (claim.host.map(), claim.host.element())))?;
            let holder = keys.iter().find_map(|(_, element)| {
                let holder = Owner::from_comment(element.comment().unwrap_or_default());
                (holder != *owner).then_some(holder)
            });
            match holder {
                Some(holder) => Ok(Some(holder)),
                None => {
                    let conflicts = conflict::find(channel, &claims, owner)?;
                    Ok(conflicts.into_iter().next().map(|conflict| conflict.owner))
                }
            }
        });
        found.map_err(|source| Error::List { source })
    }
}

fn claims_of_all_families(mapping: &PortMapping) -> Vec<Claim> {
    let families = [(Family::V4, mapping.host_address.has_v4()), (Family::V6, mapping.host_address.has_v6())];
    let families = families.into_iter().filter(|(_, is_meant)| *is_meant);
    let claim = |(family, _)| Claim {
        host: HostPort {
            family,
            address: mapping.host_address.one(),
            protocol: mapping.protocol,
            port: mapping.host_port,
        },
        // Where it would lead does not matter to the question whose it is.
        target: std::net::SocketAddr::from(([0, 0, 0, 0], mapping.container_port.get())),
        mapping: *mapping,
    };
    families.map(claim).collect()
}

fn find(
    channel: &mut Channel,
    publication: &Publication<'_>,
    plan: &Plan,
) -> Result<Standing, channel::Error> {
    let scene = Scene::look(channel, publication.attachment, plan)?;
    if !scene.is_current {
        return Ok(Standing::RulesMissing);
    }
    let ports = plan.claims.iter().map(|claim| (claim.host.map(), claim.element(&plan.owner)));
    let found = Found::look(channel, ports.chain(plan.note.clients()))?;
    let (mut ours, mut missing) = (Vec::new(), Vec::new());
    for claim in &plan.claims {
        let wanted = claim.element(&plan.owner);
        let leads_there = found.get(claim.host.map(), &wanted).is_some_and(|found| found.data == wanted.data);
        match found.owner(claim.host.map(), &wanted) {
            Some(holder) if holder == plan.owner && leads_there => ours.push(*claim),
            Some(holder) if holder != plan.owner && holder.is_container_of(&plan.owner) => {}
            _ => missing.push(format!("{} to {}", claim.mapping, claim.target)),
        }
    }
    // Whose port it is has the elements that go with it.
    let clients = plan.note.with(&ours).clients().into_iter();
    let lost = clients.filter(|(set, element)| found.get(set, element).is_none());
    missing.extend(lost.map(|(set, _)| format!("an element of set {}", set.name)));
    Ok(if missing.is_empty() { Standing::Whole } else { Standing::Missing(missing) })
}
