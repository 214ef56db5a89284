//! One page of the manual.
//!
//! What stands behind a command's options in its help has no form for clap, which would put all of it into
//! one section. Our helps keep to a form of their own: paragraphs of words, and lists below a line with a colon.

use clap::Command;
use clap_mangen::roff::{Roff, bold, roman};

const SECTION: &str = "1";

/// The manual page of a command.
#[derive(Debug)]
pub(crate) struct Page {
    /// The command's words with dashes between them.
    name: String,
    pub(crate) text: String,
}

impl Page {
    pub(crate) fn file_name(&self) -> String {
        format!("{}.{SECTION}", self.name)
    }
}

/// A page for every command that is shown, the root's first.
pub(crate) fn pages(line: Command) -> Vec<Page> {
    // `netctl help` needs no page for each command that it explains.
    let mut line = line.disable_help_subcommand(true);
    line.build();
    let source = format!("{} {}", line.get_name(), line.get_version().unwrap_or_default());
    let mut pages = Vec::new();
    collect(&line, None, &source, &mut pages);
    pages
}

fn collect(command: &Command, parent: Option<&str>, source: &str, pages: &mut Vec<Page>) {
    let name = name_of(command);
    pages.push(Page { name: name.to_owned(), text: text(command, parent, source) });
    for below in shown_below(command) {
        collect(below, Some(name), source, pages);
    }
}

fn name_of(command: &Command) -> &str {
    command.get_display_name().unwrap_or(command.get_name())
}

fn shown_below(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|command| !command.is_hide_set())
}

fn text(command: &Command, parent: Option<&str>, source: &str) -> String {
    let after = After::read(&command.get_after_help().map(ToString::to_string).unwrap_or_default());
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let description = std::iter::once(about).chain(after.words).collect::<Vec<_>>().join("\n\n");
    let command_alone = command.clone().long_about(description).after_help(None::<&str>);
    // Without quotes an empty date would not be there at all, and the source take its place.
    let man = clap_mangen::Man::new(command_alone).date("\"\"").source(source).manual("netctl");

    let mut text = Vec::new();
    // Writing to memory does not fail.
    let _ = man.render(&mut text);
    let mut text = String::from_utf8_lossy(&text).into_owned();
    text.push_str(&sections(&after.lists, &see_also(command, parent)).render());
    text
}

/// What follows clap's own sections.
fn sections(lists: &[List], see_also: &[String]) -> Roff {
    let mut roff = Roff::new();
    for List { title, lines } in lists {
        roff.control("SH", [title.as_str()]).control("nf", []);
        for line in lines {
            roff.text([roman(line)]);
        }
        roff.control("fi", []);
    }
    if let Some((last, others)) = see_also.split_last() {
        roff.control("SH", ["SEE ALSO"]);
        for name in others {
            roff.text([bold(name), roman(format!("({SECTION}),"))]);
        }
        roff.text([bold(last), roman(format!("({SECTION})"))]);
    }
    roff
}

/// The pages one step up and down.
fn see_also(command: &Command, parent: Option<&str>) -> Vec<String> {
    parent.into_iter().chain(shown_below(command).map(name_of)).map(str::to_owned).collect()
}

/// What a command's help has behind the options.
#[derive(Debug, Default, PartialEq, Eq)]
struct After {
    words: Vec<String>,
    lists: Vec<List>,
}

/// Lines that stay lines, below a title.
#[derive(Debug, PartialEq, Eq)]
struct List {
    title: String,
    lines: Vec<String>,
}

impl After {
    fn read(text: &str) -> Self {
        let mut after = Self::default();
        for paragraph in text.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty()) {
            match List::read(paragraph) {
                Some(list) => after.lists.push(list),
                None => after.words.push(paragraph.to_owned()),
            }
        }
        after
    }
}

impl List {
    fn read(paragraph: &str) -> Option<Self> {
        let (title, lines) = paragraph.split_once('\n')?;
        let title = match title.strip_suffix(':')? {
            "Example" | "Examples" => "EXAMPLES".to_owned(),
            "Exit codes" => "EXIT STATUS".to_owned(),
            other => other.to_uppercase(),
        };
        let lines = lines.lines().map(|line| line.strip_prefix("  ").map(str::to_owned));
        Some(Self { title, lines: lines.collect::<Option<_>>()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn manual() -> Vec<Page> {
        pages(crate::Cli::command())
    }

    fn page(name: &str) -> String {
        manual().into_iter().find(|page| page.name == name).unwrap().text
    }

    #[test]
    fn every_command_has_its_page_that_names_its_options() {
        fn check(command: &Command, pages: &[Page]) {
            let page = pages.iter().find(|page| page.name == name_of(command)).unwrap();
            let options = command.get_arguments().filter(|option| !option.is_hide_set());
            for long in options.filter_map(clap::Arg::get_long) {
                let escaped = format!(r"\fB\-\-{}\fR", long.replace('-', r"\-"));
                assert!(page.text.contains(&escaped), "{}: --{long}", page.name);
            }
            shown_below(command).for_each(|command| check(command, pages));
        }
        let mut line = crate::Cli::command().disable_help_subcommand(true);
        line.build();
        let pages = manual();
        check(&line, &pages);
        assert_eq!(pages[0].file_name(), "netctl.1");
        assert!(pages.iter().any(|page| page.name == "netctl-netns-list-id"));
        assert!(pages.iter().all(|page| !page.name.ends_with("help")));
    }

    #[test]
    fn examples_and_exit_codes_have_sections_and_words_are_in_the_description() {
        let page = page("netctl-reload");
        let section = |title: &str| page.split("\n.SH ").find(|section| section.starts_with(title)).unwrap();
        let description = section("DESCRIPTION");
        assert!(description.contains("Nothing is touched that is in place."), "{description}");
        let codes = section("\"EXIT STATUS\"");
        assert!(codes.contains("\n0  everything is in place\n"), "{codes}");
        assert!(page.contains("\n.SH EXAMPLES\n.nf\nnetctl reload\nnetctl reload mynet\n"), "{page}");
        assert!(!page.contains(".SH EXTRA"), "{page}");
    }

    #[test]
    fn a_page_says_of_which_version_it_is() {
        let title = format!(".TH netctl-reload 1 \"\" \"netctl {}\" netctl\n", env!("CARGO_PKG_VERSION"));
        assert!(page("netctl-reload").contains(&title), "{title}");
    }

    #[test]
    fn a_page_leads_one_step_up_and_down() {
        assert!(page("netctl-netns-add").ends_with(".SH \"SEE ALSO\"\n\\fBnetctl\\-netns\\fR(1)\n"));
        let family = page("netctl-netns");
        let (_, see_also) = family.split_once("SEE ALSO\"\n").unwrap();
        assert!(
            see_also.starts_with("\\fBnetctl\\fR(1),\n\\fBnetctl\\-netns\\-list\\fR(1),\n"),
            "{see_also}"
        );
    }

    #[test]
    fn a_help_is_words_and_lists() {
        let after = After::read("One.\nTwo.\n\nExample:\n  x -a\n\n  y\n\nThis: that\nis no list.");
        assert_eq!(after.words, ["One.\nTwo.", "  y", "This: that\nis no list."]);
        assert_eq!(after.lists, [List { title: "EXAMPLES".to_owned(), lines: vec!["x -a".to_owned()] }]);
    }
}
