//! Where the bytes of an entry lie, in little room: an archive may have a million members.

use super::store::Store;
use super::unpack::Packing;
use super::zip_directory::{Lock, Member};

/// Where the bytes of an entry lie, and about how many they are once unpacked.
#[derive(Clone)]
pub(super) enum Stored {
    /// A file, or a part of one that is as it was.
    Plain { store: Store, size: u64 },
    /// A member as nearly all are: not encrypted, with a check sum, below 4 GiB, of the size that the directory says.
    Member { archive: Store, header: u64, packed: u32, unpacked: u32, crc: u32, method: u16 },
    /// Any other member, with the archive and the size.
    Rare(Box<(Store, Member, u64)>),
}

impl Stored {
    pub(super) fn new(store: Store, packing: Packing, size: u64) -> Stored {
        let member = match packing {
            Packing::Plain => return Stored::Plain { store, size },
            Packing::Member(member) => member,
        };
        match (u32::try_from(member.packed), u32::try_from(member.unpacked), member.crc, member.lock) {
            (Ok(packed), Ok(unpacked), Some(crc), Lock::Open) if size == member.unpacked => {
                let Member { header, method, .. } = member;
                Stored::Member { archive: store, header, packed, unpacked, crc, method }
            }
            _ => Stored::Rare(Box::new((store, member, size))),
        }
    }

    /// Bytes of the content as far as known.
    pub(super) fn size(&self) -> u64 {
        match *self {
            Stored::Plain { size, .. } => size,
            Stored::Member { unpacked, .. } => unpacked.into(),
            Stored::Rare(ref rare) => rare.2,
        }
    }

    /// The stored bytes and what has to be done with them.
    pub(super) fn unfold(&self) -> (&Store, Packing) {
        match self {
            Stored::Plain { store, .. } => (store, Packing::Plain),
            &Stored::Member { ref archive, header, packed, unpacked, crc, method } => {
                let (packed, unpacked) = (packed.into(), unpacked.into());
                let member = Member { header, packed, unpacked, crc: Some(crc), method, lock: Lock::Open };
                (archive, Packing::Member(member))
            }
            Stored::Rare(rare) => (&rare.0, Packing::Member(rare.1.clone())),
        }
    }

    /// True for what only a password opens.
    pub(super) fn is_locked(&self) -> bool {
        matches!(self, Stored::Rare(rare) if rare.1.lock != Lock::Open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_in_little_room_comes_back_whole() {
        assert_eq!(size_of::<Stored>(), 32);
        let usual = Member { header: 7 << 40, packed: 5, unpacked: 9, crc: Some(3), method: 8, lock: Lock::Open };
        let large = Member { unpacked: 5 << 30, ..usual.clone() };
        let unchecked = Member { crc: None, ..usual.clone() };
        let locked = Member { lock: Lock::Unknown, ..usual.clone() };
        for (member, size, rare) in
            [(&usual, 9, false), (&usual, 72, true), (&large, 5 << 30, true), (&unchecked, 9, true), (&locked, 9, true)]
        {
            let stored = Stored::new(Store::memory(Vec::new()), Packing::Member(member.clone()), size);
            assert!(matches!(stored.unfold().1, Packing::Member(kept) if kept == *member), "{member:?}");
            assert_eq!((stored.size(), matches!(stored, Stored::Rare(_))), (size, rare), "{member:?}");
            assert_eq!(stored.is_locked(), *member == locked);
        }
    }
}
