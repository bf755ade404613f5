//! HiTrack lines: `tp=<kind>;k=<key>;v=<value>;`, one a line, kinds in any order (huawei.md section 4).

use crate::json::short_decimal;

/// Latitude and longitude of a line that marks a stop and is no position.
const MARK: (f64, f64) = (90.0, -80.0);

/// A position as written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fix {
    /// Number of the position.
    pub k: f64,
    /// Degrees.
    pub lat: f64,
    /// Degrees.
    pub lon: f64,
    /// Metres; 0 throughout when there is none.
    pub alt: f64,
    /// Time in one of several spellings; 0 when there is none.
    pub t: f64,
}

impl Fix {
    /// True for the mark of a stop.
    pub(super) fn is_mark(&self) -> bool {
        (self.lat, self.lon) == MARK
    }
}

/// A key (mostly a time) and a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pair {
    pub k: f64,
    pub v: f64,
}

/// A manual lap.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Section {
    /// Its number.
    pub number: f64,
    /// Seconds.
    pub seconds: f64,
    /// Metres.
    pub metres: f64,
    /// Average heart rate, bpm; 0 when there is none.
    pub heart_rate: f64,
}

/// Everything that the lines of one activity say, in file order.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Lines {
    /// `lbs`
    pub fixes: Vec<Fix>,
    /// `h-r`: bpm.
    pub heart: Vec<Pair>,
    /// `s-r`: steps a minute of both feet; negative ones are strokes a minute.
    pub steps: Vec<Pair>,
    /// `cad`: rpm.
    pub cadence: Vec<Pair>,
    /// `alti`, `alt`: barometric, metres.
    pub altitude: Vec<Pair>,
    /// `rs`: dm/s at nominal seconds.
    pub speed: Vec<Pair>,
    /// `pow`: W *(inferred)*.
    pub power: Vec<Pair>,
    /// `spo2`: % *(inferred)*.
    pub spo2: Vec<Pair>,
    /// `p-f`: strokes a minute.
    pub strokes: Vec<Pair>,
    /// `swf`: SWOLF.
    pub swolf: Vec<Pair>,
    /// `p-m`: pace of each kilometre.
    pub kilometres: Vec<Pair>,
    /// `b-p-m`: pace of each mile.
    pub miles: Vec<Pair>,
    /// `sec`
    pub sections: Vec<Section>,
    /// Lines of kinds that have no place: paces of every 100 m or yards, recovery, what nobody understands.
    pub other: u64,
    /// The first such kind.
    pub other_kind: Option<String>,
    /// Lines of known kinds that could not be read, and the number of the first.
    pub broken: u64,
    pub first_broken: usize,
}

impl Lines {
    /// Reads text line by line; what does not begin with `tp=` is passed over (`actionSummary=[…]`, `DETAIL_NULL`).
    pub(super) fn of(text: &str) -> Lines {
        let mut lines = Lines::default();
        let mut rest = text.as_bytes();
        let mut number = 0;
        while !rest.is_empty() {
            let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            let (line, after) = rest.split_at(end);
            rest = after.get(1..).unwrap_or_default();
            number += 1;
            if let Some(line) = line.trim_ascii().strip_prefix(b"tp=")
                && lines.line(line).is_none()
            {
                lines.broken += 1;
                if lines.broken == 1 {
                    lines.first_broken = number;
                }
            }
        }
        lines
    }

    /// Takes one line behind its `tp=`; `None` when a number that it needs is missing.
    fn line(&mut self, line: &[u8]) -> Option<()> {
        let kind_end = line.iter().position(|b| *b == b';').unwrap_or(line.len());
        let (kind, fields) = line.split_at(kind_end);
        let pairs = match kind {
            b"lbs" => {
                let [k, lat, lon, alt, t] = numbers(fields, [b"k", b"lat", b"lon", b"alt", b"t"]);
                let (lat, lon) = (lat?, lon?);
                self.fixes.push(Fix { k: k.unwrap_or(-1.0), lat, lon, alt: alt.unwrap_or(0.0), t: t.unwrap_or(0.0) });
                return Some(());
            }
            b"sec" => {
                let [number, seconds, cm, heart_rate] = numbers(fields, [b"sn", b"st", b"sd", b"shr"]);
                let number = number.unwrap_or(self.sections.len() as f64);
                let metres = cm.unwrap_or(0.0) / 100.0;
                let heart_rate = heart_rate.unwrap_or(0.0);
                self.sections.push(Section { number, seconds: seconds?, metres, heart_rate });
                return Some(());
            }
            b"h-r" => &mut self.heart,
            b"s-r" => &mut self.steps,
            b"cad" => &mut self.cadence,
            b"alti" | b"alt" => &mut self.altitude,
            b"rs" => &mut self.speed,
            b"pow" => &mut self.power,
            b"spo2" => &mut self.spo2,
            b"p-f" => &mut self.strokes,
            b"swf" => &mut self.swolf,
            b"p-m" => &mut self.kilometres,
            b"b-p-m" => &mut self.miles,
            kind => {
                self.other += 1;
                self.other_kind.get_or_insert_with(|| String::from_utf8_lossy(kind).chars().take(20).collect());
                return Some(());
            }
        };
        let [k, v] = numbers(fields, [b"k", b"v"]);
        pairs.push(Pair { k: k?, v: v? });
        Some(())
    }
}

