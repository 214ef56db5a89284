//! The manual, as programs for manuals show it.

use std::fs;
use std::path::PathBuf;

use lab::{Call, Here, tools};

use crate::{NETCTL, Test, netctl};

/// A directory with the manual, as long as the test runs.
struct Manual(PathBuf);

impl Manual {
    fn new(name: &str) -> Result<Self, Box<dyn std::error::Error>> {
        let manual = Self(std::env::temp_dir().join(format!("netctl-manual-{name}-{}", std::process::id())));
        manual.write()?;
        Ok(manual)
    }

    fn write(&self) -> Test {
        let said = Call::new([NETCTL, "man", "--dir"]).arg(&self.0).run(&Here).ok()?;
        assert_eq!(said, "");
        Ok(())
    }

    fn pages(&self) -> Result<Vec<PathBuf>, std::io::Error> {
        self.0.read_dir()?.map(|entry| Ok(entry?.path())).collect()
    }
}

impl Drop for Manual {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_page_of_netctl_is_printed() -> Test {
    let page = netctl("man").run(&Here).ok()?;
    assert!(page.contains("\n.SH NAME\nnetctl \\- "), "{page}");
    assert!(page.contains("netctl\\-netns(1)"), "{page}");
    Ok(())
}

#[test]
fn pages_are_written_again_and_nothing_else_is() -> Test {
    let manual = Manual::new("again")?;
    let page = manual.0.join("netctl-cni-gc.1");
    let text = fs::read(&page)?;
    let count = manual.pages()?.len();
    fs::write(&page, "an older one")?;
    manual.write()?;
    assert_eq!(fs::read(&page)?, text);
    assert_eq!(manual.pages()?.len(), count);
    assert!(manual.pages()?.iter().all(|page| page.extension().is_some_and(|section| section == "1")));
    Ok(())
}

#[test]
fn a_manual_that_cannot_be_written_is_an_error_that_names_the_file() -> Test {
    let refused = netctl("man --dir /proc/nowhere").run(&Here).refused()?;
    assert!(refused.stderr().starts_with("error: create directory /proc/nowhere\n  because: "), "{refused}");
    Ok(())
}

#[test]
fn every_page_is_shown_without_complaint() -> Test {
    if tools::require("mandoc").is_none() {
        return Ok(());
    }
    let manual = Manual::new("shown")?;
    for page in manual.pages()? {
        // There are no dates in it, and clap breaks lines twice before a list of values: no errors.
        let lint = Call::new(["mandoc", "-T", "lint", "-W", "error"]).arg(&page).run(&Here);
        assert_eq!((lint.code(), lint.stdout()), (Some(0), ""), "{}", page.display());
    }
    let shown = Call::new(["mandoc", "-T", "ascii"]).arg(manual.0.join("netctl-reload.1")).run(&Here).ok()?;
    // Bold is a letter, a step back and the letter again.
    let shown = shown.replace("\u{8}", "");
    assert!(shown.contains("netctl reload --json | jq '.[] | select(.outcome != \"as it was\")'"), "{shown}");
    Ok(())
}
