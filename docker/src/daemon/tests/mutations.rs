//! Files that nobody would write: whatever the bytes are, they are read or refused, and what is read can be used.

use serde_json::{Value, json};

use super::super::{DaemonFile, DefaultBridge};
use super::WHOLE;
use crate::reserved::reserved;
use crate::shorthand::Shorthand;

/// Numbers that look like chance and are the same in every run (Marsaglia's xorshift).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// Reads `bytes`, and looks whether everything holds that is promised of what was read.
fn read(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let file = match DaemonFile::parse(bytes) {
        Ok(file) => file,
        Err(fault) => {
            let said = fault.to_string();
            assert!(!said.is_empty() && !said.contains('\n'), "{said:?} of {text}");
            return false;
        }
    };
    if file.bridge == DefaultBridge::Own {
        for family in
            Shorthand::new(&file.wish).unwrap_or_else(|error| panic!("{error} of {text}")).families()
        {
            assert!(family.subnet().contains(family.gateway()) && family.has_room(), "{family:?} of {text}");
            assert_eq!(reserved(family.subnet()), None, "{text}");
        }
    }
    for pool in &file.pools {
        assert!(pool.base().prefix() <= pool.size() && reserved(pool.base()).is_none(), "{pool:?} of {text}");
    }
    assert!(file.ignored.is_sorted(), "{text}");
    assert!(file.mtu.is_none_or(|mtu| mtu.carries_ipv6() || !file.has_ipv6()), "{text}");
    true
}

#[test]
fn random_bytes_are_refused_and_nothing_worse() {
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    for _ in 0..5_000 {
        let length = chance.below(64);
        let bytes: Vec<u8> = (0..length).map(|_| chance.below(256) as u8).collect();
        read(&bytes);
    }
}

#[test]
fn a_file_that_was_damaged_is_read_or_refused() {
    let mut chance = Chance(0x2545_f491_4f6c_dd1d);
    let (mut fine, mut bad) = (0, 0);
    for _ in 0..5_000 {
        let mut bytes = WHOLE.as_bytes().to_vec();
        for _ in 0..=chance.below(3) {
            let at = chance.below(bytes.len());
            match chance.below(4) {
                0 => bytes[at] = chance.below(256) as u8,
                1 => bytes.truncate(at.max(1)),
                2 => bytes.insert(at, *chance.pick(b"0123456789:./\"[]{}, -")),
                _ => drop(bytes.remove(at)),
            }
            if bytes.is_empty() {
                break;
            }
        }
        if read(&bytes) { fine += 1 } else { bad += 1 }
    }
    assert!(fine > 100 && bad > 100, "{fine} were read, {bad} refused: not much was tried");
}

#[test]
fn any_value_at_any_key_is_read_or_refused() {
    let keys: Vec<String> =
        serde_json::from_str::<Value>(WHOLE).unwrap().as_object().unwrap().keys().cloned().collect();
    let values = [
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(-1),
        json!(30),
        json!(1279),
        json!(1280),
        json!(u64::MAX),
        json!(1e300),
        json!(""),
        json!("none"),
        json!("br0"),
        json!("."),
        json!("\u{0}"),
        json!("🦀"),
        json!("0.0.0.0/0"),
        json!("::/0"),
        json!("255.255.255.255/32"),
        json!("255.255.255.254/30"),
        json!("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128"),
        json!("fd00:5::/126"),
        json!("fd00:5::1/64"),
        json!("192.168.1.1/30"),
        json!("192.168.1.2/24"),
        json!("192.168.1.0/31"),
        json!("192.168.1.254"),
        json!("192.168.1.128/25"),
        json!("10.0.0.0/8"),
        json!("fd00:5::2"),
        json!("fd00:5::8000/113"),
        json!([]),
        json!({}),
        json!([[]]),
        json!(["10.1.2.3"]),
        json!(["a.example"]),
        json!([{"base": "10.0.0.0/8", "size": 8}]),
        json!([{"base": "0.0.0.0/0", "size": 300}]),
        json!([{"size": 0}]),
    ];
    let mut chance = Chance(0xdead_beef_cafe_f00d);
    let (mut fine, mut bad) = (0, 0);
    for _ in 0..20_000 {
        let chosen = 1 + chance.below(4);
        let entries: Vec<String> =
            (0..chosen).map(|_| format!("{}:{}", json!(chance.pick(&keys)), chance.pick(&values))).collect();
        if read(format!("{{{}}}", entries.join(",")).as_bytes()) { fine += 1 } else { bad += 1 }
    }
    assert!(fine > 1_000 && bad > 1_000, "{fine} were read, {bad} refused: not much was tried");
}

#[test]
fn a_file_that_is_nested_without_end_is_refused() {
    let deep = format!(r#"{{"dns": {}"#, "[".repeat(100_000));
    assert!(!read(deep.as_bytes()));
}
