//! Deflate and gzip over any buffered reader. A slice in memory is one, so whole buffers run at full speed.

use std::cell::RefCell;
use std::io::{self, BufRead, Read};

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::flaw::flaw;
use crate::error::Place;
use crate::report::Code;

const GZIP: Code = Code::damage("source.gzip");
const GZIP_TRAILING: Code = Code::warning("source.gzip_trailing");
const DEFLATE: Code = Code::damage("source.deflate");

/// True when content is gzip, whatever its name says.
pub(super) fn is_gzip(head: &[u8]) -> bool {
    head.starts_with(&[0x1f, 0x8b, 8])
}

/// One step of a raw deflate stream: (bytes written, whether the stream ended); no bytes and no end: the input is cut.
fn step(raw: &mut Decompress, input: &mut impl BufRead, out: &mut [u8]) -> io::Result<Result<(usize, bool), String>> {
    loop {
        let available = input.fill_buf()?;
        let cut = available.is_empty();
        let (before_in, before_out) = (raw.total_in(), raw.total_out());
        let status = raw.decompress(available, out, FlushDecompress::None);
        let read = (raw.total_in() - before_in) as usize;
        let written = (raw.total_out() - before_out) as usize;
        input.consume(read);
        match status {
            Err(error) if written == 0 => return Ok(Err(error.to_string())),
            Ok(Status::StreamEnd) => return Ok(Ok((written, true))),
            _ if written > 0 || cut => return Ok(Ok((written, false))),
            // Neither read nor written although there is input: the decoder is stuck.
            _ if read == 0 => return Ok(Err("the deflate stream stops".into())),
            _ => {}
        }
    }
}

/// Decoders at rest that a thread keeps.
const MOST_RESTING: usize = 4;

thread_local! {
    /// A decoder is tens of kilobytes to allocate and to clear: too much for each of thousands of small members.
    static RESTING: RefCell<Vec<Decompress>> = const { RefCell::new(Vec::new()) };
}

/// A decoder of raw deflate, which goes to rest when it is dropped.
pub(super) struct Decoder(Option<Decompress>);

impl Decoder {
    pub(super) fn new() -> Decoder {
        Decoder(RESTING.with_borrow_mut(Vec::pop))
    }

    pub(super) fn raw(&mut self) -> &mut Decompress {
        self.0.get_or_insert_with(|| Decompress::new(false))
    }

    fn total_in(&self) -> u64 {
        self.0.as_ref().map_or(0, Decompress::total_in)
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        let Some(mut raw) = self.0.take() else { return };
        raw.reset(false);
        // A thread that ends has no place for it any more.
        let _ = RESTING.try_with(|resting| {
            if let Ok(mut resting) = resting.try_borrow_mut()
                && resting.len() < MOST_RESTING
            {
                resting.push(raw);
            }
        });
    }
}

/// A raw deflate stream, as zip members hold it.
pub(super) struct Inflate<R> {
    input: R,
    raw: Decoder,
    ended: bool,
}

impl<R: BufRead> Inflate<R> {
    pub(super) fn new(input: R) -> Inflate<R> {
        Inflate { input, raw: Decoder::new(), ended: false }
    }
}

impl<R: BufRead> Read for Inflate<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.ended || out.is_empty() {
            return Ok(0);
        }
        match step(self.raw.raw(), &mut self.input, out)? {
            Ok((written, ended)) => {
                self.ended = ended;
                if written == 0 && !ended {
                    self.ended = true;
                    let place = Place { byte: Some(self.raw.total_in()), ..Place::NOWHERE };
                    return Err(flaw(DEFLATE, place, "the compressed data is cut off"));
                }
                Ok(written)
            }
            Err(reason) => {
                self.ended = true;
                let place = Place { byte: Some(self.raw.total_in()), ..Place::NOWHERE };
                Err(flaw(DEFLATE, place, format!("the compressed data is damaged: {reason}")))
            }
        }
    }
}

/// A gzip stream of one or several members (RFC 1952). Every check sum is verified.
pub(super) struct Gunzip<R> {
    input: R,
    raw: Decoder,
    crc: Crc,
    state: State,
    /// Compressed bytes of the members and headers read so far.
    at: u64,
    /// A failed check must not swallow the bytes before it: it is reported by the next call.
    late: Option<io::Error>,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    First,
    Next,
    Body,
    Ended,
}

impl<R: BufRead> Gunzip<R> {
    pub(super) fn new(input: R) -> Gunzip<R> {
        Gunzip { input, raw: Decoder::new(), crc: Crc::new(), state: State::First, at: 0, late: None }
    }

    fn end(&mut self, code: Code, detail: impl Into<String>) -> io::Error {
        self.state = State::Ended;
        flaw(code, Place { byte: Some(self.at + self.raw.total_in()), ..Place::NOWHERE }, detail)
    }

