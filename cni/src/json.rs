//! JSON text as the reference prints it.

use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};

/// `value`, indented by four spaces, without a newline at the end.
pub(crate) fn indented(value: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
    let mut text = Vec::with_capacity(1024);
    let formatter = PrettyFormatter::with_indent(b"    ");
    value.serialize(&mut Serializer::with_formatter(&mut text, formatter))?;
    Ok(text)
}
