//! Distances on the mean sphere. Every position of a history goes through this, so neighbours share what they can, and
//! short steps take a few multiplications instead of sines.

/// Mean radius of the Earth, m (IUGG).
const MEAN_RADIUS_M: f64 = 6_371_008.8;

/// Below this many radians the series below are exact to the last digit or two.
const SHORT: f64 = 0.01;

/// A position, and what distances from it and to it have in common.
#[derive(Debug, Clone, Copy)]
pub struct Position {
    lat: f64,
    lon: f64,
    cos_lat: f64,
}

impl Position {
    /// The position at a latitude and a longitude, degrees.
    #[inline]
    pub fn new(lat: f64, lon: f64) -> Position {
        Position { lat, lon, cos_lat: lat.to_radians().cos() }
    }

    /// Length of the great circle to another one, m (haversine formula).
    #[inline]
    pub fn metres_to(&self, other: &Position) -> f64 {
        // Differences in degrees lose nothing between near positions.
        let north = sin((other.lat - self.lat).to_radians() / 2.0);
        let east = sin((other.lon - self.lon).to_radians() / 2.0);
        let square = north * north + self.cos_lat * other.cos_lat * east * east;
        2.0 * MEAN_RADIUS_M * asin(square.sqrt().clamp(0.0, 1.0))
    }
}

#[inline]
fn sin(x: f64) -> f64 {
    if x.abs() > SHORT {
        return x.sin();
    }
    let y = x * x;
    x * (1.0 - y / 6.0 * (1.0 - y / 20.0 * (1.0 - y / 42.0)))
}

#[inline]
fn asin(x: f64) -> f64 {
    if x > SHORT {
        return x.asin();
    }
    let y = x * x;
    x * (1.0 + y * (1.0 / 6.0 + y * (3.0 / 40.0 + y * (15.0 / 336.0))))
}

#[cfg(test)]
mod tests {
    use geo::{Distance, Haversine, Point};

    use super::*;

    #[test]
    fn distances_are_those_of_geo_at_every_scale() {
        let mut state = 5u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        let mut short = 0;
        for round in 0..200_000 {
            let (lat, lon) = (next() * 180.0 - 90.0, next() * 360.0 - 180.0);
            let reach = 180.0 / 10f64.powi(round % 9);
            let (to_lat, to_lon) = ((lat + (next() - 0.5) * reach).clamp(-90.0, 90.0), lon + (next() - 0.5) * reach);
            let ours = Position::new(lat, lon).metres_to(&Position::new(to_lat, to_lon));
            let geo = Haversine.distance(Point::new(lon, lat), Point::new(to_lon, to_lat));
            // Near the other side of the Earth the formula itself loses its last digits.
            let slack = 1e-13 * geo.max(1e-3) + if geo > 1.9e7 { 1e-3 } else { 0.0 };
            assert!((ours - geo).abs() <= slack, "{lat} {lon} to {to_lat} {to_lon}: {ours} instead of {geo}");
            short += usize::from(geo < 1000.0);
        }
        assert!(short > 40_000, "{short}");
        let (home, date_line) = (Position::new(47.0, 179.9999), Position::new(47.0, -179.9999));
        assert!((home.metres_to(&date_line) - 15.17).abs() < 0.01);
        assert_eq!(home.metres_to(&home), 0.0);
    }
}