/// The numbers of the named fields of `;k=1;v=2;`, in whatever order they stand. Never NaN or infinite.
#[inline]
fn numbers<const N: usize>(mut fields: &[u8], names: [&[u8]; N]) -> [Option<f64>; N] {
    let mut found = [None; N];
    let mut expected = 0;
    while let [b';', field @ ..] = fields {
        let end = field.iter().position(|b| *b == b';').unwrap_or(field.len());
        let (field, after) = field.split_at(end);
        fields = after;
        // Fields stand in their usual order in all but strange files.
        let named = |name: &&[u8]| value_of(field, name);
        let next = names.get(expected).and_then(named).map(|value| (expected, value));
        let any = || names.iter().enumerate().find_map(|(at, name)| Some((at, named(name)?)));
        if let Some((at, value)) = next.or_else(any) {
            found[at] = number(value);
            expected = at + 1;
        }
    }
    found
}

/// What stands behind `name=`. Names have up to three letters: compared one by one.
#[inline]
fn value_of<'a>(field: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (head, value) = field.split_at_checked(name.len())?;
    let value = value.strip_prefix(b"=")?;
    head.iter().zip(name).all(|(a, b)| a == b).then_some(value)
}

#[inline]
fn number(text: &[u8]) -> Option<f64> {
    short_decimal(text).or_else(|| {
        let text = std::str::from_utf8(text).ok()?;
        text.trim().parse().ok().filter(|number: &f64| number.is_finite())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_may_interleave_and_lines_may_be_untidy() {
        let text = "tp=lbs;k=0;lat=50.5;lon=-3.5;alt=0.0;t=1.55173212E12;\r\n\r\ntp=h-r;k=1551732125000;v=105\n  tp=s-r;v=71;k=5;\n\
            actionSummary=[{\"tp\":1}]\nDETAIL_NULL\ntp=zzz;a=b;\ntp=r-r-h;k=1;v=2;\ntp=alt;k=7;v=12.5;\ntp=alti;k=8;v=-1;\n\
            tp=sec;sn=1;st=300;sd=100050;sp=0;shr=150;sc=80;\ntp=h-r;k=x;v=1;\ntp=h-r;v=1;\ntp=lbs;lat=1;lon=2";
        let lines = Lines::of(text);
        let (with, without) = (lines.fixes[0], lines.fixes[1]);
        assert_eq!((with.k, with.lat, with.lon, with.alt, with.t), (0.0, 50.5, -3.5, 0.0, 1.55173212E12));
        assert_eq!((without.k, without.lat, without.lon, without.t), (-1.0, 1.0, 2.0, 0.0));
        assert_eq!(lines.heart, [Pair { k: 1_551_732_125_000.0, v: 105.0 }]);
        assert_eq!(lines.steps, [Pair { k: 5.0, v: 71.0 }]);
        assert_eq!(lines.altitude, [Pair { k: 7.0, v: 12.5 }, Pair { k: 8.0, v: -1.0 }]);
        assert_eq!(lines.sections, [Section { number: 1.0, seconds: 300.0, metres: 1000.5, heart_rate: 150.0 }]);
        assert_eq!((lines.other, lines.other_kind.as_deref()), (2, Some("zzz")));
        assert_eq!((lines.broken, lines.first_broken), (2, 12));
    }

    #[test]
    fn nonsense_gives_nothing() {
        for text in ["", "tp=", "tp=;;;==", "tp=lbs;lat=NaN;lon=1;", "tp=h-r;k=inf;v=1;", "\u{fffd}tp", "tp=rs;k=1;v="]
        {
            let lines = Lines { other: 0, other_kind: None, broken: 0, first_broken: 0, ..Lines::of(text) };
            assert_eq!(lines, Lines::default(), "{text}");
        }
    }
}
