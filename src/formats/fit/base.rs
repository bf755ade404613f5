//! The base types of FIT fields: number, size and invalid value (FIT protocol, table of base types).

/// A base type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Base {
    /// Enumeration, one byte.
    Enum,
    /// Signed, one byte.
    Sint8,
    /// Unsigned, one byte.
    Uint8,
    /// Signed, two bytes.
    Sint16,
    /// Unsigned, two bytes.
    Uint16,
    /// Signed, four bytes.
    Sint32,
    /// Unsigned, four bytes.
    Uint32,
    /// UTF-8 text, NUL-padded.
    String,
    /// IEEE single.
    Float32,
    /// IEEE double.
    Float64,
    /// Unsigned, one byte, 0 is invalid.
    Uint8z,
    /// Unsigned, two bytes, 0 is invalid.
    Uint16z,
    /// Unsigned, four bytes, 0 is invalid.
    Uint32z,
    /// Opaque bytes.
    Byte,
    /// Signed, eight bytes.
    Sint64,
    /// Unsigned, eight bytes.
    Uint64,
    /// Unsigned, eight bytes, 0 is invalid.
    Uint64z,
}

impl Base {
    /// All base types in the order of their numbers; `ALL[b as usize] == b`.
    pub const ALL: [Base; 17] = [
        Base::Enum,
        Base::Sint8,
        Base::Uint8,
        Base::Sint16,
        Base::Uint16,
        Base::Sint32,
        Base::Uint32,
        Base::String,
        Base::Float32,
        Base::Float64,
        Base::Uint8z,
        Base::Uint16z,
        Base::Uint32z,
        Base::Byte,
        Base::Sint64,
        Base::Uint64,
        Base::Uint64z,
    ];

    /// The base type of a definition's byte. Only the number (bits 0 to 4) counts; bit 7 merely says "more than one byte".
    pub fn of(byte: u8) -> Option<Base> {
        Base::ALL.get(usize::from(byte & 0x1F)).copied()
    }

    /// The byte that a definition carries.
    pub fn code(self) -> u8 {
        let number = self as u8;
        if self.size() > 1 { number | 0x80 } else { number }
    }

    /// Bytes of one element.
    pub const fn size(self) -> usize {
        match self {
            Base::Enum | Base::Sint8 | Base::Uint8 | Base::String | Base::Uint8z | Base::Byte => 1,
            Base::Sint16 | Base::Uint16 | Base::Uint16z => 2,
            Base::Sint32 | Base::Uint32 | Base::Float32 | Base::Uint32z => 4,
            Base::Float64 | Base::Sint64 | Base::Uint64 | Base::Uint64z => 8,
        }
    }

    /// The bits that mean "no value", in the low bytes. Floats are invalid for any NaN.
    pub const fn invalid(self) -> u64 {
        match self {
            Base::Enum | Base::Uint8 | Base::Byte => 0xFF,
            Base::Sint8 => 0x7F,
            Base::Sint16 => 0x7FFF,
            Base::Uint16 => 0xFFFF,
            Base::Sint32 => 0x7FFF_FFFF,
            Base::Uint32 | Base::Float32 => 0xFFFF_FFFF,
            Base::Sint64 => 0x7FFF_FFFF_FFFF_FFFF,
            Base::Uint64 | Base::Float64 => u64::MAX,
            Base::String | Base::Uint8z | Base::Uint16z | Base::Uint32z | Base::Uint64z => 0,
        }
    }

    /// True for types whose values are numbers (not text, not opaque bytes).
    pub fn is_number(self) -> bool {
        !matches!(self, Base::String | Base::Byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_protocol() {
        let codes: Vec<u8> = Base::ALL.iter().map(|b| b.code()).collect();
        let protocol =
            [0x00, 0x01, 0x02, 0x83, 0x84, 0x85, 0x86, 0x07, 0x88, 0x89, 0x0A, 0x8B, 0x8C, 0x0D, 0x8E, 0x8F, 0x90];
        assert_eq!(codes, protocol);
        for (number, base) in Base::ALL.iter().enumerate() {
            assert_eq!(*base as usize, number);
            assert_eq!(Base::of(base.code()), Some(*base));
            assert_eq!(Base::of(number as u8), Some(*base), "without the multi-byte bit");
        }
        assert_eq!(Base::of(0x11), None);
    }
}
