//! Values of the command line.

use std::error::Error;
use std::str::FromStr;

/// Reads a value; what is wrong with it is told with all its causes, of which clap would print the first only.
pub(crate) fn in_full<T: FromStr>(text: &str) -> Result<T, String>
where
    T::Err: Error + 'static,
{
    text.parse().map_err(|error: T::Err| {
        let mut told = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            told = format!("{told}: {error}");
            cause = error.source();
        }
        told
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use vocab::Publish;

    #[test]
    fn an_error_is_told_with_its_causes() {
        let error = in_full::<Publish>("70000:80").unwrap_err();
        assert!(
            error.contains("70000:80") && error.contains("host port") && error.contains("65535"),
            "{error}"
        );
        assert!(in_full::<Publish>("8080:80").is_ok());
    }
}
