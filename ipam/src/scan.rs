//! Reading the whole lease directory: the truth, at the price of a read a lease.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::IpAddr;

use crate::boot;
use crate::directory::LeaseDirectory;
use crate::error::StoreError;
use crate::lease_file::{self, Content, Holder};

/// What the names of the files begin with that hold the address leased last, one a set.
const LAST: &str = "last_reserved_ip.";

/// A lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The address.
    pub address: IpAddr,
    /// Its file.
    pub file: String,
    /// Who has it.
    pub holder: Holder,
}

/// A file that has the name of an address and is no lease. It keeps its address from being leased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strange {
    /// The address.
    pub address: IpAddr,
    /// The file.
    pub file: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Everything in a lease directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// The leases.
    pub leases: Vec<Found>,
    /// What should not be there.
    pub strange: Vec<Strange>,
    /// The torn leases that were removed: files that were empty and older than the boot.
    pub reclaimed: Vec<IpAddr>,
    pub(crate) last: LastLeases,
}

/// The address leased last, by the number of the set; nothing where the file holds no address.
pub(crate) type LastLeases = BTreeMap<usize, Option<IpAddr>>;

/// The name of the file that holds the address leased last in set `set`.
pub(crate) fn last_file(set: usize) -> String {
    format!("{LAST}{set}")
}

/// The address that `last_file(set)` holds.
pub(crate) fn read_last(directory: &LeaseDirectory, set: usize) -> io::Result<Option<IpAddr>> {
    let mut buffer = [0; 64];
    let bytes = directory.folder.read(&last_file(set), &mut buffer)?;
    Ok(bytes.and_then(|bytes| std::str::from_utf8(bytes).ok()?.trim().parse().ok()))
}

/// Reads every file, and removes the torn ones.
pub(crate) fn scan(directory: &LeaseDirectory) -> Result<Survey, StoreError> {
    let path = &directory.folder.path;
    let unreadable = |source| StoreError::Read { path: path.clone(), source };
    let mut survey = Survey::default();
    for entry in fs::read_dir(path).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        let Some(name) = name.to_str() else { continue };
        if let Some(set) = name.strip_prefix(LAST).and_then(|set| set.parse().ok()) {
            // What cannot be read is no more than a lost place in the order.
            survey.last.insert(set, read_last(directory, set).unwrap_or_default());
        } else if let Ok(address) = name.parse() {
            survey.add(directory, name, address);
        }
    }
    Ok(survey)
}

impl Survey {
    fn add(&mut self, directory: &LeaseDirectory, name: &str, address: IpAddr) {
        let file = name.to_owned();
        match lease_file::read(&directory.folder, name) {
            Content::Lease(holder) => self.leases.push(Found { address, file, holder }),
            Content::Empty { modified } => match reclaim(directory, name, modified) {
                Ok(()) => self.reclaimed.push(address),
                Err(reason) => self.strange.push(Strange { address, file, reason }),
            },
            Content::Strange(reason) => self.strange.push(Strange { address, file, reason }),
            Content::Unreadable(error) => {
                self.strange.push(Strange { address, file, reason: error.to_string() });
            }
            Content::Missing => {}
        }
    }

    /// Every address that a file stands for.
    pub(crate) fn taken(&self) -> impl Iterator<Item = IpAddr> {
        let strange = self.strange.iter().map(|strange| strange.address);
        self.leases.iter().map(|found| found.address).chain(strange)
    }

    /// The files of each holder.
    pub(crate) fn files_by_key(&self) -> BTreeMap<String, Vec<&str>> {
        let mut files: BTreeMap<_, Vec<&str>> = BTreeMap::new();
        for found in &self.leases {
            files.entry(found.holder.key()).or_default().push(&found.file);
        }
        files
    }
}

/// Removes a file that is empty and older than the boot: nobody is still about to write to it.
fn reclaim(directory: &LeaseDirectory, name: &str, modified: std::time::SystemTime) -> Result<(), String> {
    match boot::time() {
        Some(boot) if modified < boot => lease_file::remove(&directory.folder, name)
            .map_err(|error| format!("it is empty, and stays: {error}")),
        _ => Err("it is empty".to_owned()),
    }
}
