//! How ports are to be published, in the reference plugin's terms. What is here cannot break out of the line of
//! `iptables-restore` that it becomes a part of.

use std::fmt;

/// `XT_EXTENSION_MAXNAMELEN` with its terminating zero.
const CHAIN_NAME_MAX: usize = 28;
/// `iptables-restore` reads words of up to 1023 bytes, and lines of up to 10239: longer ones it takes for two.
const WORD_MAX: usize = 1000;
const WORDS_MAX: usize = 8000;

/// How ports are published by iptables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IptablesOptions {
    /// Whether connections from the host itself and from the container's own subnet are masqueraded (`snat`).
    /// Without that, they get no answer.
    pub snat: bool,
    /// Whether those from everywhere else are, too (`masqAll`).
    pub masquerade_all: bool,
    /// How connections are marked that are to be masqueraded.
    pub mark: Mark,
    /// What else must be true of an IPv4 packet (`conditionsV4`).
    pub conditions_v4: Conditions,
    /// What else must be true of an IPv6 packet (`conditionsV6`).
    pub conditions_v6: Conditions,
}

impl Default for IptablesOptions {
    /// What the reference does when it is told nothing.
    fn default() -> Self {
        Self {
            snat: true,
            masquerade_all: false,
            mark: Mark::Bit(MarkBit::default()),
            conditions_v4: Conditions::default(),
            conditions_v6: Conditions::default(),
        }
    }
}

/// How connections are marked that are to be masqueraded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// By this bit of the packet's mark, in a chain of the reference's (`markMasqBit`).
    Bit(MarkBit),
    /// By a chain that somebody else looks after (`externalSetMarkChain`).
    Chain(ChainName),
}

/// Why a number is no bit of a mark.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid bit of a packet's mark {value}: expected a number from 0 to 31")]
pub struct InvalidMarkBit {
    /// The number as it was given.
    pub value: i64,
}

/// The number of a bit of a packet's mark: 0 to 31.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarkBit(u8);

impl MarkBit {
    /// A mark in which only this bit is set.
    #[must_use]
    pub const fn mask(self) -> u32 {
        1 << self.0
    }
}

impl Default for MarkBit {
    /// The reference's.
    fn default() -> Self {
        Self(13)
    }
}

impl TryFrom<i64> for MarkBit {
    type Error = InvalidMarkBit;

    fn try_from(value: i64) -> Result<Self, InvalidMarkBit> {
        let bit = u8::try_from(value).ok().filter(|bit| *bit < 32);
        bit.map(Self).ok_or(InvalidMarkBit { value })
    }
}

/// Why a text names no chain of iptables.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "invalid chain {value:?}: expected 1 to {CHAIN_NAME_MAX} visible characters without quotes, \
     beginning with neither '-' nor '!'"
)]
pub struct InvalidChainName {
    /// The text as it was given.
    pub value: String,
}

/// The name of a chain of iptables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainName(String);

impl ChainName {
    /// Checks `text`.
    ///
    /// # Errors
    /// [`InvalidChainName`] when iptables would not have it for a name, or `iptables-restore` would read it as
    /// something else.
    pub fn new(text: &str) -> Result<Self, InvalidChainName> {
        let is_name = (1..=CHAIN_NAME_MAX).contains(&text.len())
            && !text.starts_with(['-', '!'])
            && text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\'));
        match is_name {
            true => Ok(Self(text.to_owned())),
            false => Err(InvalidChainName { value: text.to_owned() }),
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ChainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why words are no conditions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidConditions {
    /// One of them does not fit into the line of a script.
    #[error(
        "invalid condition {value:?}: expected one line of at most {WORD_MAX} bytes, without control characters"
    )]
    Word {
        /// The word as it was given.
        value: String,
    },
    /// They are too many.
    #[error("invalid conditions: expected at most {WORDS_MAX} bytes in all, found {bytes}")]
    TooLong {
        /// Their length in bytes.
        bytes: usize,
    },
}

/// Words of iptables that tell what else must be true of a packet: `! -d 192.0.2.0/24`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conditions(Vec<String>);

impl Conditions {
    /// Checks each of `words`. What they mean, iptables tells when it is given them.
    ///
    /// # Errors
    /// [`InvalidConditions`] when they would become more than a part of one line.
    pub fn new(words: Vec<String>) -> Result<Self, InvalidConditions> {
        let is_broken = |word: &&String| word.len() > WORD_MAX || word.chars().any(char::is_control);
        if let Some(value) = words.iter().find(is_broken).cloned() {
            return Err(InvalidConditions::Word { value });
        }
        // Quotes make a word longer.
        let bytes = words.iter().map(|word| quote(word).len() + 1).sum();
        if bytes > WORDS_MAX {
            return Err(InvalidConditions::TooLong { bytes });
        }
        Ok(Self(words))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Conditions {
    /// As a part of a line for `iptables-restore`: each word with a blank before it, in quotes where it needs them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|word| write!(f, " {}", quote(word)))
    }
}

/// In quotes, `iptables-restore` takes all but `"` and `\` as it is. What needs none gets none: a line that is
/// refused reads as it was written.
fn quote(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!%+,-./:=@_".contains(&byte);
    if !word.is_empty() && word.bytes().all(is_plain) {
        return word.to_owned();
    }
    format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conditions(words: &[&str]) -> Result<Conditions, InvalidConditions> {
        Conditions::new(words.iter().map(|word| (*word).to_owned()).collect())
    }

    #[test]
    fn conditions_stay_in_their_line_and_words() {
        let written = conditions(&["!", "-d", "192.0.2.0/24", "--comment", r#"a "b" \c"#, ""]).unwrap();
        assert_eq!(written.to_string(), r#" ! -d 192.0.2.0/24 --comment "a \"b\" \\c" """#);
        assert_eq!(Conditions::default().to_string(), "");
    }

    #[test]
    fn what_would_begin_a_new_line_is_refused_by_its_value() {
        for word in ["a\nCOMMIT", "a\r", "\0", "\u{85}"] {
            assert_eq!(conditions(&["-d", word]), Err(InvalidConditions::Word { value: word.to_owned() }));
        }
        let error = conditions(&["a\nb"]).unwrap_err().to_string();
        assert!(error.starts_with(r#"invalid condition "a\nb": expected one line"#), "{error}");
        assert!(conditions(&[&"x".repeat(1001)]).is_err());
        assert_eq!(
            conditions(&["\\".repeat(500).as_str(); 8]),
            Err(InvalidConditions::TooLong { bytes: 8024 })
        );
    }

    #[test]
    fn a_chain_s_name_is_one_word() {
        for name in ["KUBE-MARK-MASQ", "a", &"x".repeat(28)] {
            assert_eq!(ChainName::new(name).unwrap().as_str(), name);
        }
        for name in ["", "a b", "a\n", "\"a\"", "-A", "!", "é", "a\\", &"x".repeat(29)] {
            assert_eq!(ChainName::new(name), Err(InvalidChainName { value: name.to_owned() }));
        }
    }

    #[test]
    fn a_mark_has_32_bits() {
        assert_eq!(MarkBit::default().mask(), 0x2000);
        assert_eq!(MarkBit::try_from(31).unwrap().mask(), 0x8000_0000);
        for number in [-1, 32, 300] {
            assert_eq!(MarkBit::try_from(number), Err(InvalidMarkBit { value: number }));
        }
    }
}
