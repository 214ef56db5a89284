//! Numbers given and found.

use netns::Netns;
use netns::nsid::{Choice, Error, Ids, Nsid};

use crate::sandbox;

fn nsid(number: u32) -> Nsid {
    number.to_string().parse().unwrap()
}

#[test]
fn a_number_is_given_once() {
    sandbox::run(|| {
        let (ids, blue, red) = (Ids::open().unwrap(), Netns::create().unwrap(), Netns::create().unwrap());
        assert_eq!(ids.find(&blue).unwrap(), None);
        assert_eq!(ids.list(None).unwrap(), []);

        ids.assign(&blue, Choice::Exactly(nsid(7))).unwrap();
        ids.assign(&red, Choice::Auto).unwrap();
        assert_eq!(ids.find(&blue).unwrap(), Some(nsid(7)));
        assert_eq!(ids.find(&red).unwrap(), Some(nsid(0)));
        let mut listed: Vec<_> = ids.list(None).unwrap().iter().map(|entry| entry.nsid.number()).collect();
        listed.sort_unstable();
        assert_eq!(listed, [0, 7]);

        let again = ids.assign(&blue, Choice::Exactly(nsid(8))).unwrap_err();
        assert!(matches!(again, Error::HasOne { nsid: had, .. } if had == nsid(7)), "{again}");
        let taken = ids.assign(&Netns::create().unwrap(), Choice::Exactly(nsid(7))).unwrap_err();
        assert!(matches!(taken, Error::Taken { .. }), "{taken}");
    });
}

#[test]
fn another_namespace_can_be_asked_about() {
    sandbox::run(|| {
        let (ids, blue, red) = (Ids::open().unwrap(), Netns::create().unwrap(), Netns::create().unwrap());
        ids.assign(&blue, Choice::Exactly(nsid(7))).unwrap();
        ids.assign(&red, Choice::Exactly(nsid(3))).unwrap();
        blue.run(|| Ids::open().unwrap().assign(&red, Choice::Exactly(nsid(5))).unwrap()).unwrap();

        let entry = ids.entry(nsid(3), Some(nsid(7))).unwrap();
        assert_eq!((entry.nsid, entry.current), (nsid(5), Some(nsid(3))));
        assert_eq!(ids.list(Some(nsid(7))).unwrap(), [entry]);
        for (error, unknown) in [
            (ids.entry(nsid(9), None).unwrap_err(), 9),
            (ids.entry(nsid(3), Some(nsid(8))).unwrap_err(), 8),
            (ids.list(Some(nsid(8))).unwrap_err(), 8),
        ] {
            assert!(matches!(error, Error::Unknown { nsid: found } if found == nsid(unknown)), "{error}");
        }
    });
}

/// The kernel's own list ends after 134.
#[test]
fn a_long_list_comes_whole() {
    sandbox::run(|| {
        let ids = Ids::open().unwrap();
        let many: Vec<_> = (0..300).map(|_| Netns::create().unwrap()).collect();
        for netns in &many {
            ids.assign(netns, Choice::Auto).unwrap();
        }
        assert_eq!(ids.list(None).unwrap().len(), many.len());
    });
}
