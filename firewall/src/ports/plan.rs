//! Which elements an attachment's ports need. No input, no output.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use vocab::PortMapping;

use super::claim::{Claim, Family, HostPort};
use super::note::Note;
use super::{Error, Publication};
use crate::owner::Owner;

/// What an attachment's ports need.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) owner: Owner,
    pub(super) claims: Vec<Claim>,
    pub(super) note: Note,
}

impl Plan {
    /// # Errors
    /// [`Error::Twice`], [`Error::Loopback6`].
    pub(super) fn new(publication: &Publication<'_>) -> Result<Self, Error> {
        let mut claims: Vec<Claim> = Vec::with_capacity(2 * publication.mappings.len());
        let mut seen = std::collections::HashMap::with_capacity(2 * publication.mappings.len());
        for claim in publication.mappings.iter().flat_map(|mapping| claims_of(publication, mapping)) {
            if claim.host.address == Some(Ipv6Addr::LOCALHOST.into()) {
                return Err(Error::Loopback6 { mapping: claim.mapping });
            }
            match seen.insert(claim.host, claim) {
                // The same twice, as `-p 8080:8080 -p [::]:8080:8080` says.
                Some(earlier) if earlier.target == claim.target => {}
                Some(earlier) => return Err(twice(&earlier, &claim)),
                None => claims.push(claim),
            }
        }
        // At one address and at all of them: the same twice, too, or a contradiction.
        let everywhere = |claim: &Claim| seen.get(&claim.host.everywhere()).copied();
        let narrower = claims.iter().filter(|claim| claim.host.address.is_some());
        for claim in narrower {
            match everywhere(claim) {
                Some(wider) if wider.target != claim.target => return Err(twice(&wider, claim)),
                _ => {}
            }
        }
        claims.retain(|claim| claim.host.address.is_none() || everywhere(claim).is_none());
        let owner = Owner::attachment(publication.network, publication.attachment);
        let note = Note::new(publication, &claims);
        Ok(Self { owner, claims, note })
    }
}

fn twice(first: &Claim, second: &Claim) -> Error {
    Error::Twice { first: first.mapping, second: second.mapping }
}

/// A mapping's claims: one in each family that both the host's address and the container have.
fn claims_of(publication: &Publication<'_>, mapping: &PortMapping) -> impl Iterator<Item = Claim> {
    let mapping = *mapping;
    let v4 = publication.v4.filter(|_| mapping.host_address.has_v4()).map(IpAddr::V4);
    let v6 = publication.v6.filter(|_| mapping.host_address.has_v6()).map(IpAddr::V6);
    v4.into_iter().chain(v6).map(move |target| Claim {
        host: HostPort {
            family: Family::of(target),
            address: mapping.host_address.one(),
            protocol: mapping.protocol,
            port: mapping.host_port,
        },
        target: SocketAddr::new(target, mapping.container_port.get()),
        mapping,
    })
}
