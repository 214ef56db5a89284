//! The keys by which one leaves a container that goes on.

use std::str::FromStr;

/// Keys that are typed one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetachKeys(Vec<u8>);

/// The words are no keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("keys {0:?} are not letters and ctrl-LETTER, separated by commas")]
pub struct InvalidKeys(String);

impl Default for DetachKeys {
    /// ctrl-p, ctrl-q, as Docker has it.
    fn default() -> Self {
        Self(vec![16, 17])
    }
}

impl FromStr for DetachKeys {
    type Err = InvalidKeys;

    fn from_str(text: &str) -> Result<Self, InvalidKeys> {
        let key = |word: &str| match (word.strip_prefix("ctrl-").map(str::as_bytes), word.as_bytes()) {
            (Some([letter @ b'a'..=b'z']), _) => Some(letter - b'a' + 1),
            (Some([letter @ (b'@' | b'[' | b'\\' | b']' | b'^' | b'_')]), _) => Some(letter - b'@'),
            (None, [letter]) => Some(*letter),
            _ => None,
        };
        let keys: Option<Vec<u8>> = text.split(',').map(key).collect();
        keys.filter(|keys| !keys.is_empty()).map(Self).ok_or_else(|| InvalidKeys(text.to_owned()))
    }
}

/// Looks for the keys in what is typed.
#[derive(Debug)]
pub(super) struct Watch {
    keys: Vec<u8>,
    /// How many of them have been typed in a row.
    typed: usize,
}

impl Watch {
    pub(super) fn new(keys: DetachKeys) -> Self {
        Self { keys: keys.0, typed: 0 }
    }

    /// What of `bytes` goes to the container, and whether the keys have been typed. What may be their beginning is held
    /// back until it is not.
    pub(super) fn pass(&mut self, bytes: &[u8]) -> (Vec<u8>, bool) {
        let mut passed = Vec::with_capacity(bytes.len());
        for byte in bytes {
            if *byte != self.keys[self.typed] {
                passed.extend_from_slice(&self.keys[..self.typed]);
                self.typed = 0;
            }
            if *byte == self.keys[self.typed] {
                self.typed += 1;
                if self.typed == self.keys.len() {
                    return (passed, true);
                }
            } else {
                passed.push(*byte);
            }
        }
        (passed, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_letters_with_and_without_ctrl() {
        assert_eq!("ctrl-p,ctrl-q".parse(), Ok(DetachKeys::default()));
        assert_eq!("ctrl-a,d".parse(), Ok(DetachKeys(vec![1, b'd'])));
        for text in ["", "ctrl-", "ctrl-P", "ab", "a,"] {
            assert_eq!(text.parse::<DetachKeys>(), Err(InvalidKeys(text.to_owned())));
        }
    }

    #[test]
    fn what_is_not_the_keys_is_passed_on_whole() {
        let mut watch = Watch::new(DetachKeys::default());
        assert_eq!(watch.pass(b"ls\n"), (b"ls\n".to_vec(), false));
        assert_eq!(watch.pass(&[16]), (Vec::new(), false));
        assert_eq!(watch.pass(b"x"), (vec![16, b'x'], false));
        assert_eq!(watch.pass(&[16, 16]), (vec![16], false));
        assert_eq!(watch.pass(&[17, b'z']), (Vec::new(), true));
    }
}
