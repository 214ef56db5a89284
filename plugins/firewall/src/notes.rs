//! What was opened for whom, for the DEL that is not told and for GC.
//!
//! iptables' rules must be exactly the reference's, so they cannot bear an owner. Below `/run/netctl/firewall`, which
//! dies with the boot as the rules do, there is instead:
//!
//! * `attachments/NETWORK:CONTAINER:INTERFACE`, which says what was opened and by whom;
//! * `addresses/ADDRESS`, which says who has the address now: a DEL that comes late must not close the way of the
//!   container that has got the address since.
//!
//! Each is a symbolic link whose target is the text: made in one system call, so it is there whole or not at all, and
//! `ls -l` shows everything.

use std::fs;
use std::io::{self, ErrorKind};
use std::net::IpAddr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use firewall::Owner;
use vocab::{Attachment, InterfaceName, NetworkName};

use crate::error::StepFault;

/// What was opened for an attachment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Note {
    /// For which addresses.
    pub(crate) addresses: Vec<IpAddr>,
    /// In which zone of firewalld, if firewalld did it.
    pub(crate) zone: Option<String>,
    /// Which bridge was closed.
    pub(crate) bridge: Option<InterfaceName>,
    /// The attachment's own interfaces on the host.
    pub(crate) ports: Vec<InterfaceName>,
    /// Those of them that we keep apart from the bridge's other isolated ports.
    pub(crate) apart: Vec<InterfaceName>,
}

/// The folder.
#[derive(Debug, Clone)]
pub(crate) struct Notes {
    attachments: PathBuf,
    addresses: PathBuf,
}

impl Notes {
    pub(crate) fn new() -> Self {
        Self::below(&cni::run_dir())
    }

    fn below(run_dir: &Path) -> Self {
        let folder = run_dir.join("firewall");
        Self { attachments: folder.join("attachments"), addresses: folder.join("addresses") }
    }

    /// What was opened for an attachment.
    pub(crate) fn find(&self, owner: &Owner) -> Result<Option<Note>, StepFault> {
        Ok(read(&self.attachments.join(file_name(owner)))?.map(|text| Note::parse(&text)))
    }

    /// Writes down what is about to be opened.
    pub(crate) fn write(&self, owner: &Owner, note: &Note) -> Result<(), StepFault> {
        let name = file_name(owner);
        // First the one by which DEL and GC find the others.
        put(&self.attachments.join(&name), &note.text())?;
        note.addresses.iter().try_for_each(|address| put(&self.addresses.join(address.to_string()), &name))
    }

    /// Forgets an attachment, and that it has these addresses.
    pub(crate) fn remove(&self, owner: &Owner, addresses: &[IpAddr]) -> Result<(), StepFault> {
        self.remove_addresses(owner, addresses)?;
        remove(&self.attachments.join(file_name(owner)))
    }

    /// Forgets that an attachment has these addresses.
    pub(crate) fn remove_addresses(&self, owner: &Owner, addresses: &[IpAddr]) -> Result<(), StepFault> {
        for address in addresses {
            if self.holder(*address)?.is_some_and(|holder| holder == *owner) {
                remove(&self.addresses.join(address.to_string()))?;
            }
        }
        Ok(())
    }

    /// Those of the addresses that nobody else has got since.
    pub(crate) fn still_of(&self, owner: &Owner, addresses: &[IpAddr]) -> Result<Vec<IpAddr>, StepFault> {
        let mut still = Vec::new();
        for address in addresses {
            if self.holder(*address)?.is_none_or(|holder| holder == *owner) {
                still.push(*address);
            }
        }
        Ok(still)
    }

    /// The attachments of a network, and what was opened for them.
    pub(crate) fn of_network(&self, network: &NetworkName) -> Result<Vec<(Owner, Note)>, StepFault> {
        let mut found = Vec::new();
        self.visit(|owner, read| {
            if owner.belongs_to(network)
                && let Some(note) = read()?
            {
                found.push((owner, note));
            }
            Ok(Visit::Continue)
        })?;
        Ok(found)
    }

