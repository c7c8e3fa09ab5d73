//! Texts as they are kept on the disk: long ones packed (LZ4), since XML that repeats itself shrinks to a
//! fifth, and what waits in a queue is written and deleted again.
//!
//! A packed text is the byte 1, its length unpacked (32 bits, the lowest first) and an LZ4 block. Whatever
//! begins with another byte is as it was given; XML never begins with that one.

use std::borrow::Cow;

use lz4_flex::block::{DecompressError, compress_into, decompress, get_maximum_output_size};
use thiserror::Error;

const PACKED: u8 = 1;
const HEAD_BYTES: usize = 5;
/// A block never unpacks to more than so many times its length.
const MOST_TIMES: usize = 255;

/// Why something packed cannot be unpacked.
#[derive(Debug, Error)]
pub(super) enum Damaged {
    /// It ends too early, or says that it is longer than it can be.
    #[error("the length of something packed is wrong")]
    Length,
    /// It does not unpack to what it says.
    #[error("something packed does not unpack")]
    Block(#[from] DecompressError),
}

/// `text` as it is kept; no text is kept longer than it is but one that begins as if it were packed.
pub(super) fn pack(text: &[u8]) -> Cow<'_, [u8]> {
    let is_marked = text.first() == Some(&PACKED);
    let Ok(length) = u32::try_from(text.len()) else {
        return Cow::Borrowed(text);
    };
    let mut packed = vec![0; HEAD_BYTES + get_maximum_output_size(text.len())];
    let (head, block) = packed.split_at_mut(HEAD_BYTES);
    head[0] = PACKED;
    head[1..].copy_from_slice(&length.to_le_bytes());
    // There is room for whatever it gives.
    let Ok(used) = compress_into(text, block) else {
        return Cow::Borrowed(text);
    };
    packed.truncate(HEAD_BYTES + used);
    if packed.len() < text.len() || is_marked {
        Cow::Owned(packed)
    } else {
        Cow::Borrowed(text)
    }
}

/// The text that was kept.
pub(super) fn unpack(kept: Vec<u8>) -> Result<Vec<u8>, Damaged> {
    if kept.first() != Some(&PACKED) {
        return Ok(kept);
    }
    let (head, block) = kept.split_at_checked(HEAD_BYTES).ok_or(Damaged::Length)?;
    let length = head[1..].try_into().map_err(|_| Damaged::Length)?;
    let length = usize::try_from(u32::from_le_bytes(length)).map_err(|_| Damaged::Length)?;
    if length > block.len().saturating_mul(MOST_TIMES) {
        return Err(Damaged::Length);
    }
    let text = decompress(block, length)?;
    if text.len() == length {
        Ok(text)
    } else {
        Err(Damaged::Length)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_repeats_itself_shrinks_and_what_does_not_stays() {
        let xml = "<PROPERTY NAME=\"Caption\" TYPE=\"string\"></PROPERTY>".repeat(50);
        let packed = pack(xml.as_bytes());
        assert!(packed.len() * 5 < xml.len(), "{} bytes", packed.len());
        assert_eq!(&*pack(b"short"), b"short");
        assert_eq!(&*pack(b""), b"");
        assert_eq!(
            unpack(b"<as it was>".to_vec()).expect("a text"),
            b"<as it was>"
        );
    }

    #[test]
    fn what_is_damaged_is_an_error() {
        let whole = pack(&[b'x'; 1000]).into_owned();
        for broken in [1, HEAD_BYTES, whole.len() - 1] {
            assert!(unpack(whole[..broken].to_vec()).is_err(), "{broken} bytes");
        }
        let mut longer = whole.clone();
        longer[4] = 0xFF;
        assert!(matches!(unpack(longer), Err(Damaged::Length)));
        let mut shorter = whole;
        shorter[1] -= 1;
        assert!(unpack(shorter).is_err(), "it is longer than it says");
    }

    proptest! {
        #[test]
        fn whatever_is_packed_comes_back(text: Vec<u8>, mark: bool, times in 1..40_usize) {
            let mut text = text.repeat(times);
            if mark {
                text.insert(0, PACKED);
            }
            let kept = pack(&text).into_owned();
            prop_assert!(kept.len() <= text.len() || text.first() == Some(&PACKED));
            prop_assert_eq!(unpack(kept).expect("what was packed"), text);
        }

        #[test]
        fn any_bytes_unpack_or_are_refused(kept: Vec<u8>) {
            let mut kept = kept;
            kept.insert(0, PACKED);
            let most = kept.len() * MOST_TIMES;
            if let Ok(text) = unpack(kept) {
                prop_assert!(text.len() <= most);
            }
        }
    }
}
