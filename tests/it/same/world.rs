//! A seeded world: what truly happened, second by second, and recorders that write it down with their faults.

use paceport::dedupe::Fingerprint;
use paceport::fix::{self, SettleOptions};
use paceport::ids::Digest;
use paceport::model::{Activity, Channel, Device, Draft, Evidence, Pause, Sport};

/// xorshift64*: fixed forever, so that a seed names a case.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Other dice, decided by these.
    pub fn fork(&mut self) -> Dice {
        Dice::new(self.next())
    }

    /// In `[0, 1)`.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    pub fn whole(&mut self, low: i64, high: i64) -> i64 {
        low + (self.next() % (high - low + 1) as u64) as i64
    }

    /// Normal with deviation 1 (sum of uniform numbers).
    pub fn normal(&mut self) -> f64 {
        ((0..4).map(|_| self.unit()).sum::<f64>() - 2.0) * 3f64.sqrt()
    }

    pub fn yes(&mut self, share: f64) -> bool {
        self.unit() < share
    }
}

/// One second of the truth.
#[derive(Clone, Copy)]
pub struct Moment {
    pub lat: f64,
    pub lon: f64,
    pub distance: f64,
    pub speed: f64,
    pub heart_rate: f64,
    pub power: f64,
    pub cadence: f64,
    pub altitude: f64,
}

/// What truly happened.
#[derive(Clone)]
pub struct Event {
    /// Seconds after the epoch.
    pub start: i64,
    pub moments: Vec<Moment>,
    pub sport: u8,
    /// Seconds in which the athlete stood, as (from, to) offsets.
    pub stops: Vec<(usize, usize)>,
    pub offset_s: i32,
}

/// A way on the ground: heading by way point, so that two athletes or two days can share it.
#[derive(Clone)]
pub struct Route {
    lat: f64,
    lon: f64,
    seed: u64,
}

impl Route {
    pub fn new(dice: &mut Dice) -> Route {
        Route { lat: dice.between(-55.0, 65.0), lon: dice.between(-179.0, 179.0), seed: dice.next() }
    }

    /// A way that begins there.
    pub fn at(lat: f64, lon: f64, dice: &mut Dice) -> Route {
        Route { lat, lon, seed: dice.next() }
    }

    /// Positions every metre.
    fn metres(&self, count: usize) -> Vec<(f64, f64, f64)> {
        let mut dice = Dice::new(self.seed);
        let (mut lat, mut lon, mut heading, mut bend) = (self.lat, self.lon, dice.between(-3.0, 3.0), 0.0);
        let (mut height, mut slope) = (dice.between(0.0, 800.0), 0.0f64);
        (0..count)
            .map(|metre| {
                if metre % 60 == 0 {
                    bend = if dice.yes(0.3) { dice.normal() * 0.02 } else { 0.0 };
                    slope = (slope * 0.8 + dice.normal() * 0.01).clamp(-0.12, 0.12);
                }
                heading += bend;
                lat += heading.cos() / 111_195.0;
                lon += heading.sin() / (111_195.0 * self.lat.to_radians().cos());
                height += slope;
                (lat, lon, height)
            })
            .collect()
    }
}

/// How an athlete goes.
pub struct Effort {
    pub sport: u8,
    pub seconds: usize,
    pub base_heart_rate: f64,
    pub pace: f64,
    pub stops: bool,
}

impl Effort {
    pub fn any(dice: &mut Dice) -> Effort {
        let sport = [1u8, 2, 2, 17, 11][dice.whole(0, 4) as usize];
        Effort {
            sport,
            seconds: dice.whole(900, 4000) as usize,
            base_heart_rate: dice.between(115.0, 155.0),
            pace: dice.between(0.9, 1.1),
            stops: dice.yes(0.5),
        }
    }
}

