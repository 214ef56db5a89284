//! Publishing: all of an attachment's ports in one transaction, or none.

use nix::errno::Errno;
use vocab::{Attachment, PortMapping};

use super::claim::{Claim, Family};
use super::conflict::{self, Conflict, Counts};
use super::found::Found;
use super::note::{Note, Placed};
use super::plan::Plan;
use super::{Error, Publication, PublishedPort};
use crate::batch::Batch;
use crate::channel::{self, Channel, Request};
use crate::element::Element;
use crate::firewall::{Ensured, Firewall};
use crate::message;
use crate::owner::Owner;
use crate::skeleton::sets::PUBLISHERS;
use crate::skeleton::{PACKETS, PORT_CHAINS};
use crate::table;

impl Firewall {
    /// Publishes an attachment's ports. What the attachment published before and no longer asks for is withdrawn; a
    /// port that another attachment of the same container has stays with that one, for it leads to the container
    /// either way.
    ///
    /// # Errors
    /// [`Error::Taken`], [`Error::Twice`], [`Error::Loopback6`], [`Error::Publish`]; then nothing was changed.
    pub fn publish(&mut self, publication: &Publication<'_>) -> Result<Ensured, Error> {
        let plan = Plan::new(publication)?;
        let mut look = Look::AtOthers;
        let published = self.attempt(|channel| publish(channel, publication.attachment, &plan, &mut look));
        let published = published.map_err(|source| Error::Publish {
            owner: plan.owner.clone(),
            count: plan.claims.len(),
            source,
        })?;
        published.map_err(|Taken { mapping, owner }| Error::Taken { mapping, owner })
    }
}

/// Somebody else has a port.
struct Taken {
    mapping: PortMapping,
    owner: Owner,
}

/// What is looked at before the transaction.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    /// What the maps do not see by themselves. Whether the very keys are free the transaction will find out.
    AtOthers,
    /// The keys, too: some of them are not free.
    AtKeys,
}

fn publish(
    channel: &mut Channel,
    attachment: &Attachment,
    plan: &Plan,
    look: &mut Look,
) -> Result<Result<Ensured, Taken>, channel::Error> {
    let mut scene = Scene::look(channel, attachment, plan)?;
    let mut ensured = Ensured::AlreadyThere;
    if !scene.is_current {
        table::install(channel, &PACKETS, &[])?;
        ensured = Ensured::Added;
        scene = Scene::look(channel, attachment, plan)?;
    }
    let mut own = match &scene.publisher {
        Some(publisher) => Found::belongings(channel, publisher)?,
        None => Found::default(),
    };
    let is_of_another = |conflict: &Conflict| !conflict.owner.is_container_of(&plan.owner);
    // Two attachments of one container may have a port at one address and at all of them: it leads to the container.
    let mut in_the_way = conflict::find(channel, &plan.claims, &plan.owner)?;
    in_the_way.retain(is_of_another);
    if *look == Look::AtKeys {
        let (recovered, taken) = find_keys(channel, plan)?;
        own.extend(recovered);
        in_the_way.extend(taken);
    }
    if let Some(taken) = in_the_way.iter().find(|conflict| is_of_another(conflict)) {
        return Ok(Err(Taken { mapping: taken.claim.mapping, owner: taken.owner.clone() }));
    }
    let is_free = |claim: &&Claim| !in_the_way.iter().any(|conflict| conflict.claim == **claim);
    let claims: Vec<Claim> = plan.claims.iter().filter(is_free).copied().collect();
    let batch = scene.change(channel, attachment, plan, &claims, &own)?;
    if batch.changes.is_empty() {
        return Ok(Ok(ensured));
    }
    let committed = channel.commit(batch);
    if let Err(channel::Error::Refused { errno: Errno::EEXIST, request: Request::AddElements, .. }) =
        committed
    {
        *look = Look::AtKeys;
    }
    committed.map(|()| Ok(Ensured::Added))
}

/// Who has the keys: the attachment itself, without a note of it, or others.
fn find_keys(channel: &mut Channel, plan: &Plan) -> Result<(Vec<Placed>, Vec<Conflict>), channel::Error> {
    let place = |claim: &Claim| (claim.host.map(), claim.host.element());
    let found = Found::look(channel, plan.claims.iter().map(place))?;
    let (mut own, mut taken) = (Vec::new(), Vec::new());
    for claim in &plan.claims {
        let (set, element) = place(claim);
        let Some(element) = found.get(set, &element) else { continue };
        let owner = Owner::from_comment(element.comment().unwrap_or_default());
        match owner == plan.owner {
            true => own.push((set, element.clone())),
            false => taken.push(Conflict { claim: *claim, owner }),
        }
    }
    Ok((own, taken))
}

