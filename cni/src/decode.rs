//! JSON values to Rust values, the way the reference reads them.
//!
//! The reference plugins are written in Go, whose decoder finds an object's keys without regard to case and
//! takes `null` for "not given". Clients rely on both: containerd writes `HostPort` where the documents say
//! `hostPort`. This deserializer does the same for every struct, and an error carries the path to the field
//! (`ipam.ranges[0][1].subnet`).

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Error as _, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};
use serde::{Deserializer, forward_to_deserialize_any};
use serde_json::{Map, Value};

/// A field does not hold what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    path: String,
    message: String,
}

impl Mismatch {
    /// A mismatch at `path` that `message` explains.
    #[must_use]
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }

    /// The path to the field: `ipam.ranges[0][1].subnet`; empty for the whole document.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The same mismatch, seen from the object that holds it as `key`.
    #[must_use]
    pub fn under(mut self, key: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{key}{dot}{path}", path = self.path);
        self
    }
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.path.as_str() {
            "" => f.write_str(&self.message),
            path => write!(f, "{path}: {message}", message = self.message),
        }
    }
}

impl std::error::Error for Mismatch {}

impl serde::de::Error for Mismatch {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self { path: String::new(), message: message.to_string() }
    }
}

/// Reads a `T` from `value`; `path` says where the value stands, for the error.
///
/// # Errors
/// [`Mismatch`] with the path of the field, the value found and what was expected.
pub fn decode<T: DeserializeOwned>(value: &Value, path: &str) -> Result<T, Mismatch> {
    let decoded = T::deserialize(Node(value));
    decoded.map_err(|mismatch| if path.is_empty() { mismatch } else { mismatch.under(path) })
}

/// Reads a struct from an object at the head of a document.
///
/// # Errors
/// [`Mismatch`] as [`decode`] has it.
pub fn decode_object<T: DeserializeOwned>(object: &Map<String, Value>) -> Result<T, Mismatch> {
    T::deserialize(Document(object))
}

/// A document that is known to be an object.
struct Document<'a>(&'a Map<String, Value>);

impl<'de> Deserializer<'de> for Document<'_> {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        visitor.visit_map(Entries { entries: self.0.iter(), value: None })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        visitor.visit_map(Fields { object: self.0, fields: fields.iter(), value: None })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// The value of `key` in `object`, found as the reference finds it; `null` counts as absent.
pub(crate) fn find<'a>(object: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    let exact = object.get(key);
    let found =
        exact.or_else(|| object.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, v)| v));
    found.filter(|value| !value.is_null())
}

#[derive(Clone, Copy)]
struct Node<'a>(&'a Value);

impl<'de> Deserializer<'de> for Node<'_> {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => number.deserialize_any(visitor).map_err(Mismatch::custom),
            Value::String(text) => visitor.visit_str(text),
            Value::Array(items) => visitor.visit_seq(Items { items, next: 0 }),
            Value::Object(object) => visitor.visit_map(Entries { entries: object.iter(), value: None }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        match self.0 {
            Value::Object(object) => visitor.visit_map(Fields { object, fields: fields.iter(), value: None }),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        self.0.clone().deserialize_enum(name, variants, visitor).map_err(Mismatch::custom)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

/// The fields of a struct, each looked up in the object; what the struct does not know is passed over.
struct Fields<'a> {
    object: &'a Map<String, Value>,
    fields: std::slice::Iter<'static, &'static str>,
    value: Option<(&'static str, &'a Value)>,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Mismatch;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Mismatch> {
        let object = self.object;
        let next = self.fields.find_map(|field| find(object, field).map(|value| (*field, value)));
        let Some((field, value)) = next else { return Ok(None) };
        self.value = Some((field, value));
        let key: StrDeserializer<'_, Mismatch> = field.into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Mismatch> {
        let (field, value) = self.value.take().ok_or_else(|| Mismatch::custom("value without a key"))?;
        seed.deserialize(Node(value)).map_err(|mismatch| mismatch.under(field))
    }
}

/// Every entry of an object, for maps.
struct Entries<'a> {
    entries: serde_json::map::Iter<'a>,
    value: Option<(&'a str, &'a Value)>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Mismatch;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Mismatch> {
        let Some((key, value)) = self.entries.next() else { return Ok(None) };
        self.value = Some((key, value));
        let key: StrDeserializer<'_, Mismatch> = key.as_str().into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Mismatch> {
        let (key, value) = self.value.take().ok_or_else(|| Mismatch::custom("value without a key"))?;
        seed.deserialize(Node(value)).map_err(|mismatch| mismatch.under(key))
    }
}

struct Items<'a> {
    items: &'a [Value],
    next: usize,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Mismatch;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Mismatch> {
        let Some(item) = self.items.get(self.next) else { return Ok(None) };
        let index = self.next;
        self.next += 1;
        seed.deserialize(Node(item)).map(Some).map_err(|mismatch| mismatch.under(&format!("[{index}]")))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len() - self.next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::json;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Port {
        host_port: u16,
        protocol: String,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Outer {
        port_mappings: Vec<Port>,
        mtu: Option<u32>,
        ip_masq: bool,
    }

    #[test]
    fn keys_are_found_without_regard_to_case() {
        let value =
            json!({"PortMappings": [{"HostPort": 8080, "Protocol": "tcp", "HostIP": ""}], "unknown": 1});
        let outer: Outer = decode(&value, "").unwrap();
        assert_eq!(outer.port_mappings, [Port { host_port: 8080, protocol: "tcp".into() }]);
    }

    #[test]
    fn the_exact_key_wins_over_another_spelling() {
        let outer: Outer = decode(&json!({"MTU": 1, "mtu": 2, "Mtu": 3}), "").unwrap();
        assert_eq!(outer.mtu, Some(2));
    }

    #[test]
    fn null_means_not_given() {
        let outer: Outer = decode(&json!({"portMappings": null, "mtu": null, "ipMasq": null}), "").unwrap();
        assert_eq!(outer, Outer::default());
    }

    #[test]
    fn an_error_names_the_path_the_value_and_what_was_expected() {
        let error =
            decode::<Outer>(&json!({"portMappings": [{}, {"hostPort": "x"}]}), "runtimeConfig").unwrap_err();
        assert_eq!(
            error.to_string(),
            "runtimeConfig.portMappings[1].hostPort: invalid type: string \"x\", expected u16"
        );
        let error = decode::<Outer>(&json!({"ipMasq": "yes"}), "").unwrap_err();
        assert_eq!(error.to_string(), "ipMasq: invalid type: string \"yes\", expected a boolean");
        let error = decode::<Outer>(&json!({"mtu": -1}), "").unwrap_err();
        assert_eq!(error.to_string(), "mtu: invalid value: integer `-1`, expected u32");
    }
}