/// Lets an athlete go along a route.
pub fn happen(dice: &mut Dice, start: i64, route: &Route, effort: &Effort) -> Event {
    let top = match effort.sport {
        2 => 8.0,
        1 => 3.0,
        _ => 1.3,
    } * effort.pace;
    let way = route.metres((effort.seconds as f64 * top * 1.8) as usize + 100);
    let (mut speed, mut wish) = (top, top);
    let (mut heart_rate, mut power, mut metre) = (effort.base_heart_rate - 30.0, 150.0, 0.0);
    let mut strain = 0.0f64;
    let (mut stops, mut standing) = (Vec::new(), 0usize);
    let mut moments = Vec::with_capacity(effort.seconds);
    for second in 0..effort.seconds {
        if second % 45 == 0 {
            wish = top * (1.0 + 0.25 * dice.normal()).clamp(0.4, 1.6);
            strain = strain * 0.5 + dice.normal() * 9.0;
        }
        if effort.stops && standing == 0 && second > 120 && second % 600 == 300 && dice.yes(0.6) {
            standing = dice.whole(30, 240) as usize;
            stops.push((second, (second + standing).min(effort.seconds)));
        }
        let aim = if standing > 0 { 0.0 } else { wish };
        standing = standing.saturating_sub(1);
        speed += (aim - speed) * 0.15;
        if speed < 0.05 {
            speed = 0.0;
        }
        metre += speed;
        let at = way[(metre as usize).min(way.len() - 1)];
        let target = effort.base_heart_rate + strain + if aim == 0.0 { -30.0 } else { (speed / top - 1.0) * 25.0 };
        heart_rate += (target - heart_rate) / 25.0 + dice.normal() * 0.15;
        power = (power * 0.7 + 0.3 * (220.0 * speed / top + 6.0 * strain)).max(0.0) + dice.normal() * 8.0;
        moments.push(Moment {
            lat: at.0,
            lon: at.1,
            distance: metre,
            speed,
            heart_rate: heart_rate.clamp(50.0, 200.0),
            power: if aim == 0.0 { 0.0 } else { power.max(0.0).round() },
            cadence: if aim == 0.0 { 0.0 } else { 85.0 * (speed / top).powf(0.3) + dice.normal() },
            altitude: at.2,
        });
    }
    Event { start, moments, sport: effort.sport, stops, offset_s: dice.whole(-8, 9) as i32 * 3600 }
}

/// A workout at a random time and place.
pub fn any_event(dice: &mut Dice) -> Event {
    let start = 1_400_000_000 + dice.whole(0, 200_000_000);
    let route = Route::new(dice);
    let effort = Effort::any(dice);
    happen(dice, start, &route, &effort)
}

/// How one recorder sees an event.
#[derive(Clone, Debug)]
pub struct Recorder {
    /// Deviation of the positions, m; they wander as a receiver's do. `None` records no positions.
    pub gps_noise: Option<f64>,
    /// The noise is new at every sample, not wandering.
    pub white: bool,
    /// Seconds at the start without positions.
    pub no_fix: usize,
    /// Seconds between two samples.
    pub every: usize,
    /// Times go on as if there had been no stops, as in files without pause marks.
    pub closes_stops: bool,
    pub heart_rate: bool,
    pub heart_rate_noise: f64,
    /// Seconds by which an optical sensor is late.
    pub heart_rate_late: usize,
    pub power: bool,
    pub cadence: bool,
    pub altitude: bool,
    pub speed: bool,
    pub distance: bool,
    /// Added to all times, s.
    pub clock_s: f64,
    /// 1-second recording, or points only where something changes.
    pub smart: bool,
    /// Seconds left out at both ends.
    pub trim: (usize, usize),
    /// Decimals of the positions.
    pub decimals: i32,
    /// Records while the athlete stands.
    pub records_stops: bool,
    /// Writes its stops as pauses.
    pub states_pauses: bool,
    pub sport: Option<u8>,
    pub serial: Option<&'static str>,
    pub states_offset: bool,
    /// First records dropped, as Strava does.
    pub dropped: usize,
    pub weight_kg: Option<f64>,
    pub gender: Option<u8>,
}

impl Default for Recorder {
    fn default() -> Recorder {
        Recorder {
            gps_noise: Some(3.0),
            white: false,
            no_fix: 0,
            every: 1,
            closes_stops: false,
            heart_rate: true,
            heart_rate_noise: 0.0,
            heart_rate_late: 0,
            power: true,
            cadence: true,
            altitude: true,
            speed: true,
            distance: true,
            clock_s: 0.0,
            smart: false,
            trim: (0, 0),
            decimals: 7,
            records_stops: true,
            states_pauses: true,
            sport: None,
            serial: Some("3900001"),
            states_offset: true,
            dropped: 0,
            weight_kg: None,
            gender: None,
        }
    }
}

