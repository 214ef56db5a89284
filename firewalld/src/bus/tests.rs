//! Buses that do not behave, played by a thread at the other end.

use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use super::*;

/// For what must come.
const PATIENCE: Duration = Duration::from_secs(10);
/// For what must not.
const MOMENT: Duration = Duration::from_millis(50);

/// A folder of its own for each test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("firewalld-bus-{}-{number}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn socket(&self) -> PathBuf {
        self.0.join("bus")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

/// Opens a bus that says these things, each after it has heard something.
fn open(words: &[&[u8]], patience: Duration) -> Result<Option<Bus>, Error> {
    let words: Vec<_> = words.iter().map(|word| word.to_vec()).collect();
    let folder = Folder::new();
    let listener = UnixListener::bind(folder.socket()).unwrap();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        for word in words {
            let _heard = stream.read(&mut [0; 4096]).unwrap();
            stream.write_all(&word).unwrap();
        }
        stream
    });
    let opened = Bus::open(&Address::Path(folder.socket()), patience);
    // Until then the connection is not closed.
    drop(server.join().unwrap());
    opened
}

/// The answer of a machine with the other order of bytes to `Hello`: `:1.7`.
const HELLO: &[u8] = b"B\x02\x01\x01\0\0\0\x09\0\0\0\x01\0\0\0\x0d\
    \x05\x01u\0\0\0\0\x01\x08\x01g\0\x01s\0\0\0\0\0\x04:1.7\0";

#[test]
fn a_bus_of_either_order_of_bytes_is_understood() {
    assert!(open(&[b"OK 0123\r\n", HELLO], PATIENCE).unwrap().is_some());
}

#[test]
fn a_bus_that_is_silent_is_given_up() {
    assert!(matches!(open(&[b"OK 0123\r\n"], MOMENT), Err(Error::Late { within: MOMENT })));
    // Half of an answer is none.
    assert!(matches!(open(&[b"OK 0123\r\n", HELLO.split_at(20).0], MOMENT), Err(Error::Late { .. })));
}

#[test]
fn a_bus_that_accepts_nobody_is_given_up() {
    let folder = Folder::new();
    let listener = UnixListener::bind(folder.socket()).unwrap();
    nix::sys::socket::listen(&listener, nix::sys::socket::Backlog::new(0).unwrap()).unwrap();
    let address = Address::Path(folder.socket());
    let waiting = (0..8).map(|_| Bus::open(&address, MOMENT));
    assert!(waiting.into_iter().all(|opened| matches!(opened, Err(Error::Late { .. }))));
}

#[test]
fn a_bus_that_does_not_want_us_is_quoted() {
    let error = open(&[b"REJECTED EXTERNAL\r\n"], PATIENCE).unwrap_err();
    assert!(error.to_string().ends_with("\"REJECTED EXTERNAL\""), "{error}");
}

#[test]
fn nonsense_is_not_believed() {
    assert!(matches!(open(&[&[b'x'; 5000]], PATIENCE), Err(Error::Malformed)));
    for nonsense in [&[0; 64][..], &[b'l'; 64], b"l\x02\x01\x01\xff\xff\xff\xff\x01\0\0\0\xff\xff\xff\xff"] {
        assert!(matches!(open(&[b"OK 0123\r\n", nonsense], PATIENCE), Err(Error::Malformed)));
    }
}

#[test]
fn a_bus_that_hangs_up_is_told_from_none() {
    let folder = Folder::new();
    let address = Address::Path(folder.socket());
    assert!(Bus::open(&address, PATIENCE).unwrap().is_none(), "no socket");
    let listener = UnixListener::bind(folder.socket()).unwrap();
    let server = thread::spawn(move || drop(listener.accept().unwrap()));
    assert!(matches!(Bus::open(&address, PATIENCE), Err(Error::Closed)));
    server.join().unwrap();
    assert!(Bus::open(&address, PATIENCE).unwrap().is_none(), "a socket that is left over");
}