/// What is there when ports are to be published.
pub(super) struct Scene {
    pub(super) generation: u32,
    /// Whether all rules are in place.
    pub(super) is_current: bool,
    /// The attachment's element among the publishers.
    pub(super) publisher: Option<Element>,
    /// What stands where the elements should stand that tell who is masqueraded.
    clients: Found,
}

impl Scene {
    pub(super) fn look(
        channel: &mut Channel,
        attachment: &Attachment,
        plan: &Plan,
    ) -> Result<Self, channel::Error> {
        let mut questions: Vec<_> =
            PORT_CHAINS.iter().map(|chain| table::question(&PACKETS, chain)).collect();
        let publisher = message::get_element(&PACKETS, &PUBLISHERS, &Note::place(attachment));
        questions.push((PACKETS.family.into(), publisher));
        let (generation, answers) = channel.ask_at_generation(questions)?;
        let mut chains = PORT_CHAINS.iter().zip(&answers);
        let is_current = chains.all(|(chain, answer)| table::is_current(&PACKETS, chain, answer.as_deref()));
        let publisher = answers.last().and_then(Option::as_deref);
        let publisher = publisher.and_then(|answer| Element::parse_list(answer).into_iter().next());
        let clients = Found::look(channel, plan.note.clients())?;
        Ok(Self { generation, is_current, publisher, clients })
    }

    /// What turns what the attachment has into what it should have.
    fn change(
        &self,
        channel: &mut Channel,
        attachment: &Attachment,
        plan: &Plan,
        claims: &[Claim],
        own: &Found,
    ) -> Result<Batch, channel::Error> {
        let mut batch = Batch::guarded(self.generation);
        let mut counts = Counts::default();
        let note = plan.note.with(claims);
        let ports: Found =
            claims.iter().map(|claim| (claim.host.map(), claim.element(&plan.owner))).collect();
        let clients: Found = note
            .clients()
            .into_iter()
            .map(|(set, element)| (set, element.with_comment(plan.owner.as_str())))
            .collect();
        for (set, element) in own.iter() {
            let wanted = ports.get(set, element).or_else(|| clients.get(set, element));
            if wanted != Some(element) {
                batch.delete(&PACKETS, set, std::slice::from_ref(element));
                let port = PublishedPort::read(set, element);
                port.into_iter().for_each(|port| counts.change(port.host(), -1));
            }
        }
        for family in [Family::V4, Family::V6] {
            let of_family = claims.iter().filter(|claim| claim.host.family == family);
            let missing: Vec<_> = of_family
                .map(|claim| (claim, claim.element(&plan.owner)))
                .filter(|(claim, element)| own.get(claim.host.map(), element) != Some(element))
                .collect();
            missing.iter().for_each(|(claim, _)| counts.change(claim.host, 1));
            for set in [family.ports(), family.address_ports()] {
                let elements = missing.iter().filter(|(claim, _)| claim.host.map() == set);
                let elements: Vec<_> = elements.map(|(_, element)| element.clone()).collect();
                batch.claim(&PACKETS, set, &elements);
            }
        }
        self.change_clients(&mut batch, &clients, own);
        self.change_note(&mut batch, attachment, plan, &note);
        counts.write(channel, &mut batch)?;
        Ok(batch)
    }

    /// An address that is this container's now was another's before: what that one left is replaced.
    fn change_clients(&self, batch: &mut Batch, clients: &Found, own: &Found) {
        for (set, element) in clients.iter() {
            match self.clients.get(set, element) {
                Some(found) if found == element => continue,
                Some(found) if own.get(set, found).is_none() => {
                    batch.delete(&PACKETS, set, std::slice::from_ref(found));
                }
                _ => {}
            }
            batch.add(&PACKETS, set, std::slice::from_ref(element));
        }
    }

    fn change_note(&self, batch: &mut Batch, attachment: &Attachment, plan: &Plan, note: &Note) {
        let wanted = (!note.hosts.is_empty()).then(|| note.element(attachment, &plan.owner));
        if self.publisher == wanted {
            return;
        }
        if let Some(before) = &self.publisher {
            batch.delete(&PACKETS, &PUBLISHERS, std::slice::from_ref(before));
        }
        if let Some(wanted) = wanted {
            batch.add(&PACKETS, &PUBLISHERS, &[wanted]);
        }
    }
}
