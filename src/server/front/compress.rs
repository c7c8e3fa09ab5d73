//! Compression of an answer: each chunk goes out whole, so that a client never waits for bytes that
//! are already made.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use super::super::negotiation::Coding;

/// A body in the making in one of the codings.
pub(super) enum Compressor {
    Gzip(GzEncoder<Vec<u8>>),
    Deflate(ZlibEncoder<Vec<u8>>),
}

impl Compressor {
    /// `None` where nothing is compressed.
    pub(super) fn new(coding: Coding) -> Option<Self> {
        let level = Compression::fast();
        match coding {
            Coding::Identity => None,
            Coding::Gzip => Some(Self::Gzip(GzEncoder::new(Vec::new(), level))),
            Coding::Deflate => Some(Self::Deflate(ZlibEncoder::new(Vec::new(), level))),
        }
    }

    /// `chunk` compressed, together with nothing that follows it.
    pub(super) fn chunk(&mut self, chunk: &[u8]) -> io::Result<Bytes> {
        match self {
            Self::Gzip(encoder) => flushed(encoder, chunk).map(|()| taken(encoder.get_mut())),
            Self::Deflate(encoder) => flushed(encoder, chunk).map(|()| taken(encoder.get_mut())),
        }
    }

    /// The last chunk.
    pub(super) fn last(self, chunk: &[u8]) -> io::Result<Bytes> {
        let all = match self {
            Self::Gzip(mut encoder) => encoder.write_all(chunk).and_then(|()| encoder.finish()),
            Self::Deflate(mut encoder) => encoder.write_all(chunk).and_then(|()| encoder.finish()),
        };
        all.map(Bytes::from)
    }
}

fn flushed(encoder: &mut impl Write, chunk: &[u8]) -> io::Result<()> {
    encoder.write_all(chunk)?;
    encoder.flush()
}

fn taken(buffer: &mut Vec<u8>) -> Bytes {
    std::mem::take(buffer).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::{GzDecoder, ZlibDecoder};
    use std::io::Read;

    fn read(coding: Coding, sent: &[u8], length: usize) -> Vec<u8> {
        let mut text = vec![0; length];
        match coding {
            Coding::Identity => panic!("nothing was compressed"),
            Coding::Gzip => GzDecoder::new(sent).read_exact(&mut text),
            Coding::Deflate => ZlibDecoder::new(sent).read_exact(&mut text),
        }
        .expect("what was sent can be read so far");
        text
    }

    #[test]
    fn every_chunk_can_be_read_when_it_arrives() {
        for coding in [Coding::Gzip, Coding::Deflate] {
            let mut compressor = Compressor::new(coding).expect("a coding");
            let first = b"some text ".repeat(100);
            let mut sent = compressor.chunk(&first).expect("memory").to_vec();
            assert_eq!(read(coding, &sent, first.len()), first);
            assert!(sent.len() < first.len() / 4, "{} bytes", sent.len());
            sent.extend_from_slice(&compressor.last(b"the end").expect("memory"));
            let whole = [&first[..], b"the end"].concat();
            assert_eq!(read(coding, &sent, whole.len()), whole);
        }
        assert!(Compressor::new(Coding::Identity).is_none());
    }
}
