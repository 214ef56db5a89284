//! What has to be done, as a function of what is there and what is wanted.

use std::path::{Path, PathBuf};

use super::facts::{Facts, Found};
use super::manifest::{Entry, Manifest};
use super::step::Step;

/// What happens to files that netctl did not install.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strangers {
    Refused,
    Kept,
}

/// What is to stand in a directory or below it.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    pub(super) folder: &'a Path,
    pub(super) files: Vec<WantedFile<'a>>,
}

/// A file by its path below the directory.
#[derive(Debug, Clone, Copy)]
pub(super) struct WantedFile<'a> {
    pub(super) name: &'a str,
    /// The SHA-256 of what is to be in it.
    pub(super) digest: &'a str,
    pub(super) origin: Origin<'a>,
}

/// What a file is made of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Origin<'a> {
    /// A program that was built.
    Program(&'a Path),
    /// It is the program of this name, under a further name.
    NameOf(&'a str),
    /// What netctl has written itself.
    Text(&'a [u8]),
}

/// What has to be done.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
    /// What may be ours while the steps are taken: should they be interrupted, nothing is forgotten.
    pub(super) promised: Manifest,
    /// What is ours afterwards.
    pub(super) recorded: Manifest,
}

/// What stands in the way of an installation.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Obstacles {
    /// Files that netctl did not install.
    pub(super) strangers: Vec<PathBuf>,
    /// What could not even be kept under another name: directories, backups that somebody else made.
    pub(super) immovable: Vec<PathBuf>,
}

/// The name under which a file that is replaced is kept.
pub(super) fn backup_of(name: &str) -> String {
    format!("{name}.netctl-orig")
}

impl Wanted<'_> {
    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// # Errors
    /// Everything that is in the way.
    pub(super) fn plan(&self, facts: &Facts, strangers: Strangers) -> Result<Plan, Obstacles> {
        let mut obstacles = Obstacles::default();
        let mut plan = Plan { steps: self.missing_folders(facts), ..Plan::default() };
        for wanted in &self.files {
            let name = wanted.name;
            let known = facts.manifest.files.get(name);
            let is_stranger = is_stranger(wanted, facts);
            let keeps = is_stranger || known.is_some_and(|entry| entry.backup.is_some());
            let backup = keeps.then(|| backup_of(name));
            if is_stranger {
                self.step_aside(name, facts, strangers, &mut plan, &mut obstacles);
            }
            if !self.is_in_place(wanted, facts) {
                plan.steps.push(self.placement(wanted));
            }
            let new = Entry { sha256: vec![wanted.digest.to_owned()], backup };
            plan.promised.files.insert(name.to_owned(), both(known, &new));
            plan.recorded.files.insert(name.to_owned(), new);
        }
        // Names that an older version installed and this one does not have.
        for (name, entry) in facts.manifest.files.iter().filter(|(name, _)| self.find(name).is_none()) {
            plan.promised.files.insert(name.clone(), entry.clone());
            plan.steps.extend(removal(self.folder, name, entry, facts));
        }
        for manifest in [&mut plan.promised, &mut plan.recorded] {
            manifest.netctl = env!("CARGO_PKG_VERSION").to_owned();
        }
        if obstacles == Obstacles::default() { Ok(plan) } else { Err(obstacles) }
    }

    fn missing_folders(&self, facts: &Facts) -> Vec<Step> {
        let mut folders = self.folders();
        folders.retain(|folder| !facts.folders.contains(folder));
        folders.into_iter().map(|file| Step::CreateFolder { file }).collect()
    }

    /// The directories that files stand in.
    fn folders(&self) -> Vec<PathBuf> {
        let files = self.files.iter().map(|wanted| self.file(wanted.name));
        let mut folders: Vec<_> = files.filter_map(|file| file.parent().map(Path::to_owned)).collect();
        folders.dedup();
        folders
    }

    fn find(&self, name: &str) -> Option<&WantedFile<'_>> {
        self.files.iter().find(|wanted| wanted.name == name)
    }

    /// Whether a name already stands for what it is to stand for. A further name of an older copy does not,
    /// even if both copies are the same to the byte: one file is wanted, not two.
    fn is_in_place(&self, wanted: &WantedFile<'_>, facts: &Facts) -> bool {
        let found = facts.at(wanted.name);
        let is_one_file = match wanted.origin {
            Origin::NameOf(program) => found.is_same_file(facts.at(program)),
            Origin::Program(_) | Origin::Text(_) => true,
        };
        is_one_file && is_current(wanted, found)
    }

    fn placement(&self, wanted: &WantedFile<'_>) -> Step {
        let file = self.file(wanted.name);
        match wanted.origin {
            Origin::Program(source) => Step::Install { file, source: source.to_owned() },
            Origin::NameOf(program) => Step::Link { file, program: self.file(program) },
            Origin::Text(text) => Step::Write { file, text: text.to_owned() },
        }
    }

    /// Keeps a stranger under another name, or says why not.
    fn step_aside(
        &self,
        name: &str,
        facts: &Facts,
        strangers: Strangers,
        plan: &mut Plan,
        obstacles: &mut Obstacles,
    ) {
        let (file, backup) = (self.file(name), backup_of(name));
        let made_here = facts.manifest.files.get(name).is_some_and(|entry| entry.backup.is_some());
        if *facts.at(name) == Found::Unusable {
            obstacles.immovable.push(file);
        } else if strangers == Strangers::Refused {
            obstacles.strangers.push(file);
        } else if *facts.at(&backup) != Found::Nothing && !made_here {
            obstacles.immovable.push(self.file(&backup));
        } else {
            plan.steps.push(Step::BackUp { file, backup: self.file(&backup) });
        }
    }
}

