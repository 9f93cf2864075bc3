//! One gzip member after the other, with a single compressor.
//!
//! Each page is a member of its own, so that a file can be cut after any of them. A compressor for each would cost a third of a mebibyte
//! at a time, and allocators do not give such blocks out again between small ones: sixty thousand short answers took 17 GB. This one is
//! used again and again, and so is what unpacks them. Source of the format: RFC 1952.

use std::io::{self, BufRead, Write};

use flate2::{Compress, Compression, Crc, Decompress, FlushCompress, FlushDecompress, Status};

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

/// Unpacks members.
pub(super) struct Unpacker {
    inflate: Decompress,
    text: Vec<u8>,
}

impl Unpacker {
    pub(super) fn new() -> Self {
        Self {
            inflate: Decompress::new(false),
            text: Vec::new(),
        }
    }

    /// The text of the next member; `None` at the end, where one is torn, is longer than `most`, or was not written by [`Packer`].
    pub(super) fn member(&mut self, input: &mut impl BufRead, most: u64) -> Option<&str> {
        let mut header = HEADER;
        input.read_exact(&mut header).ok()?;
        // Time, level and system say nothing of the content.
        if !header.starts_with(&[0x1f, 0x8b, 8, 0]) {
            return None;
        }
        self.inflate.reset(false);
        self.text.clear();
        loop {
            if self.text.len() == self.text.capacity() {
                self.text.reserve(BUFFER);
            }
            let packed = input.fill_buf().ok()?;
            let is_end = packed.is_empty();
            let before = self.inflate.total_in();
            let status = self
                .inflate
                .decompress_vec(packed, &mut self.text, FlushDecompress::None);
            let taken = usize::try_from(self.inflate.total_in() - before).ok()?;
            input.consume(taken);
            if self.text.len() as u64 > most {
                return None;
            }
            match status.ok()? {
                Status::StreamEnd => break,
                _ if is_end => return None,
                Status::Ok | Status::BufError => {}
            }
        }
        let mut trailer = [0; 8];
        input.read_exact(&mut trailer).ok()?;
        let mut sum = Crc::new();
        sum.update(&self.text);
        let is_whole = trailer.starts_with(&sum.sum().to_le_bytes())
            && trailer.ends_with(&sum.amount().to_le_bytes());
        std::str::from_utf8(&self.text).ok().filter(|_| is_whole)
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
        let same = vec![b'a'; 100_000];
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
        pack(&mut file, &[&same], Ok(())).unwrap();
        assert!(file.len() - before < 1_000, "not compressed");
        let torn = pack(&mut Vec::new(), &[&noise], Err(io::Error::other("torn")));
        assert_eq!(torn.unwrap_err().to_string(), "torn");
        pack(&mut file, &[b"last"], Ok(())).unwrap();

        let mut text = Vec::new();
        MultiGzDecoder::new(file.as_slice())
            .read_to_end(&mut text)
            .unwrap();
        let wanted = [b"first\n", noise.as_slice(), &same, b"last"].concat();
        assert!(text == wanted, "{} of {}", text.len(), wanted.len());
        // The same one by one; what is torn is not there, nor what follows it.
        let text = b"{}\n".repeat(50_000);
        let mut file = Vec::new();
        pack(&mut file, &[&text], Ok(())).unwrap();
        pack(&mut file, &[b"last"], Ok(())).unwrap();
        let mut unpacker = Unpacker::new();
        let mut lengths = |mut file: &[u8], most| {
            let next = || Some(unpacker.member(&mut file, most)?.len());
            std::iter::from_fn(next).collect::<Vec<_>>()
        };
        assert_eq!(lengths(&file, 1 << 20), [150_000, 4]);
        assert_eq!(lengths(&file[..file.len() - 1], 1 << 20), [150_000]);
        assert_eq!(lengths(&file, 1_000), [0; 0]);
        // Each checksum is that of its own member.
        let whole = file.len();
        file[whole - 5] ^= 1;
        assert_eq!(lengths(&file, 1 << 20), [150_000]);
        let read = MultiGzDecoder::new(file.as_slice()).read_to_end(&mut Vec::new());
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }
}
