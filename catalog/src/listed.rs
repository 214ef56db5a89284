//! Several things as a sentence names them.

use std::fmt::Display;

/// `web, db, cache`.
pub(crate) fn listed<T: Display>(things: impl IntoIterator<Item = T>) -> String {
    let told: Vec<String> = things.into_iter().map(|thing| thing.to_string()).collect();
    told.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_stand_between_things_only() {
        assert_eq!(listed(["web", "db"]), "web, db");
        assert_eq!((listed([7]), listed::<u8>([])), ("7".to_owned(), String::new()));
    }
}
