//! Garbage collection, and the report of everything that is in a store.

use std::collections::HashSet;

use vocab::{Attachment, ContainerId};

use crate::directory::LeaseDirectory;
use crate::error::StoreError;
use crate::lease_file::{self, Holder};
use crate::scan::{Found, Survey};
use crate::session::Session;
use crate::store::Store;

/// What a collection did.
#[derive(Debug, Default)]
pub struct Collected {
    /// The leases that are gone.
    pub removed: Vec<Found>,
    /// Those that should be, but could not be removed.
    pub failed: Vec<StoreError>,
}

impl Store {
    /// Removes every lease of this network whose holder is not in `valid`, and goes on over failures. A lease
    /// that names the container only stays as long as any attachment of that container is valid. Files that
    /// are no leases stay, but for torn ones.
    ///
    /// # Errors
    /// [`StoreError`] when the directory cannot be read at all.
    pub fn retain<'a>(
        &self,
        valid: impl IntoIterator<Item = &'a Attachment>,
    ) -> Result<Collected, StoreError> {
        let Some(mut session) = self.find_session_with_scan()? else { return Ok(Collected::default()) };
        let valid = Valid::of(valid);
        let (kept, doomed) = session.leases().into_iter().partition(|found| valid.contains(&found.holder));
        let collected = session.collect(kept, doomed);
        session.finish();
        Ok(collected)
    }

    /// Reads the whole directory. Torn leases are removed on the way.
    ///
    /// # Errors
    /// [`StoreError`] when the directory cannot be read.
    pub fn survey(&self) -> Result<Survey, StoreError> {
        let Some(session) = self.find_session_with_scan()? else { return Ok(Survey::default()) };
        let survey = session.survey().cloned().unwrap_or_default();
        session.finish();
        Ok(survey)
    }

    fn find_session_with_scan(&self) -> Result<Option<Session>, StoreError> {
        let directory = LeaseDirectory::find_locked(self.directory())?;
        directory.map(|directory| Session::begin_with_scan(directory, self.run_dir())).transpose()
    }
}

/// The attachments that are still there, for looking up.
#[derive(Default)]
struct Valid<'a> {
    attachments: HashSet<(&'a str, &'a str)>,
    containers: HashSet<&'a ContainerId>,
}

impl<'a> Valid<'a> {
    fn of(valid: impl IntoIterator<Item = &'a Attachment>) -> Self {
        let mut known = Self::default();
        for Attachment { container, interface } in valid {
            known.attachments.insert((container.as_str(), interface.as_str()));
            known.containers.insert(container);
        }
        known
    }

    fn contains(&self, holder: &Holder) -> bool {
        match &holder.interface {
            Some(interface) => self.attachments.contains(&(holder.container.as_str(), interface.as_str())),
            None => self.containers.contains(&holder.container),
        }
    }
}

impl Session {
    fn leases(&self) -> Vec<Found> {
        self.survey().map(|survey| survey.leases.clone()).unwrap_or_default()
    }

    fn collect(&mut self, mut kept: Vec<Found>, doomed: Vec<Found>) -> Collected {
        let mut collected = Collected::default();
        if doomed.is_empty() {
            return collected;
        }
        self.cross_out();
        for found in doomed {
            match lease_file::remove(&self.directory.folder, &found.file) {
                Ok(()) => collected.removed.push(found),
                Err(source) => {
                    collected
                        .failed
                        .push(StoreError::Remove { path: self.directory.path_of(&found.file), source });
                    kept.push(found);
                }
            }
        }
        let survey = self.survey().cloned().unwrap_or_default();
        self.adopt(Survey { leases: kept, ..survey });
        collected
    }
}
