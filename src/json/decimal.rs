//! Decimal numbers, quickly.

/// Powers of ten that a `f64` holds exactly.
const TENS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// `-?digits(.digits)?(E-?digits)?` whose digits fit 53 bits and whose power of ten is small: mantissa and power are exact,
/// so one multiplication or division is too. `None` for anything else, numbers or not.
#[inline]
pub fn short_decimal(text: &[u8]) -> Option<f64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let mut mantissa = 0u64;
    let mut point = None;
    let mut end = digits.len();
    let mut power = 0;
    for (i, &byte) in digits.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 && i < 19 {
            mantissa = mantissa * 10 + u64::from(digit);
        } else if byte == b'.' && point.is_none() {
            point = Some(i);
        } else if matches!(byte, b'e' | b'E') {
            power = exponent(digits.get(i + 1..)?)?;
            end = i;
            break;
        } else {
            return None;
        }
    }
    if mantissa > 1 << 53 || end == usize::from(point.is_some()) {
        return None;
    }
    let decimals = point.map_or(0, |at| end - at - 1);
    let power = power - i32::try_from(decimals).ok()?;
    let ten = TENS.get(power.unsigned_abs() as usize)?;
    let value = if power < 0 { mantissa as f64 / ten } else { mantissa as f64 * ten };
    Some(if negative { -value } else { value })
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

    proptest::proptest! {
        #[test]
        fn what_is_read_is_what_the_standard_library_reads(text in "-?[0-9]{0,20}(\\.[0-9]{0,20})?([eE][-+]?[0-9]{0,3})?") {
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
