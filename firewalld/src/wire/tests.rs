//! Bytes as a real bus (dbus-daemon 1.14) and a real firewalld (1.3.3) have sent them.

use super::*;

const NAME_HAS_OWNER: &[u8] = b"l\x02\x01\x01\x04\0\0\0\x03\0\0\0=\0\0\0\
    \x06\x01s\0\x04\0\0\0:1.5\0\0\0\0\x05\x01u\0\x02\0\0\0\x08\x01g\0\x01b\0\0\
    \x07\x01s\0\x14\0\0\0org.freedesktop.DBus\0\0\0\0\x01\0\0\0";
const DEFAULT_ZONE: &[u8] = b"l\x02\x01\x01\x0b\0\0\0-\x01\0\0-\0\0\0\
    \x06\x01s\0\x04\0\0\0:1.5\0\0\0\0\x05\x01u\0\x03\0\0\0\x08\x01g\0\x01s\0\0\
    \x07\x01s\0\x04\0\0\0:1.2\0\0\0\0\x06\0\0\0public\0";
const ZONES: &[u8] = b"l\x02\x01\x01q\0\0\0/\x01\0\0-\0\0\0\
    \x06\x01s\0\x04\0\0\0:1.5\0\0\0\0\x05\x01u\0\x04\0\0\0\x08\x01g\0\x02as\0\
    \x07\x01s\0\x04\0\0\0:1.2\0\0\0\0m\0\0\0\x05\0\0\0block\0\0\0\x03\0\0\0dmz\0\x04\0\0\0drop\0\0\0\0\
    \x08\0\0\0external\0\0\0\0\x04\0\0\0home\0\0\0\0\x08\0\0\0internal\0\0\0\0\x06\0\0\0public\0\0\
    \x07\0\0\0trusted\0\x04\0\0\0work\0";
const INVALID_ZONE: &[u8] = b"l\x03\x01\x01\x17\0\0\x004\x01\0\0]\0\0\0\
    \x06\x01s\0\x04\0\0\0:1.5\0\0\0\0\x04\x01s\0&\0\0\0org.fedoraproject.FirewallD1.Exception\0\0\
    \x05\x01u\0\x06\0\0\0\x08\x01g\0\x01s\0\0\x07\x01s\0\x04\0\0\0:1.2\0\0\0\0\x12\0\0\0INVALID_ZONE: nope\0";
const NAME_ACQUIRED: &[u8] = b"l\x04\x01\x01\x09\0\0\0\x02\0\0\0\x8d\0\0\0\
    \x01\x01o\0\x15\0\0\0/org/freedesktop/DBus\0\0\0\x02\x01s\0\x14\0\0\0org.freedesktop.DBus\0\0\0\0\
    \x03\x01s\0\x0c\0\0\0NameAcquired\0\0\0\0\x06\x01s\0\x04\0\0\0:1.5\0\0\0\0\x08\x01g\0\x01s\0\0\
    \x07\x01s\0\x14\0\0\0org.freedesktop.DBus\0\0\0\0\x04\0\0\0:1.5\0";
const RECORDED: [&[u8]; 5] = [NAME_HAS_OWNER, DEFAULT_ZONE, ZONES, INVALID_ZONE, NAME_ACQUIRED];

fn read(bytes: &[u8]) -> Message {
    Message::read(bytes).unwrap()
}

#[test]
fn a_call_is_what_firewalld_understands() {
    let call = Call {
        destination: "org.fedoraproject.FirewallD1",
        path: "/org/fedoraproject/FirewallD1",
        interface: "org.fedoraproject.FirewallD1.zone",
        member: "addSource",
        arguments: &["nope", "10.22.0.5/32"],
    };
    let expected: &[u8] = b"l\x01\x02\x01\x1d\0\0\0\x06\0\0\0\xa0\0\0\0\
        \x01\x01o\0\x1d\0\0\0/org/fedoraproject/FirewallD1\0\0\0\
        \x02\x01s\0!\0\0\0org.fedoraproject.FirewallD1.zone\0\0\0\0\0\0\0\
        \x03\x01s\0\x09\0\0\0addSource\0\0\0\0\0\0\0\
        \x06\x01s\0\x1c\0\0\0org.fedoraproject.FirewallD1\0\0\0\0\
        \x08\x01g\0\x02ss\0\x04\0\0\0nope\0\0\0\0\x0c\0\0\x0010.22.0.5/32\0";
    assert_eq!(call.encode(6).escape_ascii().to_string(), expected.escape_ascii().to_string());
}

#[test]
fn answers_are_read_with_their_values() {
    let owned = read(NAME_HAS_OWNER);
    assert_eq!((owned.reply_to, owned.error, owned.reply.boolean()), (Some(2), None, Some(true)));
    let zone = read(DEFAULT_ZONE);
    assert_eq!((zone.reply_to, zone.reply.text().as_deref()), (Some(3), Some("public")));
    let expected = ["block", "dmz", "drop", "external", "home", "internal", "public", "trusted", "work"];
    assert_eq!(read(ZONES).reply.texts().unwrap(), expected);
    let refused = read(INVALID_ZONE);
    assert_eq!(refused.error.as_deref(), Some("org.fedoraproject.FirewallD1.Exception"));
    assert_eq!(refused.reply.text().as_deref(), Some("INVALID_ZONE: nope"));
}

#[test]
fn a_signal_answers_nobody() {
    assert_eq!(read(NAME_ACQUIRED).reply_to, None);
}

#[test]
fn a_value_of_another_type_is_none() {
    assert_eq!((read(ZONES).reply.text(), read(ZONES).reply.boolean()), (None, None));
    assert_eq!((read(DEFAULT_ZONE).reply.texts(), read(DEFAULT_ZONE).reply.boolean()), (None, None));
    assert_eq!((read(NAME_HAS_OWNER).reply.texts(), read(NAME_HAS_OWNER).reply.text()), (None, None));
}

#[test]
fn a_message_tells_its_length_by_its_head() {
    for bytes in RECORDED {
        assert_eq!(length(bytes.first_chunk().unwrap()), Some(bytes.len()));
    }
    let mut endless = *NAME_HAS_OWNER.first_chunk().unwrap();
    endless[7] = 1;
    assert_eq!(length(&endless), None);
}

#[test]
fn whatever_arrives_is_read_or_refused() {
    for bytes in RECORDED {
        for position in 0..bytes.len() {
            let mut read = vec![Message::read(&bytes[..position])];
            for damage in [0x01, 0x7f, 0x80, 0xff] {
                let mut damaged = bytes.to_vec();
                damaged[position] ^= damage;
                read.push(Message::read(&damaged));
            }
            for message in read.into_iter().flatten() {
                let _values = (message.reply.text(), message.reply.texts(), message.reply.boolean());
            }
        }
    }
}
