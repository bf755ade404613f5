//! Decimal numbers, quickly and correctly rounded: eight digits a step, one multiplication for the power of ten.
//!
//! What takes longer to round is left to the standard library; the callers do that.

/// Powers of ten that a `f64` holds exactly.
const TENS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// What a step of up to eight digits multiplies the ones before by.
const STEPS: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// `1 / 10^k` as `fraction / 2^shift`, the fraction rounded down to 64 bits, its highest bit set.
#[derive(Clone, Copy)]
struct Tenth {
    fraction: u64,
    shift: i32,
}

const TENTHS: [Tenth; 39] = tenths();

/// `-?digits(.digits)?([eE][-+]?digits)?` as a whole. `None` for anything else, and for the few whose rounding is not
/// obvious, or whose power of ten is large.
#[inline]
pub fn short_decimal(text: &[u8]) -> Option<f64> {
    let (digits, length) = Digits::leading(text)?;
    match &text[length..] {
        [] => digits.value(0),
        [b'e' | b'E', power @ ..] => digits.value(exponent(power)?),
        _ => None,
    }
}

/// `-?digits(.digits)?` at the beginning of a text, and how many bytes that is; `None` as in [`short_decimal`].
#[inline]
pub fn leading_decimal(text: &[u8]) -> Option<(f64, usize)> {
    let (digits, length) = Digits::leading(text)?;
    Some((digits.value(0)?, length))
}

/// A decimal as an integer and a power of ten.
struct Digits {
    negative: bool,
    /// At most 19 digits.
    integer: u64,
    power: i32,
    /// Further digits were cut off.
    cut: bool,
}

