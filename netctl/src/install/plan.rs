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

/// What is to stand in a directory: one program, under one name or more.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    pub(super) folder: &'a Path,
    pub(super) source: &'a Path,
    /// The SHA-256 of the source.
    pub(super) digest: &'a str,
    pub(super) program: &'a str,
    pub(super) links: &'a [&'a str],
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

    fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.program).chain(self.links.iter().copied())
    }

    /// # Errors
    /// Everything that is in the way.
    pub(super) fn plan(&self, facts: &Facts, strangers: Strangers) -> Result<Plan, Obstacles> {
        let mut obstacles = Obstacles::default();
        let mut plan = Plan::default();
        if !facts.folder_exists {
            plan.steps.push(Step::CreateFolder { file: self.folder.to_owned() });
        }
        for name in self.names() {
            let known = facts.manifest.files.get(name);
            let is_stranger = self.is_stranger(name, facts);
            let keeps = is_stranger || known.is_some_and(|entry| entry.backup.is_some());
            let backup = keeps.then(|| backup_of(name));
            if is_stranger {
                self.step_aside(name, facts, strangers, &mut plan, &mut obstacles);
            }
            if !self.is_in_place(name, facts) {
                plan.steps.push(self.placement(name));
            }
            let new = Entry { sha256: vec![self.digest.to_owned()], backup };
            plan.promised.files.insert(name.to_owned(), both(known, &new));
            plan.recorded.files.insert(name.to_owned(), new);
        }
        // Names that an older version installed and this one does not have.
        for (name, entry) in facts.manifest.files.iter().filter(|(name, _)| !self.names().any(|n| n == *name))
        {
            plan.promised.files.insert(name.clone(), entry.clone());
            plan.steps.extend(removal(self.folder, name, entry, facts));
        }
        for manifest in [&mut plan.promised, &mut plan.recorded] {
            manifest.netctl = env!("CARGO_PKG_VERSION").to_owned();
        }
        if obstacles == Obstacles::default() { Ok(plan) } else { Err(obstacles) }
    }

    fn is_ours(&self, name: &str, facts: &Facts) -> bool {
        let known = facts.manifest.files.get(name).map_or(&[][..], |entry| &entry.sha256);
        let found = facts.at(name);
        found.has_one_of(known) || matches!(found, Found::File(content) if content.digest == self.digest)
    }

    fn is_stranger(&self, name: &str, facts: &Facts) -> bool {
        *facts.at(name) != Found::Nothing && !self.is_ours(name, facts)
    }

    /// Whether a name already stands for what it is to stand for. A further name of an older copy does not,
    /// even if both copies are the same to the byte: one file is wanted, not two.
    fn is_in_place(&self, name: &str, facts: &Facts) -> bool {
        let (program, found) = (facts.at(self.program), facts.at(name));
        let is_current =
            |found: &Found| matches!(found, Found::File(content) if content.digest == self.digest);
        is_current(program) && is_current(found) && found.is_same_file(program)
    }

    fn placement(&self, name: &str) -> Step {
        let file = self.file(name);
        match name == self.program {
            true => Step::Install { file, source: self.source.to_owned() },
            false => Step::Link { file, program: self.file(self.program) },
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