fn is_current(wanted: &WantedFile<'_>, found: &Found) -> bool {
    matches!(found, Found::File(content) if content.digest == wanted.digest)
}

fn is_stranger(wanted: &WantedFile<'_>, facts: &Facts) -> bool {
    let known = facts.manifest.files.get(wanted.name).map_or(&[][..], |entry| &entry.sha256);
    let found = facts.at(wanted.name);
    *found != Found::Nothing && !found.has_one_of(known) && !is_current(wanted, found)
}

/// An entry that stands for what was there and what is to be there.
fn both(old: Option<&Entry>, new: &Entry) -> Entry {
    let before = old.map_or(&[][..], |old| &old.sha256).iter().filter(|digest| !new.sha256.contains(digest));
    Entry { sha256: new.sha256.iter().chain(before).cloned().collect(), backup: new.backup.clone() }
}

/// Takes away everything that the manifest of a directory names.
pub(super) fn plan_removal(folder: &Path, facts: &Facts) -> Plan {
    let entries = facts.manifest.files.iter();
    let steps = entries.flat_map(|(name, entry)| removal(folder, name, entry, facts)).collect();
    Plan { steps, promised: facts.manifest.clone(), recorded: Manifest::default() }
}

fn removal(folder: &Path, name: &str, entry: &Entry, facts: &Facts) -> Vec<Step> {
    let file = folder.join(name);
    let found = facts.at(name);
    let backup = entry.backup.as_ref().filter(|backup| *facts.at(backup) != Found::Nothing);
    match backup {
        Some(backup) if *found == Found::Nothing || found.has_one_of(&entry.sha256) => {
            vec![Step::Restore { file, backup: folder.join(backup) }]
        }
        // The installation was interrupted before the name went over to us.
        Some(backup) if found.is_same_file(facts.at(backup)) => {
            vec![Step::Remove { file: folder.join(backup) }]
        }
        Some(backup) => vec![Step::Leave { file }, Step::Leave { file: folder.join(backup) }],
        None if found.has_one_of(&entry.sha256) => vec![Step::Remove { file }],
        None if *found == Found::Nothing => Vec::new(),
        None => vec![Step::Leave { file }],
    }
}

#[cfg(test)]
mod tests;
