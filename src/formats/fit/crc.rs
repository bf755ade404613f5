//! CRC-16 of FIT: reflected polynomial 0xA001 (ARC), initial value 0, no final xor.
//!
//! Sixteen bytes a step ("slicing by 16"): `TABLES[k][b]` is the CRC of byte `b` followed by `k` zero bytes, and a CRC is
//! linear, so sixteen independent look-ups replace a chain of sixteen dependent ones.

const STEP: usize = 16;

static TABLES: [[u16; 256]; STEP] = tables();

const fn tables() -> [[u16; 256]; STEP] {
    let mut tables = [[0u16; 256]; STEP];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u16;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xA001 } else { crc >> 1 };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut zeros = 1;
    while zeros < STEP {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[zeros - 1][byte];
            tables[zeros][byte] = (before >> 8) ^ tables[0][(before & 0xFF) as usize];
            byte += 1;
        }
        zeros += 1;
    }
    tables
}

/// The CRC of `bytes`.
pub fn crc16(bytes: &[u8]) -> u16 {
    update(0, bytes)
}

/// The CRC of what gave `crc` so far, followed by `bytes`.
pub fn update(mut crc: u16, bytes: &[u8]) -> u16 {
    let (blocks, rest) = bytes.as_chunks::<STEP>();
    for block in blocks {
        let [low, high] = crc.to_le_bytes();
        let mut next = TABLES[STEP - 1][usize::from(block[0] ^ low)] ^ TABLES[STEP - 2][usize::from(block[1] ^ high)];
        let mut at = 2;
        while at < STEP {
            next ^= TABLES[STEP - 1 - at][usize::from(block[at])];
            at += 1;
        }
        crc = next;
    }
    for &byte in rest {
        crc = (crc >> 8) ^ TABLES[0][usize::from((crc as u8) ^ byte)];
    }
    crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_value_of_the_catalogue() {
        assert_eq!(crc16(b"123456789"), 0xBB3D, "CRC-16/ARC");
        assert_eq!(crc16(b""), 0);
    }

    #[test]
    fn equals_the_bit_by_bit_definition_at_every_length() {
        let bytes: Vec<u8> = (0..100u32).map(|i| (i * 197 + 13) as u8).collect();
        for len in 0..bytes.len() {
            let mut slow = 0u16;
            for &byte in &bytes[..len] {
                slow ^= u16::from(byte);
                for _ in 0..8 {
                    slow = if slow & 1 == 1 { (slow >> 1) ^ 0xA001 } else { slow >> 1 };
                }
            }
            assert_eq!(crc16(&bytes[..len]), slow, "{len} bytes");
            let (a, b) = bytes[..len].split_at(len / 3);
            assert_eq!(update(crc16(a), b), slow, "in two parts, {len} bytes");
        }
    }

    #[test]
    fn data_followed_by_its_crc_gives_zero() {
        let mut bytes = b"any data at all, longer than one step".to_vec();
        let crc = crc16(&bytes);
        bytes.extend_from_slice(&crc.to_le_bytes());
        assert_eq!(crc16(&bytes), 0);
    }
}