    fn take<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        match self.input.read_exact(&mut bytes) {
            Ok(()) => {
                self.at += N as u64;
                Ok(bytes)
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(self.end(GZIP, "the gzip data is cut off"))
            }
            Err(error) => Err(error),
        }
    }

    fn skip_text(&mut self) -> io::Result<()> {
        while self.take::<1>()? != [0] {}
        Ok(())
    }

    /// Reads a member's header; false when no member follows.
    fn header(&mut self) -> io::Result<bool> {
        let first = self.state == State::First;
        let Some(&byte) = self.input.fill_buf()?.first() else {
            self.state = State::Ended;
            return if first { Err(self.end(GZIP, "the gzip data is empty")) } else { Ok(false) };
        };
        if !first && byte != 0x1f {
            return self.trailing().map(|()| false);
        }
        let fixed = self.take::<10>()?;
        if !is_gzip(&fixed) {
            let code = if first { GZIP } else { GZIP_TRAILING };
            return Err(self.end(code, "what follows is not gzip data"));
        }
        let flags = fixed[3];
        if flags & 4 != 0 {
            let len = u16::from_le_bytes(self.take()?);
            for _ in 0..len {
                self.take::<1>()?;
            }
        }
        if flags & 8 != 0 {
            self.skip_text()?;
        }
        if flags & 16 != 0 {
            self.skip_text()?;
        }
        if flags & 2 != 0 {
            self.take::<2>()?;
        }
        self.raw.raw().reset(false);
        self.crc.reset();
        self.state = State::Body;
        Ok(true)
    }

    /// Padding with zeros is common and harmless; anything else deserves a word.
    fn trailing(&mut self) -> io::Result<()> {
        self.state = State::Ended;
        loop {
            let rest = self.input.fill_buf()?;
            if rest.is_empty() {
                return Ok(());
            }
            if rest.iter().any(|&b| b != 0) {
                return Err(self.end(GZIP_TRAILING, "other bytes follow the gzip data"));
            }
            let len = rest.len();
            self.input.consume(len);
        }
    }

    fn trailer(&mut self) -> io::Result<()> {
        self.at += self.raw.total_in();
        let total = self.raw.raw().total_out() as u32;
        self.raw.raw().reset(false);
        let trailer = self.take::<8>()?;
        let [a, b, c, d, e, f, g, h] = trailer;
        if u32::from_le_bytes([a, b, c, d]) != self.crc.sum() {
            return Err(self.end(GZIP, "the gzip check sum does not match"));
        }
        if u32::from_le_bytes([e, f, g, h]) != total {
            return Err(self.end(GZIP, "the gzip size does not match"));
        }
        self.state = State::Next;
        Ok(())
    }
}

impl<R: BufRead> Read for Gunzip<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        if let Some(error) = self.late.take() {
            return Err(error);
        }
        loop {
            match self.state {
                State::Ended => return Ok(0),
                State::First | State::Next => {
                    if !self.header()? {
                        return Ok(0);
                    }
                }
                State::Body => {
                    let (written, ended) = match step(self.raw.raw(), &mut self.input, out)? {
                        Ok((0, false)) => return Err(self.end(GZIP, "the gzip data is cut off")),
                        Ok(done) => done,
                        Err(reason) => return Err(self.end(GZIP, format!("the gzip data is damaged: {reason}"))),
                    };
                    self.crc.update(&out[..written]);
                    if ended {
                        match self.trailer() {
                            Err(error) if written > 0 => self.late = Some(error),
                            checked => checked?,
                        }
                    }
                    if written > 0 {
                        return Ok(written);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::flaw::{End, end_of};
    use super::*;

    /// "hi" as one stored block, its CRC-32 (as Python's zlib has it) and size.
    const BODY: [u8; 7] = [1, 2, 0, 0xfd, 0xff, b'h', b'i'];
    const TRAILER: [u8; 8] = [0xac, 0x2a, 0x93, 0xd8, 2, 0, 0, 0];

    fn member(flags: u8, optional: &[u8]) -> Vec<u8> {
        [&[0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3][..], optional, &BODY, &TRAILER].concat()
    }

    fn gunzip(bytes: &[u8]) -> (Vec<u8>, Option<String>) {
        let mut reader = Gunzip::new(bytes);
        let (mut out, mut buffer) = (Vec::new(), [0; 7]);
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return (out, None),
                Ok(n) => out.extend_from_slice(&buffer[..n]),
                Err(error) => match end_of(error) {
                    End::Flaw(flaw) => return (out, Some(flaw.detail)),
                    End::Fatal(error) => panic!("{error}"),
                },
            }
        }
    }

    #[test]
    fn every_optional_header_field_is_skipped() {
        for (flags, optional) in [
            (0, &b""[..]),
            (4, b"\x03\x00abc"),
            (8, b"name.fit\0"),
            (16, b"a comment\0"),
            (2, b"\x12\x34"),
            (30, b"\x01\x00xname\0comment\0\x12\x34"),
        ] {
            assert_eq!(gunzip(&member(flags, optional)), (b"hi".to_vec(), None), "flags {flags}");
        }
    }

    #[test]
    fn a_check_that_fails_comes_after_the_bytes() {
        for at in [17, 21] {
            let mut bytes = member(0, b"");
            bytes[at] ^= 1;
            let (out, flaw) = gunzip(&bytes);
            assert_eq!(out, b"hi");
            assert!(flaw.unwrap().contains("does not match"));
        }
    }

    #[test]
    fn every_cut_is_told() {
        let whole = [member(0, b""), member(8, b"n\0")].concat();
        for len in 0..whole.len() {
            let (out, flaw) = gunzip(&whole[..len]);
            assert!(b"hihi".starts_with(&out[..]));
            // Cut right between two members nothing is missing.
            assert_eq!(flaw.is_none(), len == member(0, b"").len(), "{len}");
        }
    }

    #[test]
    fn raw_deflate_says_when_it_is_cut_or_damaged() {
        for (bytes, reason) in [(&BODY[..5], "cut off"), (&[0xff, 0xff][..], "damaged")] {
            let mut out = Vec::new();
            let error = Inflate::new(bytes).read_to_end(&mut out).unwrap_err();
            assert!(error.to_string().contains(reason), "{error}");
        }
        let mut out = Vec::new();
        Inflate::new(&[&BODY[..], b"more"].concat()[..]).read_to_end(&mut out).unwrap();
        assert_eq!(out, b"hi");
    }
}
