//! Leasing: an address of every set, or none at all.

use std::net::IpAddr;
use std::rc::Rc;

use undo::{Failed, Undo};
use vocab::{Attachment, NetworkName};

use crate::error::StoreError;
use crate::lease_file::{self, Content, Occupant, holder, old_holder};
use crate::range_set::{Lease, RangeSet, Ranges};
use crate::session::Session;
use crate::store::Store;

impl Store {
    /// Leases an address of every set to `owner`: the one that is `requested`, else the next free one. The
    /// leases are in the order of the sets.
    ///
    /// # Errors
    /// The [`StoreError`] that stands in the way of one set; then there is a lease from no set.
    pub fn allocate(
        &self,
        ranges: &Ranges,
        owner: &Attachment,
        requested: &[IpAddr],
    ) -> Result<Vec<Lease>, Failed<StoreError>> {
        let alone = |cause| Failed { cause, left: Vec::new() };
        let wanted = ranges.assign(requested).map_err(|error| alone(error.into()))?;
        let mut session = self.session().map_err(alone)?;
        let mut files = Vec::new();
        let leased = undo::attempt(|undo| {
            let (network, session) = (&self.network, &mut session);
            Leasing { network, owner, session, files: &mut files }.lease(ranges, &wanted, undo)
        });
        match &leased {
            // A lease stayed that should have gone: its DEL must find it, so the hints stay crossed out.
            Err(failed) if !failed.left.is_empty() => return leased,
            // A scan for a last free address may have seen the leases that were undone just now.
            Err(_) if !files.is_empty() => session.forget(&holder(owner), &files),
            _ => {}
        }
        session.finish();
        leased
    }
}

struct Leasing<'a> {
    network: &'a NetworkName,
    owner: &'a Attachment,
    session: &'a mut Session,
    /// The leases made so far.
    files: &'a mut Vec<String>,
}

impl Leasing<'_> {
    fn lease(
        &mut self,
        ranges: &Ranges,
        wanted: &[Option<Lease>],
        undo: &mut Undo<'static>,
    ) -> Result<Vec<Lease>, StoreError> {
        self.refuse_second(ranges)?;
        self.session.cross_out();
        let mut leases = Vec::with_capacity(wanted.len());
        for (number, (set, wanted)) in ranges.sets().iter().zip(wanted).enumerate() {
            let lease = match wanted {
                Some(lease) => self.lease_requested(*lease)?,
                None => self.lease_next(number, set)?,
            };
            self.push_reverse(lease.address.ip(), undo);
            self.session.set_last(number, lease.address.ip())?;
            leases.push(lease);
        }
        self.note(&leases)?;
        Ok(leases)
    }

    /// One ADD, one DEL: the specification forbids a second ADD, and it would hide a lease from its DEL.
    fn refuse_second(&mut self, ranges: &Ranges) -> Result<(), StoreError> {
        let mut held = self.session.addresses(&holder(self.owner))?;
        held.extend(self.session.addresses(&old_holder(self.owner))?);
        for address in held {
            if let Some(set) = ranges.sets().iter().position(|set| set.contains(address)) {
                let (network, owner) = (self.network.clone(), Box::new(self.owner.clone()));
                return Err(StoreError::Held { network, owner, address, set });
            }
        }
        Ok(())
    }

    fn lease_requested(&mut self, lease: Lease) -> Result<Lease, StoreError> {
        let address = lease.address.ip();
        let mut created = self.create(address)?;
        let mut occupant = Occupant::Unknown;
        if !created {
            match lease_file::read(&self.session.directory.folder, &address.to_string()) {
                Content::Lease(holder) => occupant = Occupant::Holder(holder),
                Content::Strange(_) | Content::Unreadable(_) => {}
                // The scan removes a torn lease.
                Content::Empty { .. } | Content::Missing => {
                    self.session.contradict(address)?;
                    created = self.create(address)?;
                }
            }
        }
        let network = || self.network.clone();
        if created { Ok(lease) } else { Err(StoreError::Occupied { network: network(), address, occupant }) }
    }

    /// The hints propose, the file system decides.
    fn lease_next(&mut self, number: usize, set: &RangeSet) -> Result<Lease, StoreError> {
        loop {
            let lease = self.session.find_free(self.network, number, set)?;
            if self.create(lease.address.ip())? {
                return Ok(lease);
            }
            self.session.contradict(lease.address.ip())?;
        }
    }

    fn create(&self, address: IpAddr) -> Result<bool, StoreError> {
        let directory = &self.session.directory;
        let created = lease_file::create(&directory.folder, address, self.owner);
        created.map_err(|source| StoreError::Write { path: directory.path_of(&address.to_string()), source })
    }

    fn push_reverse(&mut self, address: IpAddr, undo: &mut Undo<'static>) {
        let (directory, file) = (Rc::clone(&self.session.directory), address.to_string());
        self.files.push(file.clone());
        undo.push(format!("remove lease {address}"), move || lease_file::remove(&directory.folder, &file));
    }

    /// Tells the hints, now that nothing can fail any more.
    fn note(&mut self, leases: &[Lease]) -> Result<(), StoreError> {
        let holder = holder(self.owner);
        let mut files = self.session.files(&holder)?;
        files.retain(|file| !self.files.contains(file));
        files.extend_from_slice(self.files);
        let hints = self.session.backing.hints();
        leases.iter().for_each(|lease| hints.mark(lease.address.ip()));
        hints.set_files(&holder.key(), &files);
        Ok(())
    }
}