    /// Whether anybody but `except` is noted as one for whom this bridge was closed.
    pub(crate) fn is_closed_for_others(
        &self,
        bridge: &InterfaceName,
        except: &Owner,
    ) -> Result<bool, StepFault> {
        let mut is_closed = false;
        self.visit(|owner, read| {
            let is_other = *except != owner;
            is_closed = is_other && read()?.is_some_and(|note| note.bridge.as_ref() == Some(bridge));
            Ok(if is_closed { Visit::Stop } else { Visit::Continue })
        })?;
        Ok(is_closed)
    }

    /// Goes through the attachments. What was opened for one is read only when it is asked for.
    fn visit(
        &self,
        mut each: impl FnMut(Owner, &dyn Fn() -> Result<Option<Note>, StepFault>) -> Result<Visit, StepFault>,
    ) -> Result<(), StepFault> {
        let failed = |source| StepFault::Note { action: "list", file: self.attachments.clone(), source };
        let entries = match fs::read_dir(&self.attachments) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(failed)?,
        };
        for entry in entries {
            let entry = entry.map_err(failed)?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            // One that vanishes while we look belongs to a DEL that is under way.
            let read = || Ok(read(&entry.path())?.map(|text| Note::parse(&text)));
            if each(owner_of(&name), &read)? == Visit::Stop {
                break;
            }
        }
        Ok(())
    }

    fn holder(&self, address: IpAddr) -> Result<Option<Owner>, StepFault> {
        Ok(read(&self.addresses.join(address.to_string()))?.map(|name| owner_of(&name)))
    }
}

impl Note {
    fn text(&self) -> String {
        let addresses = self.addresses.iter().map(|address| format!("address={address}"));
        let zone = self.zone.iter().map(|zone| format!("zone={zone}"));
        let bridge = self.bridge.iter().map(|bridge| format!("bridge={bridge}"));
        let ports = self.ports.iter().map(|port| format!("port={port}"));
        let apart = self.apart.iter().map(|port| format!("apart={port}"));
        // A link without a target cannot be made.
        let first = std::iter::once("version=1".to_owned());
        let words = first.chain(addresses).chain(zone).chain(bridge).chain(ports).chain(apart);
        words.collect::<Vec<_>>().join(" ")
    }

    /// What is not known here was written by a newer program, whose business it is.
    fn parse(text: &str) -> Self {
        let mut note = Self::default();
        for (key, value) in text.split(' ').filter_map(|word| word.split_once('=')) {
            match key {
                "address" => note.addresses.extend(value.parse::<IpAddr>()),
                "zone" => note.zone = Some(value.to_owned()),
                "bridge" => note.bridge = InterfaceName::new(value).ok(),
                "port" => note.ports.extend(InterfaceName::new(value)),
                "apart" => note.apart.extend(InterfaceName::new(value)),
                _ => {}
            }
        }
        note
    }
}

/// Whether there is more to see.
#[derive(PartialEq, Eq)]
enum Visit {
    Continue,
    Stop,
}

/// Whose note it is.
pub(crate) fn owner(network: &NetworkName, attachment: &Attachment) -> Owner {
    Owner::attachment(network, attachment)
}

/// No name of a network, a container or an interface has a colon in it.
fn file_name(owner: &Owner) -> String {
    owner.as_str().replace('/', ":")
}

fn owner_of(file_name: &str) -> Owner {
    Owner::from_comment(&file_name.replace(':', "/"))
}

fn read(file: &Path) -> Result<Option<String>, StepFault> {
    match fs::read_link(file) {
        Ok(target) => Ok(Some(target.to_string_lossy().into_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(StepFault::Note { action: "read", file: file.to_owned(), source }),
    }
}

fn put(file: &Path, text: &str) -> Result<(), StepFault> {
    let put = || -> io::Result<()> {
        match symlink(text, file) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                fs::create_dir_all(file.parent().unwrap_or(file))?;
                symlink(text, file)
            }
            // The earlier one is that of an ADD whose DEL never came.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                fs::remove_file(file)?;
                symlink(text, file)
            }
            done => done,
        }
    };
    put().map_err(|source| StepFault::Note { action: "write", file: file.to_owned(), source })
}

