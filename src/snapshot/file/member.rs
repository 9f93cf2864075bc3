//! One gzip member after the other, with a single compressor.
//!
//! Each page is a member of its own, so that a file can be cut after any of them. A compressor for each would cost a third of a mebibyte
//! at a time, and allocators do not give such blocks out again between small ones: sixty thousand short answers took 17 GB. This one is
//! used again and again. Source of the format: RFC 1952.

use std::io::{self, Write};

use flate2::{Compress, Compression, Crc, FlushCompress, Status};

/// The header of a member: deflate, no name, no time, compressed for speed, made on an unknown system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255];
/// Compressed bytes that are gathered before they are written.
const BUFFER: usize = 32 * 1024;

/// Packs members.
pub(super) struct Packer {
    deflate: Compress,
    buffer: Vec<u8>,
}

impl Packer {
    pub(super) fn new() -> Self {
        Self {
            deflate: Compress::new(Compression::fast(), false),
            buffer: Vec::with_capacity(BUFFER),
        }
    }

    /// Writes one member with what `fill` gives it.
    pub(super) fn member<W: Write + ?Sized>(
        &mut self,
        out: &mut W,
        fill: impl FnOnce(&mut Member<'_, W>) -> io::Result<()>,
    ) -> io::Result<()> {
        self.buffer.clear();
        self.buffer.extend_from_slice(&HEADER);
        let mut member = Member {
            packer: self,
            out,
            sum: Crc::new(),
        };
        let written = fill(&mut member).and_then(|()| member.close());
        if written.is_ok() {
            self.deflate.reset();
        } else {
            // A stream that was not ended leaves bits behind that a reset does not clear.
            *self = Self::new();
        }
        written
    }
}

/// A member that is being written.
pub(super) struct Member<'a, W: ?Sized> {
    packer: &'a mut Packer,
    out: &'a mut W,
    /// Checksum and length of what was put in.
    sum: Crc,
}

impl<W: Write + ?Sized> Member<'_, W> {
    /// Adds text.
    pub(super) fn add(&mut self, mut text: &[u8]) -> io::Result<()> {
        self.sum.update(text);
        while !text.is_empty() {
            let (taken, _) = self.step(text, FlushCompress::None)?;
            text = text.get(taken..).unwrap_or_default();
        }
        Ok(())
    }

    fn close(mut self) -> io::Result<()> {
        while self.step(&[], FlushCompress::Finish)?.1 != Status::StreamEnd {}
        let Self { packer, out, sum } = self;
        out.write_all(&packer.buffer)?;
        out.write_all(&sum.sum().to_le_bytes())?;
        out.write_all(&sum.amount().to_le_bytes())
    }

    /// Compresses some of the text; how many bytes of it were taken, and whether that was all.
    fn step(&mut self, text: &[u8], flush: FlushCompress) -> io::Result<(usize, Status)> {
        let Packer { deflate, buffer } = &mut *self.packer;
        if buffer.len() == buffer.capacity() {
            self.out.write_all(buffer)?;
            buffer.clear();
        }
        let before = deflate.total_in();
        let status = deflate.compress_vec(text, buffer, flush)?;
        let taken = usize::try_from(deflate.total_in() - before).unwrap_or(usize::MAX);
        Ok((taken, status))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::MultiGzDecoder;

    use super::*;

    #[test]
    fn members_follow_each_other_whatever_became_of_one() {
        // Noise does not shrink: more than the buffer holds comes out at once.
        let noise: Vec<u8> = {
            let mut random = fastrand::Rng::with_seed(365);
            std::iter::repeat_with(|| random.u8(..))
                .take(5 * BUFFER)
                .collect()
        };
        let mut packer = Packer::new();
        let mut file: Vec<u8> = Vec::new();
        let mut pack = |file: &mut Vec<u8>, parts: &[&[u8]], end: io::Result<()>| {
            packer.member(file, |member| {
                parts.iter().try_for_each(|part| member.add(part))?;
                end
            })
        };
        pack(&mut file, &[b"first\n", b"", &noise], Ok(())).unwrap();
        pack(&mut file, &[], Ok(())).unwrap();
        let before = file.len();
        pack(&mut file, &[&[b'a'; 100_000]], Ok(())).unwrap();
        assert!(file.len() - before < 1_000, "not compressed");
        let whole = file.len();
        let torn = pack(&mut Vec::new(), &[&noise], Err(io::Error::other("torn")));
        assert_eq!(torn.unwrap_err().to_string(), "torn");
        pack(&mut file, &[b"last"], Ok(())).unwrap();

        let mut text = Vec::new();
        MultiGzDecoder::new(file.as_slice())
            .read_to_end(&mut text)
            .unwrap();
        let wanted = [b"first\n", noise.as_slice(), &[b'a'; 100_000], b"last"].concat();
        assert!(text == wanted, "{} of {}", text.len(), wanted.len());
        // Each checksum is that of its own member.
        file[whole - 5] ^= 1;
        let read = MultiGzDecoder::new(file.as_slice()).read_to_end(&mut Vec::new());
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }
}
