//! JSON as it is written: with keys in their order, and those that are there twice.

use std::cell::Cell;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::error::{Fault, Key};

/// A value. Other than `serde_json::Value` it loses no key that is there twice.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(serde_json::Number),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// As JSON on one line; a long one is cut.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST: usize = 60;
        let text = self.line();
        match text.char_indices().nth(MOST) {
            Some((end, _)) => write!(f, "{}…", &text[..end]),
            None => f.write_str(&text),
        }
    }
}

impl Json {
    fn line(&self) -> String {
        let text = |text: &str| serde_json::Value::from(text).to_string();
        let entry = |(key, value): &(String, Self)| format!("{}:{}", text(key), value.line());
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(bool) => bool.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Text(words) => text(words),
            Self::List(items) => format!("[{}]", items.iter().map(Self::line).collect::<Vec<_>>().join(",")),
            Self::Object(entries) => {
                format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(","))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Whole)
    }
}

struct Whole;

impl<'de> Visitor<'de> for Whole {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        // Never null: JSON cannot write the numbers that are none.
        Ok(serde_json::Number::from_f64(value).map_or(Json::Null, Json::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Json::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Json::Object(entries))
    }
}

/// An object that remembers which of its keys were asked for.
#[derive(Debug)]
pub(super) struct Object {
    /// Where it stands, when it is not the whole file.
    place: Option<Key>,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    key: String,
    value: Json,
    asked: Cell<bool>,
}

impl Object {
    /// Reads a file. As with Docker, an empty one has no keys, and may begin with a byte order mark.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        if bytes.trim_ascii().is_empty() {
            return Ok(Self::new(None, Vec::new()));
        }
        match serde_json::from_slice(bytes).map_err(Fault::NotJson)? {
            Json::Object(entries) => Ok(Self::new(None, entries)),
            other => Err(Fault::NoObject { found: other.to_string() }),
        }
    }

    /// What stands at `place`; the whole file has none.
    pub(super) fn new(place: Option<Key>, entries: Vec<(String, Json)>) -> Self {
        let entry = |(key, value)| Entry { key, value, asked: Cell::new(false) };
        Self { place, entries: entries.into_iter().map(entry).collect() }
    }

    fn entries<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a Entry> {
        self.entries.iter().filter(move |entry| entry.key == key)
    }

    /// The path of one of its keys.
    pub(super) fn path(&self, key: &'static str) -> Key {
        self.place.map_or(Key::new(key), |place| place.field(key))
    }

    /// The value of a key; `null` counts as absent.
    ///
    /// # Errors
    /// [`Fault::Twice`]: the key is there twice, and one of the values would be lost.
    pub(super) fn get(&self, key: &'static str) -> Result<Option<&Json>, Fault> {
        self.entries(key).for_each(|entry| entry.asked.set(true));
        let mut values = self.entries(key).map(|entry| &entry.value);
        let Some(value) = values.next() else { return Ok(None) };
        if let Some(other) = values.find(|other| *other != value) {
            return Err(Fault::Twice {
                key: self.path(key),
                first: value.to_string(),
                second: other.to_string(),
            });
        }
        Ok(Some(value).filter(|value| **value != Json::Null))
    }

    /// How a key's value is written, for errors.
    pub(super) fn written(&self, key: &str) -> String {
        self.entries(key).next().map_or_else(String::new, |entry| entry.value.to_string())
    }

    /// The keys that nobody has asked for.
    pub(super) fn others(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().filter(|entry| !entry.asked.get()).map(|entry| entry.key.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Json {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn json_is_written_as_it_was_read() {
        for text in
            ["null", "true", "-5", "1500", "1.5", r#""a\"b\n""#, r#"[1,"x",[]]"#, r#"{"a":1,"a":{"b":null}}"#]
        {
            assert_eq!(json(text).to_string(), text);
        }
    }

    #[test]
    fn a_long_value_is_cut_between_characters() {
        let text = json(&format!("\"{}\"", "é".repeat(100))).to_string();
        assert_eq!(text, format!("\"{}…", "é".repeat(59)));
    }

    #[test]
    fn a_key_that_is_there_twice_is_found_once_or_is_an_error() {
        let object = Object::parse(br#"{"a": 1, "b": 2, "a": 1, "b": 3, "c": null}"#).unwrap();
        assert_eq!(object.get("a").unwrap(), Some(&json("1")));
        assert_eq!(object.get("b").unwrap_err().to_string(), "b: 2 and 3: expected it once");
        assert_eq!(object.get("c").unwrap(), None);
        assert_eq!(object.get("d").unwrap(), None);
    }

    #[test]
    fn what_nobody_asked_for_is_told() {
        let object = Object::parse(br#"{"z": 1, "a": 1, "m": 1}"#).unwrap();
        object.get("a").unwrap();
        assert_eq!(object.others().collect::<Vec<_>>(), ["z", "m"]);
    }
}
