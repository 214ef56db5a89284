//! One operation on a store, from taking the lock to giving it up.

use std::net::IpAddr;
use std::path::Path;
use std::rc::Rc;

use vocab::NetworkName;

use crate::directory::{LeaseDirectory, State};
use crate::disk::DiskHints;
use crate::error::StoreError;
use crate::hints::Backing;
use crate::lease_file::{self, Content, Holder};
use crate::memory::MemoryHints;
use crate::range_set::{Lease, RangeSet};
use crate::scan::{self, LastLeases, Survey, last_file};
use crate::stamp::Stamp;

/// The locked directory, the hints that hold for it, and what was read on the way.
pub(crate) struct Session {
    pub(crate) directory: Rc<LeaseDirectory>,
    pub(crate) backing: Backing,
    last: LastLeases,
    survey: Option<Survey>,
}

impl Session {
    /// Takes over the hints, or rebuilds them if the directory is not as we left it.
    pub(crate) fn begin(directory: LeaseDirectory, run_dir: &Path) -> Result<Self, StoreError> {
        let state = state(&directory)?;
        let hints = DiskHints::ensure(run_dir, state).ok();
        let stamp = hints.as_ref().and_then(DiskHints::stamp).filter(|stamp| holds(stamp, state, &directory));
        let directory = Rc::new(directory);
        match (hints, stamp) {
            (Some(hints), Some(Stamp { last, .. })) => {
                Ok(Self { directory, backing: Backing::Disk(hints), last, survey: None })
            }
            (hints, _) => Self::rebuilt(directory, hints),
        }
    }

    /// The same without looking at the hints: they are rebuilt from a scan in any case.
    pub(crate) fn begin_with_scan(directory: LeaseDirectory, run_dir: &Path) -> Result<Self, StoreError> {
        let hints = DiskHints::ensure(run_dir, state(&directory)?).ok();
        Self::rebuilt(Rc::new(directory), hints)
    }

    fn rebuilt(directory: Rc<LeaseDirectory>, hints: Option<DiskHints>) -> Result<Self, StoreError> {
        let survey = scan::scan(&directory)?;
        let backing = backing(hints, &survey);
        Ok(Self { directory, backing, last: survey.last.clone(), survey: Some(survey) })
    }

    /// What the directory holds, if this operation has read it.
    pub(crate) fn survey(&self) -> Option<&Survey> {
        self.survey.as_ref()
    }

    /// Reads the directory and makes new hints of it.
    fn rebuild(&mut self) -> Result<(), StoreError> {
        let survey = scan::scan(&self.directory)?;
        self.last.clone_from(&survey.last);
        self.adopt(survey);
        Ok(())
    }

    /// Makes new hints of `survey`.
    pub(crate) fn adopt(&mut self, survey: Survey) {
        let nowhere = Backing::Memory(MemoryHints::new(&Survey::default()));
        let hints = match std::mem::replace(&mut self.backing, nowhere) {
            Backing::Disk(hints) => Some(hints),
            Backing::Memory(_) => None,
        };
        self.backing = backing(hints, &survey);
        self.survey = Some(survey);
    }

    /// The hints are unreadable: goes on without any on disk. Those there stay crossed out.
    fn fall_back(&mut self) -> Result<(), StoreError> {
        self.cross_out();
        let survey = scan::scan(&self.directory)?;
        self.backing = Backing::Memory(MemoryHints::new(&survey));
        self.survey = Some(survey);
        Ok(())
    }

    /// To be called before anything is changed: should we be killed, nobody trusts the hints.
    pub(crate) fn cross_out(&mut self) {
        if let Backing::Disk(hints) = &mut self.backing {
            hints.cross_out();
        }
    }

    /// The files that `holder` may have.
    pub(crate) fn files(&mut self, holder: &Holder) -> Result<Vec<String>, StoreError> {
        let key = holder.key();
        if let Ok(files) = self.backing.hints().files(&key) {
            return Ok(files);
        }
        self.fall_back()?;
        // Hints in memory never fail.
        Ok(self.backing.hints().files(&key).unwrap_or_default())
    }

