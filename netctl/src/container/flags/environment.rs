//! Variables of a container's environment: of its image, of files, of the command line.

use std::fs;
use std::path::Path;

use super::Invalid;

/// All of them, each name once: what comes later counts.
pub(super) fn merged(
    of_image: &[String],
    files: &[std::path::PathBuf],
    given: &[String],
) -> Result<Vec<String>, Invalid> {
    let mut environment: Vec<String> = of_image.to_vec();
    for file in files {
        for line in lines(file)? {
            add(&mut environment, "--env-file", &line)?;
        }
    }
    for variable in given {
        add(&mut environment, "--env", variable)?;
    }
    Ok(environment)
}

/// `NAME=VALUE`, or `NAME` for the value that this process has; without one, the name is left out.
fn add(environment: &mut Vec<String>, flag: &'static str, variable: &str) -> Result<(), Invalid> {
    let name = variable.split_once('=').map_or(variable, |(name, _)| name);
    if name.is_empty() || variable.contains('\0') {
        return Err(Invalid::new(flag, variable, "expected NAME=VALUE, or NAME"));
    }
    let value = match variable.contains('=') {
        true => Some(variable.to_owned()),
        false => std::env::var(name).ok().map(|value| format!("{name}={value}")),
    };
    let is_same = |other: &String| other.split_once('=').is_some_and(|(other, _)| other == name);
    match (environment.iter_mut().find(|other| is_same(other)), value) {
        (Some(other), Some(value)) => *other = value,
        (None, Some(value)) => environment.push(value),
        // A name without a value takes away what the image has of it, as Docker does.
        (Some(_), None) => environment.retain(|other| !is_same(other)),
        (None, None) => {}
    }
    Ok(())
}

/// A line a variable; what begins with `#` is for people.
fn lines(file: &Path) -> Result<Vec<String>, Invalid> {
    let text = fs::read_to_string(file);
    let text =
        text.map_err(|error| Invalid::new("--env-file", file.display().to_string(), error.to_string()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let lines = text.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(lines.map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn the_later_of_two_values_counts_at_the_place_of_the_first() {
        let merged = merged(&words(&["A=1", "B=2"]), &[], &words(&["A=3", "C=4=5", "D="]));
        assert_eq!(merged, Ok(words(&["A=3", "B=2", "C=4=5", "D="])));
    }

    #[test]
    fn a_name_alone_has_the_value_of_this_process_or_none() {
        let path = std::env::var("PATH").unwrap();
        assert_eq!(merged(&[], &[], &words(&["PATH"])), Ok(vec![format!("PATH={path}")]));
        assert_eq!(merged(&words(&["NO_SUCH_NAME=x"]), &[], &words(&["NO_SUCH_NAME"])), Ok(Vec::new()));
    }

    #[test]
    fn a_variable_without_a_name_is_refused() {
        assert!(merged(&[], &[], &words(&["=x"])).is_err());
    }

    #[test]
    fn files_have_a_variable_a_line_and_remarks() {
        let file = std::env::temp_dir().join(format!("netctl-env-{}", std::process::id()));
        fs::write(&file, "# remark\n\n  A=1 2\nB=#3\n").unwrap();
        let merged = merged(&[], std::slice::from_ref(&file), &[]);
        fs::remove_file(&file).unwrap();
        assert_eq!(merged, Ok(words(&["A=1 2", "B=#3"])));
    }
}
