//! Giving leases back, and looking at what one attachment has.

use std::net::IpAddr;

use vocab::Attachment;

use crate::error::StoreError;
use crate::lease_file::{self, Content, Holder, holder, old_holder};
use crate::session::Session;
use crate::store::Store;

impl Store {
    /// Removes every lease of `owner`, and tells which addresses are free now; none if there was nothing to
    /// do. Leases that name the container only are removed if there is none that names the interface, too.
    ///
    /// # Errors
    /// The first lease that cannot be removed; the others are gone all the same.
    pub fn release(&self, owner: &Attachment) -> Result<Vec<IpAddr>, StoreError> {
        let Some(mut session) = self.find_session()? else { return Ok(Vec::new()) };
        let released = match session.release(&holder(owner)) {
            Ok(none) if none.is_empty() => session.release(&old_holder(owner)),
            released => released,
        };
        session.finish();
        released
    }

    /// The addresses that `owner` has, in no order.
    ///
    /// # Errors
    /// [`StoreError`] when the leases cannot be read.
    pub fn find(&self, owner: &Attachment) -> Result<Vec<IpAddr>, StoreError> {
        let Some(mut session) = self.find_session()? else { return Ok(Vec::new()) };
        let mut addresses = session.addresses(&holder(owner))?;
        if addresses.is_empty() {
            addresses = session.addresses(&old_holder(owner))?;
        }
        session.finish();
        Ok(addresses)
    }
}

impl Session {
    fn release(&mut self, holder: &Holder) -> Result<Vec<IpAddr>, StoreError> {
        let files = self.files(holder)?;
        if files.is_empty() {
            return Ok(Vec::new());
        }
        self.cross_out();
        let (mut released, mut gone, mut failed) = (Vec::new(), Vec::new(), None);
        for file in files {
            match self.remove(&file, holder) {
                Ok(removed) => {
                    gone.push(file.clone());
                    released.extend(removed);
                }
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        self.forget(holder, &gone);
        failed.map_or(Ok(released), Err)
    }

    /// Removes one file, if it still is a lease of `holder`; the hints may be wrong about that.
    fn remove(&self, file: &str, holder: &Holder) -> Result<Option<IpAddr>, StoreError> {
        let folder = &self.directory.folder;
        match lease_file::read(folder, file) {
            Content::Lease(found) if found == *holder => {
                let removed = lease_file::remove(folder, file);
                removed
                    .map_err(|source| StoreError::Remove { path: self.directory.path_of(file), source })?;
                Ok(file.parse().ok())
            }
            // It may be the lease that is to go.
            Content::Unreadable(source) => {
                Err(StoreError::Read { path: self.directory.path_of(file), source })
            }
            _ => Ok(None),
        }
    }
}
