//! Digests and the identities derived from them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// SHA-256 of a source's content after gunzip and unzip: the identity of an original.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The first 16 hexadecimal digits, as file names carry them.
    pub fn short(&self) -> String {
        hex(&self.0[..8])
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(digits(&self.0, &mut [0; 64]))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = ();
    fn from_str(text: &str) -> Result<Digest, ()> {
        unhex(text).map(Digest).ok_or(())
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(digits(&self.0, &mut [0; 64]))
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Digest, D::Error> {
        let text = <std::borrow::Cow<'_, str>>::deserialize(d)?;
        text.parse().map_err(|()| serde::de::Error::custom("a digest is 64 hexadecimal digits"))
    }
}

/// Identity of one activity: the first 16 bytes of its source's digest, with the index inside the source mixed into
/// the last four. Printed as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct ActivityId(pub [u8; 16]);

impl ActivityId {
    /// The identity of the activity number `index` in the source with this digest.
    pub fn of(digest: &Digest, index: u32) -> ActivityId {
        let mut id = [0; 16];
        id.copy_from_slice(&digest.0[..16]);
        ActivityId(mixed(id, index))
    }

    /// The first half of the digest that it was made of.
    pub fn digest_start(&self, index: u32) -> [u8; 16] {
        mixed(self.0, index)
    }
}

/// Mixing an index in once more takes it out.
fn mixed(mut id: [u8; 16], index: u32) -> [u8; 16] {
    for (byte, mix) in id[UNMIXED..].iter_mut().zip(index.to_be_bytes()) {
        *byte ^= mix;
    }
    id
}

/// So many bytes of an identity are those of the digest.
pub const UNMIXED: usize = 12;

impl fmt::Display for ActivityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(digits(&self.0, &mut [0; 64]))
    }
}

impl fmt::Debug for ActivityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ActivityId {
    type Err = ();
    fn from_str(text: &str) -> Result<ActivityId, ()> {
        unhex(text).map(ActivityId).ok_or(())
    }
}

impl Serialize for ActivityId {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(digits(&self.0, &mut [0; 64]))
    }
}

impl<'de> Deserialize<'de> for ActivityId {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<ActivityId, D::Error> {
        let text = <std::borrow::Cow<'_, str>>::deserialize(d)?;
        text.parse().map_err(|()| serde::de::Error::custom("an activity id is 32 hexadecimal digits"))
    }
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    bytes.chunks(32).for_each(|some| text.push_str(digits(some, &mut [0; 64])));
    text
}

/// Lower-case hexadecimal digits of at most 32 bytes.
fn digits<'t>(bytes: &[u8], text: &'t mut [u8; 64]) -> &'t str {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
    text.get(..2 * bytes.len()).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default()
}

/// What hexadecimal digits stand for. Journals hold hundreds of thousands of digests.
fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    const NONE: u8 = 0xff;
    const VALUES: [u8; 256] = {
        let (mut values, mut value) = ([NONE; 256], 0);
        while value < 16 {
            let digit = b"0123456789abcdef"[value as usize];
            values[digit as usize] = value;
            values[digit.to_ascii_uppercase() as usize] = value;
            value += 1;
        }
        values
    };
    let text = text.as_bytes();
    if text.len() != 2 * N {
        return None;
    }
    let (mut bytes, mut all) = ([0; N], 0);
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        let (high, low) = (VALUES[usize::from(pair[0])], VALUES[usize::from(pair[1])]);
        all |= high | low;
        *byte = high << 4 | low & 15;
    }
    (all < 16).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_text_round_trips() {
        let digest = Digest(std::array::from_fn(|i| i as u8 * 7));
        assert_eq!(digest.to_string().parse(), Ok(digest));
        assert_eq!(digest.short(), digest.to_string()[..16]);
        assert_eq!("xyz".parse::<Digest>(), Err(()));
        assert_eq!(digest.to_string().to_uppercase().parse(), Ok(digest));
        assert_eq!(serde_json::to_string(&digest).unwrap(), format!("\"{digest}\""));
    }

    #[test]
    fn digits_are_those_of_the_standard_library() {
        let bytes: Vec<u8> = (0..=255).collect();
        let each: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex(&bytes), each);
        for byte in 0..=255u8 {
            let text = |c: char| format!("0{c}").repeat(32);
            let want = (byte as char).to_digit(16).map(|value| Digest([value as u8; 32]));
            assert_eq!(text(byte as char).parse().ok(), want.filter(|_| byte.is_ascii()), "{byte}");
        }
    }

    #[test]
    fn activities_of_one_source_have_different_ids() {
        let digest = Digest([3; 32]);
        assert_eq!(ActivityId::of(&digest, 0).to_string(), digest.to_string()[..32]);
        assert_ne!(ActivityId::of(&digest, 0), ActivityId::of(&digest, 1));
    }
}
