//! Bytes that may be compressed: which way, and what is inside.

use crate::limits::Meter;
use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};
use serde::{Deserialize, Serialize};
use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::rc::Rc;

/// How an archive is compressed. Told by its first bytes, whatever its name or media type says.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// Not at all.
    None,
    /// By gzip.
    Gzip,
    /// By zstd.
    Zstd,
}

/// A format that some archives have, and that is not read here.
#[derive(Debug, thiserror::Error)]
#[error("it is compressed by {0}, which is not read here")]
pub struct UnknownCompression(pub &'static str);

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: u32 = 0xFD2F_B528;
const SKIPPABLE: u32 = 0x184D_2A50;
const BUFFER: usize = 128 << 10;

impl Compression {
    fn detect(start: &[u8]) -> Result<Self, UnknownCompression> {
        let number = start.first_chunk().map(|magic| u32::from_le_bytes(*magic));
        match number {
            Some(ZSTD) => return Ok(Self::Zstd),
            Some(number) if number & !0xf == SKIPPABLE => return Ok(Self::Zstd),
            _ => {}
        }
        for (magic, name) in [(b"BZh".as_slice(), "bzip2"), (b"\xfd7zXZ\0", "xz"), (b"PK\x03\x04", "zip")] {
            if start.starts_with(magic) {
                return Err(UnknownCompression(name));
            }
        }
        Ok(if start.starts_with(GZIP) { Self::Gzip } else { Self::None })
    }
}

type Start = io::Chain<Cursor<Vec<u8>>, Counting<Box<dyn Read>>>;

/// What is inside of bytes that may be compressed, within the limits.
pub(crate) struct Unpacked<'m> {
    inner: Inner,
    packed: Rc<Cell<u64>>,
    count: u64,
    meter: &'m Meter,
}

enum Inner {
    Plain(BufReader<Start>),
    Gzip(Box<MultiGzDecoder<BufReader<Start>>>),
    Zstd(ZstdFrames<BufReader<Start>>),
}

impl<'m> Unpacked<'m> {
    /// Looks at the first bytes of a stream, and says what it is.
    pub(crate) fn new(source: Box<dyn Read>, meter: &'m Meter) -> io::Result<(Compression, Self)> {
        let packed = Rc::new(Cell::new(0));
        let mut source = Counting { inner: source, count: Rc::clone(&packed) };
        // A pipe may give one byte at a time.
        let mut start = Vec::new();
        source.by_ref().take(8).read_to_end(&mut start)?;
        let compression = Compression::detect(&start).map_err(io::Error::other)?;
        let source = BufReader::with_capacity(BUFFER, Cursor::new(start).chain(source));
        let inner = match compression {
            Compression::None => Inner::Plain(source),
            Compression::Gzip => Inner::Gzip(Box::new(MultiGzDecoder::new(source))),
            Compression::Zstd => Inner::Zstd(ZstdFrames::Between(source)),
        };
        Ok((compression, Self { inner, packed, count: 0, meter }))
    }
}

impl Read for Unpacked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match &mut self.inner {
            Inner::Plain(source) => source.read(buffer),
            Inner::Gzip(source) => source.read(buffer),
            Inner::Zstd(source) => source.read(buffer),
        }?;
        self.count += count as u64;
        self.meter.check_ratio(self.packed.get(), self.count)?;
        Ok(count)
    }
}

struct Counting<R> {
    inner: R,
    count: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count.set(self.count.get() + count as u64);
        Ok(count)
    }
}

/// One frame, whose first bytes were read to see that it is one.
type Frame<R> = StreamingDecoder<io::Chain<Cursor<[u8; 4]>, R>, FrameDecoder>;

/// A zstd stream is any number of frames, some of which are to be skipped; the decoder knows one.
enum ZstdFrames<R: Read> {
    Between(R),
    Within(Box<Frame<R>>),
    Failed,
}