impl Digits {
    #[inline]
    fn leading(text: &[u8]) -> Option<(Digits, usize)> {
        let negative = text.first() == Some(&b'-');
        let start = usize::from(negative);
        let mut integer = 0;
        let mut at = take(text, start, &mut integer);
        let (mut power, mut cut, mut points) = (0, false, 0);
        if text.get(at) == Some(&b'.') {
            points = 1;
            let fraction = at + 1;
            at = take(text, fraction, &mut integer);
            power = -i32::try_from(at - fraction).ok()?;
            let end = at + text[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            cut = end > at;
            at = end;
        } else if text.get(at).is_some_and(u8::is_ascii_digit) {
            return None; // more digits than fit
        }
        (at > start + points).then_some((Digits { negative, integer, power, cut }, at))
    }

    /// The number, times a power of ten.
    #[inline]
    fn value(&self, power: i32) -> Option<f64> {
        let power = self.power.checked_add(power)?;
        let value = match TENS.get(power.unsigned_abs() as usize) {
            // Integer and power are exact, so one multiplication or division is rounded correctly.
            Some(ten) if self.integer <= 1 << 53 && !self.cut => {
                if power < 0 {
                    self.integer as f64 / ten
                } else {
                    self.integer as f64 * ten
                }
            }
            _ => self.rounded(TENTHS.get(usize::try_from(-power).ok()?)?)?,
        };
        Some(if self.negative { -value } else { value })
    }

    /// The product with a power of ten, from the upper half of 128 bits. What that misses, and what the digits that were
    /// cut off add, is less than `doubt`; `None` when that could change the rounding.
    #[inline]
    fn rounded(&self, tenth: &Tenth) -> Option<f64> {
        if self.integer == 0 {
            return None; // nothing, or less than can be seen from here
        }
        let up = self.integer.leading_zeros();
        let product = ((u128::from(self.integer << up) * u128::from(tenth.fraction)) >> 64) as u64;
        let doubt = 2 + (u64::from(self.cut) << up);
        let below = 11 - product.leading_zeros();
        let (mantissa, rest, half) = (product >> below, product & ((1 << below) - 1), 1 << (below - 1));
        if rest <= half && rest + doubt >= half {
            return None;
        }
        let exponent = 1023 + 64 + below as i32 - up as i32 - tenth.shift;
        let scale = f64::from_bits(u64::try_from(exponent).ok()? << 52);
        Some((mantissa + u64::from(rest > half)) as f64 * scale)
    }
}

/// Appends the digits at `at` to `integer`, as long as it has less than 19. Returns the place behind them.
#[inline]
fn take(text: &[u8], mut at: usize, integer: &mut u64) -> usize {
    while *integer < 100_000_000_000
        && let Some(chunk) = text.get(at..).and_then(<[u8]>::first_chunk)
    {
        let (value, digits) = eight(*chunk);
        *integer = *integer * STEPS[digits] + value;
        at += digits;
        if digits < 8 {
            return at;
        }
    }
    while *integer < 1_000_000_000_000_000_000
        && let Some(digit @ b'0'..=b'9') = text.get(at)
    {
        *integer = *integer * 10 + u64::from(digit - b'0');
        at += 1;
    }
    at
}

/// The number that up to eight digits make, and how many they are.
#[inline]
fn eight(text: [u8; 8]) -> (u64, usize) {
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    const PAST_NINE: u64 = 0x7676_7676_7676_7676;
    const HIGHEST: u64 = 0x8080_8080_8080_8080;
    const QUADS: u64 = 0x0000_00ff_0000_00ff;
    let bytes = u64::from_le_bytes(text) ^ ZEROS;
    // The first byte that is no digit gets its highest bit; a carry spoils only bytes behind it.
    let other = (bytes.wrapping_add(PAST_NINE) | bytes) & HIGHEST;
    let digits = other.trailing_zeros() as usize / 8;
    if digits == 0 {
        return (0, 0);
    }
    // Zeros before the digits, then pairs, then fours, then all eight.
    let bytes = bytes << (64 - 8 * digits);
    let pairs = bytes.wrapping_mul(10).wrapping_add(bytes >> 8);
    let low = (pairs & QUADS).wrapping_mul(100 + (1_000_000 << 32));
    let high = ((pairs >> 16) & QUADS).wrapping_mul(1 + (10_000 << 32));
    (low.wrapping_add(high) >> 32, digits)
}

/// One or two digits with a sign.
fn exponent(text: &[u8]) -> Option<i32> {
    let (sign, digits) = match text {
        [b'-', rest @ ..] => (-1, rest),
        [b'+', rest @ ..] => (1, rest),
        rest => (1, rest),
    };
    let digit = |byte: u8| Some(i32::from(byte.wrapping_sub(b'0'))).filter(|digit| *digit <= 9);
    match *digits {
        [a] => Some(sign * digit(a)?),
        [a, b] => Some(sign * (digit(a)? * 10 + digit(b)?)),
        _ => None,
    }
}

/// Long division of 1 by each power of ten, bit by bit.
const fn tenths() -> [Tenth; 39] {
    let mut all = [Tenth { fraction: 0, shift: 0 }; 39];
    let (mut k, mut ten) = (0, 1u128);
    while k < all.len() {
        let (mut fraction, mut rest, mut shift) = ((1 / ten) as u64, 1 % ten, 0);
        while fraction >> 63 == 0 {
            rest *= 2;
            fraction *= 2;
            if rest >= ten {
                rest -= ten;
                fraction += 1;
            }
            shift += 1;
        }
        all[k] = Tenth { fraction, shift };
        k += 1;
        if k < all.len() {
            ten *= 10;
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_numbers_are_short() {
        for text in
            ["", "-", ".", "-.", "E5", ".E5", "1E", "1E+", "1E555", "1.2.3", "--1", "+1", "1 ", "NaN", "0x1", "1E5E5"]
        {
            assert_eq!(short_decimal(text.as_bytes()), None, "{text}");
        }
        assert_eq!(short_decimal(b"1.551732121E12"), Some(1_551_732_121_000.0));
        assert_eq!(
            (short_decimal(b"-.5"), short_decimal(b"5."), short_decimal(b"7e-3")),
            (Some(-0.5), Some(5.0), Some(0.007))
        );
        assert_eq!(short_decimal(b"-0.0").map(f64::is_sign_negative), Some(true));
    }

    /// Exact decimals of the middle between two neighbouring floats, and what is a hair to either side of it.
    #[test]
    fn what_lies_halfway_is_left_to_the_standard_library_or_read_as_it_reads_it() {
        let mut state = 7u64;
        let (mut read, mut tried) = (0, 0);
        for _ in 0..2_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let odd = u128::from((state >> 11) | 1 << 52) * 2 + 1;
            let digits = odd * 5u128.pow(20); // odd / 2^20, times 10^20
            for near in [digits - 1, digits, digits + 1, digits - 10_000_000_000_000, digits + 10_000_000_000_000] {
                let text = format!("{}.{:020}", near / 10u128.pow(20), near % 10u128.pow(20));
                let value = leading_decimal(text.as_bytes());
                assert!(
                    value.is_none_or(|(value, length)| Ok(value) == text.parse() && length == text.len()),
                    "{text}"
                );
                tried += 1;
                read += usize::from(value.is_some());
            }
        }
        assert!(read > tried / 5, "{read} of {tried}");
    }

    #[test]
    fn long_coordinates_are_read_without_the_standard_library() {
        let mut state = 3u64;
        let mut left = 0;
        for _ in 0..10_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let text =
                format!("-{}.{:016}{:012}\"", state % 180, (state >> 8) % 10u64.pow(16), (state >> 20) % 10u64.pow(12));
            match leading_decimal(text.as_bytes()) {
                Some((value, length)) => {
                    assert_eq!((Ok(value), length), (text[..length].parse(), text.len() - 1), "{text}");
                }
                None => left += 1,
            }
        }
        assert!(left < 200, "{left} of 10000 were left");
    }

    #[test]
    fn a_number_ends_where_something_else_begins() {
        for (text, value, length) in
            [("47.5<ele", 47.5, 4), ("-0.25\"", -0.25, 5), ("120</hr>", 120.0, 3), ("5.", 5.0, 2), ("12,5", 12.0, 2)]
        {
            assert_eq!(leading_decimal(text.as_bytes()), Some((value, length)), "{text}");
        }
        assert_eq!(leading_decimal(b"12345678901234567890123"), None);
        assert_eq!(leading_decimal(b"</hr>"), None);
    }

    proptest::proptest! {
        #[test]
        fn what_is_read_is_what_the_standard_library_reads(text in "-?[0-9]{0,20}(\\.[0-9]{0,40})?([eE][-+]?[0-9]{0,3})?") {
            if let Some(value) = short_decimal(text.as_bytes()) {
                proptest::prop_assert_eq!(Ok(value.to_bits()), text.parse::<f64>().map(f64::to_bits), "{}", text);
            }
        }

        #[test]
        fn any_short_float_comes_back(mantissa in -99_999_999_999i64..99_999_999_999, decimals in 0usize..9) {
            let value = mantissa as f64 / 10f64.powi(decimals as i32);
            proptest::prop_assert_eq!(short_decimal(format!("{value:.decimals$}").as_bytes()), Some(value));
            proptest::prop_assert_eq!(short_decimal(format!("{value:E}").as_bytes()), Some(value));
        }
    }
}
