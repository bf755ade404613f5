//! Coordinates: WGS-84, or the shifted GCJ-02 of maps of mainland China (huawei.md section 5).

use crate::json::Value;

/// What a record says about its coordinates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stated {
    /// WGS-84.
    Wgs84,
    /// GCJ-02.
    Gcj02,
    /// Nothing that is understood.
    None,
}

/// Reads `coordinate` or `mCoordinate`.
pub(super) fn stated(top: &Value, simplify: &Value) -> Stated {
    let texts = [&top["coordinate"], &simplify["coordinate"], &simplify["mCoordinate"]];
    for text in texts.into_iter().filter_map(Value::str) {
        let word: String = text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
        match word.as_str() {
            "GCJ02" => return Stated::Gcj02,
            "WGS84" => return Stated::Wgs84,
            _ => {}
        }
    }
    Stated::None
}

/// True in the box where GCJ-02 is defined.
pub(super) fn in_box(lat: f64, lon: f64) -> bool {
    (0.8293..=55.8271).contains(&lat) && (72.004..=137.8347).contains(&lon)
}

/// WGS-84 of a GCJ-02 position, degrees, by iteration; outside the box both are equal.
pub(super) fn to_wgs84(lat: f64, lon: f64) -> (f64, f64) {
    if !in_box(lat, lon) {
        return (lat, lon);
    }
    let mut guess = (lat, lon);
    // Converges by a factor of several hundred a step; 1e-9° is a tenth of a millimetre.
    for _ in 0..8 {
        let shift = shift(guess.0, guess.1);
        let next = (lat - shift.0, lon - shift.1);
        let moved = (next.0 - guess.0).abs().max((next.1 - guess.1).abs());
        guess = next;
        if moved < 1e-10 {
            break;
        }
    }
    guess
}

/// How far GCJ-02 lies from a WGS-84 position, degrees.
fn shift(lat: f64, lon: f64) -> (f64, f64) {
    use std::f64::consts::PI;
    const A: f64 = 6_378_245.0;
    const EE: f64 = 0.006_693_421_622_965_943;
    let (x, y) = (lon - 105.0, lat - 35.0);
    let sin = |angle: f64| (angle * PI).sin();
    let waves = |v: f64| (20.0 * sin(v) + 40.0 * sin(v / 3.0)) * 2.0 / 3.0;
    let fast = (20.0 * sin(6.0 * x) + 20.0 * sin(2.0 * x)) * 2.0 / 3.0;
    let north = -100.0
        + 2.0 * x
        + 3.0 * y
        + 0.2 * y * y
        + 0.1 * x * y
        + 0.2 * x.abs().sqrt()
        + fast
        + waves(y)
        + (160.0 * sin(y / 12.0) + 320.0 * sin(y / 30.0)) * 2.0 / 3.0;
    let east = 300.0
        + x
        + 2.0 * y
        + 0.1 * x * x
        + 0.1 * x * y
        + 0.1 * x.abs().sqrt()
        + fast
        + waves(x)
        + (150.0 * sin(x / 12.0) + 300.0 * sin(x / 30.0)) * 2.0 / 3.0;
    let angle = lat * PI / 180.0;
    let magic = 1.0 - EE * angle.sin().powi(2);
    let root = magic.sqrt();
    (north * 180.0 / ((A * (1.0 - EE)) / (magic * root) * PI), east * 180.0 / (A / root * angle.cos() * PI))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Published pair of the usual converters for Shanghai: WGS-84 31.1774276, 121.5272106 is GCJ-02 31.17530398364597,
    /// 121.531541859215 (test data of `eviltransform`).
    #[test]
    fn a_known_pair_is_met() {
        let (lat, lon) = to_wgs84(31.175_303_983_645_97, 121.531_541_859_215);
        assert!((lat - 31.177_427_6).abs() < 1e-7 && (lon - 121.527_210_6).abs() < 1e-7, "{lat} {lon}");
    }

    #[test]
    fn there_and_back_is_the_same_and_outside_nothing_moves() {
        for (lat, lon) in [(22.5, 114.0), (39.9, 116.4), (45.8, 126.5), (30.0, 91.0)] {
            let shift = shift(lat, lon);
            let back = to_wgs84(lat + shift.0, lon + shift.1);
            assert!((back.0 - lat).abs() < 1e-9 && (back.1 - lon).abs() < 1e-9, "{back:?}");
            assert!(shift.0.abs() + shift.1.abs() > 1e-3, "some hundred metres: {shift:?}");
        }
        assert_eq!(to_wgs84(50.7, -3.5), (50.7, -3.5));
    }
}