impl<R: BufRead> ZstdFrames<R> {
    /// The next frame that is not to be skipped, or none.
    fn begin(mut source: R) -> io::Result<Self> {
        loop {
            if source.fill_buf()?.is_empty() {
                return Ok(Self::Between(source));
            }
            let mut magic = [0; 4];
            source.read_exact(&mut magic)?;
            if u32::from_le_bytes(magic) & !0xf != SKIPPABLE {
                let decoder = StreamingDecoder::new(Cursor::new(magic).chain(source));
                return Ok(Self::Within(Box::new(
                    decoder.map_err(|error| io::Error::other(error.to_string()))?,
                )));
            }
            let mut length = [0; 4];
            source.read_exact(&mut length)?;
            let length = u64::from(u32::from_le_bytes(length));
            if io::copy(&mut source.by_ref().take(length), &mut io::sink())? < length {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

impl<R: BufRead> Read for ZstdFrames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let next = match std::mem::replace(self, Self::Failed) {
                Self::Failed => return Err(io::Error::other("reading failed before")),
                Self::Between(source) => Self::begin(source)?,
                Self::Within(mut decoder) => match decoder.read(buffer)? {
                    0 => {
                        let source = decoder.into_inner().into_inner().1;
                        Self::Between(source)
                    }
                    count => {
                        *self = Self::Within(decoder);
                        return Ok(count);
                    }
                },
            };
            let is_new = matches!(next, Self::Within(_));
            *self = next;
            if let Self::Between(source) = self
                && !is_new
                && source.fill_buf()?.is_empty()
            {
                return Ok(0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::limits::{LimitExceeded, Limits, limit_behind};
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
    }

    /// One byte at a time, as a slow pipe gives them.
    struct Slow(Cursor<Vec<u8>>);
    impl Read for Slow {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let end = buffer.len().min(1);
            self.0.read(&mut buffer[..end])
        }
    }

    fn unpack(bytes: Vec<u8>, limits: Limits) -> io::Result<(Compression, Vec<u8>)> {
        let meter = Meter::new(limits);
        let (compression, mut inside) = Unpacked::new(Box::new(Slow(Cursor::new(bytes))), &meter)?;
        let mut text = Vec::new();
        inside.read_to_end(&mut text)?;
        Ok((compression, text))
    }

    #[test]
    fn what_is_inside_is_told_by_the_first_bytes() {
        let text = b"the same text, over and over, the same text".repeat(9);
        for (compression, bytes) in [
            (Compression::None, text.clone()),
            (Compression::Gzip, gzip(&text)),
            (Compression::Zstd, zstd(&text)),
        ] {
            assert_eq!(unpack(bytes, Limits::default()).unwrap(), (compression, text.clone()));
        }
        assert_eq!(unpack(vec![], Limits::default()).unwrap(), (Compression::None, vec![]));
    }

    #[test]
    fn several_members_and_frames_are_one_text() {
        let skipped = [&0x184D_2A53_u32.to_le_bytes()[..], &3_u32.to_le_bytes(), b"xyz"].concat();
        let frames = [skipped.clone(), zstd(b"one"), skipped, zstd(b""), zstd(b"two")].concat();
        assert_eq!(unpack(frames, Limits::default()).unwrap(), (Compression::Zstd, b"onetwo".to_vec()));
        let members = [gzip(b"one"), gzip(b"two")].concat();
        assert_eq!(unpack(members, Limits::default()).unwrap().1, b"onetwo");
    }

    #[test]
    fn what_ends_too_early_is_an_error() {
        let noise: Vec<u8> =
            (0..4000_u32).flat_map(|n| Digest::of(&n.to_le_bytes()).hex().into_bytes()).collect();
        for whole in [gzip(&noise), zstd(&noise)] {
            for end in [3, whole.len() / 2, whole.len() - 1] {
                assert!(unpack(whole[..end].to_vec(), Limits::default()).is_err() || end == 3, "{end}");
            }
        }
    }

    #[test]
    fn a_bomb_meets_the_limit_before_it_is_whole() {
        let limits = Limits { ratio: 20, ratio_from: 10_000, ..Limits::default() };
        let zeros = vec![0; 1 << 20];
        for bomb in [gzip(&zeros), zstd(&zeros)] {
            let error = unpack(bomb, limits).unwrap_err();
            assert_eq!(limit_behind(&error), Some(LimitExceeded::Ratio { limit: 20 }));
        }
        assert!(unpack(zeros, limits).is_ok());
    }

    #[test]
    fn what_is_not_read_is_named() {
        let error = unpack(b"\xfd7zXZ\0\0\0".to_vec(), Limits::default()).unwrap_err();
        assert_eq!(error.to_string(), "it is compressed by xz, which is not read here");
    }
}
