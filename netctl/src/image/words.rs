//! Ids as people read them.

use images::ImageId;

/// The digits of an id by which people know it.
pub(super) fn short(id: &ImageId) -> String {
    let text = id.to_string();
    let digits = text.rsplit(':').next().unwrap_or(&text);
    digits.get(..12).unwrap_or(digits).to_owned()
}
