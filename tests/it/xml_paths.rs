//! The scanner for points and quick-xml alone read the same from every input, whole or damaged; no input makes either
//! panic or run away.

use paceport::error::{Error, Result};
use paceport::formats::{Intake, Reading, gpx, tcx};
use paceport::limits::Limits;

use crate::{expect, fixtures};

type Read = fn(&[u8], &mut Intake<'_>) -> Result<()>;

fn reading(read: Read, bytes: &[u8]) -> (Reading, Option<String>) {
    let limits = Limits::default();
    let mut drafts = Vec::new();
    let mut keep = |draft| {
        drafts.push(draft);
        Ok(())
    };
    let mut intake = Intake::new(&limits, &mut keep);
    let error = read(bytes, &mut intake).err().map(|error: Error| error.to_string());
    let (skipped, notes) = intake.finish();
    (Reading { drafts, notes, skipped }, error)
}

/// Reads by both paths and compares everything; returns the reading.
fn same(name: &str, bytes: &[u8]) -> Reading {
    let (fast, plain): (Read, Read) =
        if name.contains("tcx") { (tcx::read, tcx::read_plain) } else { (gpx::read, gpx::read_plain) };
    let (one, two) = (reading(fast, bytes), reading(plain, bytes));
    let show = || String::from_utf8_lossy(bytes).into_owned();
    assert_eq!(one.1, two.1, "{name}: {}", show());
    let (one, two) = (one.0, two.0);
    assert_eq!(one.skipped, two.skipped, "{name}: {}", show());
    assert_eq!(one.notes, two.notes, "{name}: {}", show());
    assert!(one.drafts == two.drafts, "{name}: {}", show());
    one
}

/// xorshift64*: the same numbers on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % sides.max(1)
    }
}

/// Pieces that break or bend XML.
const PIECES: &[&str] = &[
    "<",
    ">",
    "</",
    "/>",
    "\"",
    "'",
    "&",
    "&lt;",
    "&#49;",
    "=",
    "<!--",
    "-->",
    "<!-- x -->",
    "<![CDATA[5]]>",
    "]]>",
    "<?pi?>",
    "\0",
    " ",
    "\n",
    "\u{feff}",
    "é",
    "NaN",
    "1e3",
    "-",
    ",",
    ".",
    "100",
    "0",
    "</trkpt>",
    "<trkpt>",
    "<trkpt lat=\"1\" lon=\"2\"/>",
    "<trkseg>",
    "</trkseg>",
    "</trk>",
    "<time>",
    "<ele/>",
    "<hr>5</hr>",
    "<a b=\"c>d\">",
    "<Trackpoint>",
    "</Trackpoint>",
    "<Track>",
    "</Track>",
    "</Lap>",
    "<Value>",
    "<Time>2024-05-01T07:12:00Z</Time>",
    "<ns3:Watts>1</ns3:Watts>",
    "<x/>",
    "<trkseg></trkseg>",
    "<trk><ele>4</ele></trk>",
    "<Track></Track>",
    "<accel x=\"1\"/>",
    "<accelX q=\"1\"/>",
    "<pp:sampled heart_rate=\"1\"/>",
    "<:foo>5</:foo>",
    "X",
];

fn mutate(bytes: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for _ in 0..=dice.roll(4) {
        let at = dice.roll(out.len() + 1);
        match dice.roll(6) {
            0 => out.truncate(at),
            1 => {
                let piece = PIECES[dice.roll(PIECES.len())];
                out.splice(at..at, piece.bytes());
            }
            2 => {
                let end = (at + dice.roll(40)).min(out.len());
                out.drain(at..end);
            }
            3 => {
                let end = (at + dice.roll(200)).min(out.len());
                let copy = out[at..end].to_vec();
                let to = dice.roll(out.len() + 1);
                out.splice(to..to, copy);
            }
            4 => {
                if let Some(byte) = out.get_mut(at) {
                    *byte ^= 1 << dice.roll(8);
                }
            }
            _ => {
                // Most faults sit at the edges of markup.
                let edge = out.iter().skip(at).position(|b| matches!(b, b'<' | b'>')).map_or(at, |skip| at + skip);
                let piece = PIECES[dice.roll(PIECES.len())];
                out.splice(edge..edge, piece.bytes());
            }
        }
    }
    out
}

#[test]
fn both_paths_agree_on_every_fixture_and_thousands_of_damaged_ones() {
    let seeds: Vec<_> = fixtures::all()
        .into_iter()
        .filter(|fixture| {
            (fixture.path.ends_with(".gpx") || fixture.path.ends_with(".tcx")) && fixture.bytes.len() < 20_000
        })
        .collect();
    assert!(seeds.len() >= 10, "met only {} fixtures", seeds.len());
    let mut dice = Dice(0x5eed);
    let (mut rounds, mut with_activities) = (0, 0);
    for fixture in &seeds {
        same(fixture.path, &fixture.bytes);
        for _ in 0..4000 / seeds.len() + 1 {
            let bytes = mutate(&fixture.bytes, &mut dice);
            with_activities += usize::from(!same(fixture.path, &bytes).drafts.is_empty());
            rounds += 1;
        }
    }
    assert!(rounds >= 4000);
    assert!(with_activities > rounds / 4, "the damage is too heavy to show anything: {with_activities} of {rounds}");
}

#[test]
fn both_paths_agree_on_the_corpus() {
    let Some(corpus) = expect::corpus() else { return };
    let mut files = 0;
    for format in ["gpx", "tcx"] {
        for path in expect::load(&corpus, Some(format)).keys().filter(|path| !path.ends_with(".gz")) {
            same(path, &std::fs::read(corpus.join(path)).unwrap());
            files += 1;
        }
    }
    assert!(files >= 200, "met only {files} files");
}
