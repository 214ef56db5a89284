//! Elements that were looked for, and those of one owner.

use std::collections::HashMap;

use super::claim::MAPS;
use super::note::{CLIENT_SETS, Note, Placed};
use crate::channel::{self, Channel};
use crate::element::Element;
use crate::message;
use crate::owner::Owner;
use crate::ruleset::Set;
use crate::skeleton::PACKETS;
use crate::table;

/// Elements by their place.
#[derive(Debug, Default)]
pub(super) struct Found(HashMap<(&'static str, Vec<u8>), (&'static Set, Element)>);

impl Found {
    /// Looks for elements by their keys.
    pub(super) fn look(
        channel: &mut Channel,
        places: impl IntoIterator<Item = Placed>,
    ) -> Result<Self, channel::Error> {
        let places: Vec<_> = places.into_iter().collect();
        let question =
            |(set, element): &Placed| (PACKETS.family.into(), message::get_element(&PACKETS, set, element));
        let answers = channel.ask(places.iter().map(question).collect())?;
        let found = places
            .iter()
            .zip(answers)
            .filter_map(|((set, _), answer)| Some((*set, Element::parse_list(&answer?).into_iter().next()?)));
        Ok(found.collect())
    }

    /// What an attachment has, as its note tells; every element is looked at, and only those count that bear the
    /// same owner as the note. Without a note, or with one that does not tell everything, all elements are listed.
    pub(super) fn belongings(channel: &mut Channel, publisher: &Element) -> Result<Self, channel::Error> {
        let owner = publisher.comment().unwrap_or_default();
        let is_ours = |element: &Element| element.comment() == Some(owner);
        let Some(note) = Note::read(publisher).filter(|note| note.is_whole) else {
            return Self::list(channel, is_ours);
        };
        let ports = note.hosts.iter().map(|host| (host.map(), host.element()));
        let mut found = Self::look(channel, ports.chain(note.clients()))?;
        found.0.retain(|_, (_, element)| is_ours(element));
        Ok(found)
    }

    fn list(channel: &mut Channel, is_ours: impl Fn(&Element) -> bool) -> Result<Self, channel::Error> {
        let mut all = Vec::new();
        for set in MAPS.into_iter().chain(CLIENT_SETS) {
            let elements = table::elements(channel, &PACKETS, set)?.into_iter().filter(&is_ours);
            all.extend(elements.map(|element| (set, element)));
        }
        Ok(all.into_iter().collect())
    }

    /// The element at the place of another.
    pub(super) fn get(&self, set: &'static Set, element: &Element) -> Option<&Element> {
        self.0.get(&(set.name, element.key.clone())).map(|(_, element)| element)
    }

    /// The owner of the element at the place of another.
    pub(super) fn owner(&self, set: &'static Set, element: &Element) -> Option<Owner> {
        self.get(set, element).map(|found| Owner::from_comment(found.comment().unwrap_or_default()))
    }

    pub(super) fn extend(&mut self, placed: Vec<Placed>) {
        self.0.extend(placed.into_iter().collect::<Self>().0);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Placed> {
        self.0.values()
    }
}

impl FromIterator<Placed> for Found {
    fn from_iter<I: IntoIterator<Item = Placed>>(placed: I) -> Self {
        let entry = |(set, element): Placed| ((set.name, element.key.clone()), (set, element));
        Self(placed.into_iter().map(entry).collect())
    }
}
