//! How long the first packet takes, counted from a given instant.
//!
//! The probe is started beforehand and waits for a line on its stdin: entering a namespace and starting a
//! program take longer than what is measured. Nothing is sent before that line, for an address resolution
//! that was begun too early would wait a second before it asks again.

use crate::ask::converse;
use crate::datagrams::Datagrams;
use crate::{Error, Question, tell};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const EVERY: Duration = Duration::from_micros(200);

/// Sends a numbered datagram each 200 µs until one is answered; prints `micros=` from the signal to the
/// answer, `answered=`, the number of the datagram that was answered (0 is the first), and `sent=`.
pub(crate) fn udp(question: &Question) -> Result<(), Error> {
    let datagrams = Datagrams::bind(question)?;
    let (done, sent) = (AtomicBool::new(false), AtomicU64::new(0));
    let start = wait_for_signal()?;
    let (answer, took) = thread::scope(|scope| {
        // The first one at once; whoever sends the others may start a little later.
        let _unsent = datagrams.send("0\n");
        sent.store(1, Ordering::Relaxed);
        scope.spawn(|| send_until(&done, &sent, &datagrams));
        let answer = datagrams.receive(question.within);
        let took = start.elapsed();
        done.store(true, Ordering::Relaxed);
        (answer, took)
    });
    let sent = sent.into_inner();
    let silence = |source| Error::Silence { address: question.address, sent, source };
    let answer = answer.map_err(silence)?;
    let number = answer.split_once(' ').and_then(|(_, number)| number.trim().parse::<u64>().ok());
    let number = number.ok_or(Error::Answer { answer })?;
    tell(&format!("micros={} answered={number} sent={sent}", took.as_micros()))
}

/// Makes one connection and asks over it; prints `micros=` from the signal to the answer.
pub(crate) fn tcp(question: &Question) -> Result<(), Error> {
    let start = wait_for_signal()?;
    converse(question)?;
    tell(&format!("micros={} answered=0 sent=1", start.elapsed().as_micros()))
}

/// The numbers count attempts: one that found no route is a packet that did not arrive, too.
fn send_until(done: &AtomicBool, sent: &AtomicU64, datagrams: &Datagrams) {
    loop {
        thread::sleep(EVERY);
        if done.load(Ordering::Relaxed) {
            return;
        }
        let number = sent.fetch_add(1, Ordering::Relaxed);
        let _unsent = datagrams.send(&format!("{number}\n"));
    }
}

fn wait_for_signal() -> Result<Instant, Error> {
    tell("ready=waiting")?;
    io::stdin().read_line(&mut String::new()).map_err(Error::Caller)?;
    Ok(Instant::now())
}
