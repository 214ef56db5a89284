use super::*;
use crate::scratch::Scratch;

const EARLY: &str = "2026-01-01T00:00:00.000000000Z";
const LATE: &str = "2026-01-02T00:00:00.000000000Z";

fn read(path: &std::path::Path, options: Options) -> Vec<String> {
    let mut reader = Reader::open(path, options).unwrap().unwrap();
    std::iter::from_fn(|| reader.next_line().unwrap()).map(|line| line.log).collect()
}

#[test]
fn lines_are_kept_whole_whatever_pieces_they_come_in() {
    let scratch = Scratch::new();
    let path = scratch.path().join("log");
    let mut log = Writer::open(&path).unwrap();
    for piece in ["a\nb", "c\n", "", "d\n\ne"] {
        log.write(Stream::Stdout, piece.as_bytes(), EARLY).unwrap();
    }
    log.write(Stream::Stderr, b"\xff!\n", LATE).unwrap();
    assert_eq!(read(&path, Options::default()), ["a\n", "bc\n", "d\n", "\n", "\u{fffd}!\n"]);
    log.finish(LATE).unwrap();
    assert_eq!(read(&path, Options::default()).last().unwrap(), "e");
    let text = std::fs::read_to_string(&path).unwrap();
    let first = format!("{{\"log\":\"a\\n\",\"stream\":\"stdout\",\"time\":\"{EARLY}\"}}");
    assert_eq!(text.lines().next().unwrap(), first);
}

#[test]
fn a_line_without_end_is_kept_in_pieces_that_cut_no_character() {
    let scratch = Scratch::new();
    let path = scratch.path().join("log");
    let mut log = Writer::open(&path).unwrap();
    let long = "x".to_owned() + &"ä".repeat(20_000);
    log.write(Stream::Stdout, long.as_bytes(), EARLY).unwrap();
    log.finish(EARLY).unwrap();
    let pieces = read(&path, Options::default());
    assert_eq!(pieces.len(), 3);
    assert_eq!(pieces.concat(), long);
}

#[test]
fn the_tail_is_what_was_printed_last() {
    let scratch = Scratch::new();
    let path = scratch.path().join("log");
    let mut log = Writer::open(&path).unwrap();
    let all: Vec<String> = (0..5000).map(|number| format!("{number:0>60}\n")).collect();
    log.write(Stream::Stdout, all.concat().as_bytes(), EARLY).unwrap();
    for tail in [0, 1, 2, 700, 4999, 5000, 6000] {
        let options = Options { tail: Some(tail), ..Options::default() };
        assert_eq!(read(&path, options), all[all.len() - tail.min(all.len())..], "{tail}");
    }
}

#[test]
fn lines_are_chosen_by_their_time() {
    let scratch = Scratch::new();
    let path = scratch.path().join("log");
    let mut log = Writer::open(&path).unwrap();
    log.write(Stream::Stdout, b"early\n", EARLY).unwrap();
    log.write(Stream::Stdout, b"late\n", LATE).unwrap();
    let since = Options { since: Some(LATE.parse().unwrap()), ..Options::default() };
    let until = Options { until: Some(EARLY.parse().unwrap()), ..Options::default() };
    assert_eq!(
        (read(&path, since), read(&path, until)),
        (vec!["late\n".to_owned()], vec!["early\n".to_owned()])
    );
}

#[test]
fn a_reader_goes_on_as_the_log_grows_and_skips_what_was_torn() {
    let scratch = Scratch::new();
    let path = scratch.path().join("log");
    assert!(Reader::open(&path, Options::default()).unwrap().is_none());
    std::fs::write(&path, "{\"log\":\"torn").unwrap();
    let mut reader = Reader::open(&path, Options::default()).unwrap().unwrap();
    assert_eq!(reader.next_line().unwrap(), None);
    let mut log = Writer::open(&path).unwrap();
    std::io::Write::write_all(&mut std::fs::OpenOptions::new().append(true).open(&path).unwrap(), b"\n")
        .unwrap();
    log.write(Stream::Stdout, b"whole\n", EARLY).unwrap();
    assert_eq!(reader.next_line().unwrap().unwrap().log, "whole\n");
    assert_eq!(reader.next_line().unwrap(), None);
}