    /// Those of `files` that really are leases of `holder`, as addresses.
    pub(crate) fn verify(&self, files: &[String], holder: &Holder) -> Vec<IpAddr> {
        let folder = &self.directory.folder;
        let held = files.iter().filter(
            |file| matches!(lease_file::read(folder, file), Content::Lease(found) if found == *holder),
        );
        held.filter_map(|file| file.parse().ok()).collect()
    }

    /// The addresses that `holder` really has.
    pub(crate) fn addresses(&mut self, holder: &Holder) -> Result<Vec<IpAddr>, StoreError> {
        let files = self.files(holder)?;
        Ok(self.verify(&files, holder))
    }

    /// The next free address of a set, as far as the hints know. "None" is believed only after a scan.
    pub(crate) fn find_free(
        &mut self,
        network: &NetworkName,
        number: usize,
        set: &RangeSet,
    ) -> Result<Lease, StoreError> {
        loop {
            let last = self.last.get(&number).copied().flatten();
            match set.next_free(last, self.backing.hints()) {
                Ok(Some(lease)) => return Ok(lease),
                Ok(None) => match &self.survey {
                    Some(survey) => {
                        let leases = survey.leases.iter().filter(|found| set.contains(found.address)).count();
                        let (network, ranges) = (network.clone(), set.to_string());
                        return Err(StoreError::Exhausted { network, set: number, ranges, leases });
                    }
                    None => self.rebuild()?,
                },
                Err(_) => self.fall_back()?,
            }
        }
    }

    /// There is a file for an address that the hints call free.
    pub(crate) fn contradict(&mut self, address: IpAddr) -> Result<(), StoreError> {
        match self.survey {
            Some(_) => self.backing.hints().mark(address),
            None => self.rebuild()?,
        }
        Ok(())
    }

    /// Takes `files` from what the hints say that `holder` has, and their addresses from the taken ones.
    pub(crate) fn forget(&mut self, holder: &Holder, files: &[String]) {
        let hints = self.backing.hints();
        for address in files.iter().filter_map(|file| file.parse().ok()) {
            hints.clear(address);
        }
        let key = holder.key();
        let kept = hints.files(&key).unwrap_or_default();
        let kept: Vec<String> = kept.into_iter().filter(|file| !files.contains(file)).collect();
        hints.set_files(&key, &kept);
    }

    /// Writes down the address that was leased last.
    pub(crate) fn set_last(&mut self, set: usize, address: IpAddr) -> Result<(), StoreError> {
        let file = last_file(set);
        let written = self.directory.folder.write(&file, &address.to_string());
        written.map_err(|source| StoreError::Write { path: self.directory.path_of(&file), source })?;
        self.last.insert(set, Some(address));
        Ok(())
    }

    /// Ends the operation: the hints hold until somebody else changes the directory.
    pub(crate) fn finish(self) {
        let Backing::Disk(hints) = self.backing else { return };
        if let Ok(State { changed, .. }) = self.directory.folder.state() {
            hints.finish(&Stamp { changed, last: self.last });
        }
    }
}

fn backing(hints: Option<DiskHints>, survey: &Survey) -> Backing {
    let rebuilt = hints.and_then(|mut hints| hints.rebuild(survey).ok().map(|()| hints));
    rebuilt.map_or_else(|| Backing::Memory(MemoryHints::new(survey)), Backing::Disk)
}

fn state(directory: &LeaseDirectory) -> Result<State, StoreError> {
    let state = directory.folder.state();
    state.map_err(|source| StoreError::Read { path: directory.folder.path.clone(), source })
}

fn holds(stamp: &Stamp, state: State, directory: &LeaseDirectory) -> bool {
    let mut last = stamp.last.iter();
    state.changed == stamp.changed
        && last.all(|(set, last)| scan::read_last(directory, *set).is_ok_and(|now| now == *last))
}