/// Records an event. The same seed gives the same noise: a copy of one recording; another seed is another device.
pub fn record(event: &Event, recorder: &Recorder, seed: u64) -> Activity {
    let mut dice = Dice::new(seed ^ 0x5bd1);
    let mut draft = Draft::new();
    let track = &mut draft.recording.track;
    let (mut east, mut north) = (0.0, 0.0);
    let round = |v: f64, decimals: i32| (v * 10f64.powi(decimals)).round() / 10f64.powi(decimals);
    let last = event.moments.len() - recorder.trim.1.min(event.moments.len() / 3);
    let mut stood = 0;
    let (mut dropped, mut since, mut heading) = (0, 100.0, (0.0, 0.0));
    for (second, moment) in event.moments.iter().enumerate() {
        // Noise and choice are drawn for every second, so that a trimmed copy has the noise of the whole.
        let sigma = recorder.gps_noise.unwrap_or(0.0);
        let (keep, new) = if recorder.white { (0.0, sigma) } else { (0.97, sigma * 0.243) };
        (east, north) = (east * keep + dice.normal() * new, north * keep + dice.normal() * new);
        let (noise_hr, lottery) = (dice.normal() * recorder.heart_rate_noise, dice.unit());
        let lat = moment.lat + north / 111_195.0;
        let lon = moment.lon + east / (111_195.0 * moment.lat.to_radians().cos());
        since += 1.0;
        if second < recorder.trim.0 || second >= last {
            continue;
        }
        if !recorder.records_stops && event.stops.iter().any(|&(from, to)| second > from + 5 && second + 5 < to) {
            stood += 1;
            continue;
        }
        if second % recorder.every != 0 {
            continue;
        }
        let turn = (moment.speed - heading.0).abs() > 0.4 || (moment.heart_rate - heading.1).abs() > 2.0;
        if recorder.smart && since < 8.0 && !turn && lottery > 0.05 {
            continue;
        }
        (since, heading) = (0.0, (moment.speed, moment.heart_rate));
        if dropped < recorder.dropped {
            dropped += 1;
            continue;
        }
        let closed = if recorder.closes_stops { stood } else { 0 };
        track.push(((event.start + (second - closed) as i64) as f64 * 1000.0 + recorder.clock_s * 1000.0) as i64);
        if recorder.gps_noise.is_some() && second >= recorder.no_fix {
            track.set_position(round(lat, recorder.decimals), round(lon, recorder.decimals));
        }
        if recorder.heart_rate {
            let late = event.moments[second.saturating_sub(recorder.heart_rate_late)];
            track.set(Channel::HeartRate, (late.heart_rate + noise_hr).round().max(40.0) as f32);
        }
        if recorder.power {
            track.set(Channel::Power, moment.power as f32);
        }
        if recorder.cadence {
            track.set(Channel::Cadence, moment.cadence.round() as f32);
        }
        if recorder.altitude {
            track.set(Channel::Altitude, round(moment.altitude, 1) as f32);
        }
        if recorder.speed {
            track.set(Channel::Speed, round(moment.speed, 2) as f32);
        }
        if recorder.distance {
            track.set_distance(round(moment.distance, 1));
        }
    }
    if recorder.states_pauses {
        for &(from, to) in &event.stops {
            // Marks stand where the recorder says so; one that closes its stops has none.
            let at = |second: usize| ((event.start + second as i64) as f64 + recorder.clock_s) as i64 * 1000;
            draft.recording.pauses.push(Pause { start: at(from), end: at(to), auto: true });
        }
    }
    draft.recording.sport = Sport(recorder.sport.unwrap_or(event.sport));
    draft.recording.athlete.weight_kg = recorder.weight_kg;
    draft.recording.athlete.gender = recorder.gender;
    if let Some(serial) = recorder.serial {
        draft.recording.devices.push(Device {
            manufacturer: Some("garmin".into()),
            serial: Some(serial.into()),
            ..Device::default()
        });
    }
    if recorder.states_offset {
        draft.clock.offset_s = Some(event.offset_s);
        draft.clock.evidence = Evidence::Stated;
    }
    let mut activity = fix::settle(draft, &SettleOptions::default());
    // Any distinct identity will do.
    let mut id = Dice::new(seed ^ activity.track.len() as u64 ^ (recorder.clock_s.to_bits() >> 7) ^ event.start as u64);
    (0..4).for_each(|_| {
        id.next();
    });
    let mut digest = [0; 32];
    digest.chunks_mut(8).for_each(|chunk| chunk.copy_from_slice(&id.next().to_le_bytes()));
    activity.origin.digest = Digest(digest);
    activity.origin.source = format!("{seed}.fit");
    activity.origin.format = "fit".into();
    activity
}

/// The same, as a fingerprint with an identity of its own.
pub fn seen(event: &Event, recorder: &Recorder, seed: u64, name: u8) -> Fingerprint {
    let mut activity = record(event, recorder, seed);
    activity.origin.digest.0[0] = name;
    activity.origin.digest.0[1] ^= name;
    Fingerprint::of(&activity)
}