fn remove(file: &Path) -> Result<(), StepFault> {
    match fs::remove_file(file) {
        Err(source) if source.kind() != ErrorKind::NotFound => {
            Err(StepFault::Note { action: "remove", file: file.to_owned(), source })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vocab::ContainerId;

    struct Folder(PathBuf);

    impl Drop for Folder {
        fn drop(&mut self) {
            let _stays = fs::remove_dir_all(&self.0);
        }
    }

    fn folder(test: &str) -> (Folder, Notes) {
        let path = std::env::temp_dir().join(format!("firewall-notes-{}-{test}", std::process::id()));
        let notes = Notes::below(&path);
        (Folder(path), notes)
    }

    fn owner_named(container: &str) -> Owner {
        let interface = InterfaceName::new("eth0").unwrap();
        let attachment = Attachment::new(ContainerId::new(container).unwrap(), interface);
        owner(&NetworkName::new("net").unwrap(), &attachment)
    }

    fn note(address: &str) -> Note {
        Note {
            addresses: vec![address.parse().unwrap(), "fd00::2".parse().unwrap()],
            zone: Some("trusted".to_owned()),
            bridge: InterfaceName::new("br0").ok(),
            ports: vec![InterfaceName::new("veth=1").unwrap()],
            apart: vec![InterfaceName::new("veth=1").unwrap()],
        }
    }

    #[test]
    fn what_is_written_is_found_until_it_is_removed() {
        let (_folder, notes) = folder("written");
        let (one, network) = (owner_named("one"), NetworkName::new("net").unwrap());
        assert_eq!(notes.find(&one).unwrap(), None);
        assert_eq!(notes.of_network(&network).unwrap(), []);
        notes.write(&one, &note("10.1.0.2")).unwrap();
        notes.write(&one, &note("10.1.0.3")).unwrap();
        assert_eq!(notes.find(&one).unwrap(), Some(note("10.1.0.3")));
        assert_eq!(notes.of_network(&network).unwrap(), [(one.clone(), note("10.1.0.3"))]);
        assert_eq!(notes.of_network(&NetworkName::new("ne").unwrap()).unwrap(), []);
        for _ in 0..2 {
            notes.remove(&one, &note("10.1.0.3").addresses).unwrap();
            assert_eq!(notes.find(&one).unwrap(), None);
        }
    }

    #[test]
    fn an_address_is_of_whoever_got_it_last() {
        let (_folder, notes) = folder("last");
        let (one, two) = (owner_named("one"), owner_named("two"));
        let address: IpAddr = "10.1.0.2".parse().unwrap();
        notes.write(&one, &Note { addresses: vec![address], ..Note::default() }).unwrap();
        assert_eq!(notes.still_of(&one, &[address]).unwrap(), [address]);
        notes.write(&two, &Note { addresses: vec![address], ..Note::default() }).unwrap();
        assert_eq!(notes.still_of(&one, &[address]).unwrap(), Vec::<IpAddr>::new());
        notes.remove(&one, &[address]).unwrap();
        assert_eq!(notes.still_of(&two, &[address]).unwrap(), [address]);
        notes.remove(&two, &[address]).unwrap();
        assert_eq!(notes.holder(address).unwrap(), None);
    }

    #[test]
    fn a_bridge_is_closed_as_long_as_one_is_noted_for_whom_it_is() {
        let (_folder, notes) = folder("closed");
        let (one, two) = (owner_named("one"), owner_named("two"));
        let [bridge, other] = ["br0", "br1"].map(|name| InterfaceName::new(name).unwrap());
        let is_closed = |except| notes.is_closed_for_others(&bridge, except).unwrap();
        assert!(!is_closed(&two));
        notes.write(&one, &note("10.1.0.2")).unwrap();
        notes.write(&two, &Note { bridge: Some(other), ..Note::default() }).unwrap();
        assert!(is_closed(&two) && !is_closed(&one));
        notes.remove(&one, &[]).unwrap();
        assert!(!is_closed(&two));
    }

    #[test]
    fn a_note_of_a_newer_program_is_read_as_far_as_it_is_known() {
        let text = "version=2 colour=red address=10.1.0.2 address=none bridge=a/b";
        let expected = Note { addresses: vec!["10.1.0.2".parse().unwrap()], ..Note::default() };
        assert_eq!(Note::parse(text), expected);
    }

    #[test]
    fn a_folder_that_cannot_be_is_named() {
        let notes = Notes::below(Path::new("/proc/nonexistent"));
        let error = notes.write(&owner_named("one"), &note("10.1.0.2")).unwrap_err();
        assert!(
            error.to_string().starts_with("write the note /proc/nonexistent/firewall/attachments/"),
            "{error}"
        );
    }
}
