//! `netctl cp`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use runner::{Container, Side};

use super::place::Place;
use crate::report::Failure;

/// Copy files between the host and a container
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Cp {
    /// From where: CONTAINER:PATH, or a path of the host
    source: String,
    /// To where: CONTAINER:PATH, or a path of the host
    target: String,
    #[command(flatten)]
    place: Place,
}

const HELP: &str = "\
A folder that is there gets what is copied under its name; SOURCE/. is what is in the folder. The container may run or not.
Owners, modes and times are kept. A path of the host with a colon in it begins with / or ./.

Examples:
  netctl cp web:/etc/hosts .
  netctl cp ./site/. web:/srv/www

Exit codes:
  0  done
  1  failed; the reason is on standard error
  2  the command line cannot be understood";

#[derive(Debug, thiserror::Error)]
#[error("copy {0}: one of both, and only one, is to be CONTAINER:PATH")]
struct OneSide(&'static str);

enum Word {
    Host(PathBuf),
    Container(Box<Container>, PathBuf),
}

impl Cp {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let (source, target) = (self.word(&self.source)?, self.word(&self.target)?);
        match (&source, &target) {
            (Word::Host(_), Word::Host(_)) => return Err(Failure::from(OneSide("on the host"))),
            (Word::Container(..), Word::Container(..)) => {
                return Err(Failure::from(OneSide("between containers")));
            }
            _ => {}
        }
        self.place.engine().copy(source.side(), target.side())?;
        Ok(ExitCode::SUCCESS)
    }

    fn word(&self, text: &str) -> Result<Word, Failure> {
        match text.split_once(':') {
            Some((name, path)) if !name.contains('/') && !name.starts_with('.') && !name.is_empty() => {
                Ok(Word::Container(Box::new(self.place.find(name)?), Path::new(path).to_owned()))
            }
            _ => Ok(Word::Host(text.into())),
        }
    }
}

impl Word {
    fn side(&self) -> Side<'_> {
        match self {
            Self::Host(path) => Side::Host(path),
            Self::Container(container, path) => Side::Container(container, path),
        }
    }
}
