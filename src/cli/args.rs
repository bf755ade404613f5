//! The command line. Names and meanings are a promise; see the README.

use std::path::PathBuf;

use clap::builder::RangedU64ValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use paceport::model::{Sport, parse_sport};

/// Import, deduplicate, merge, convert and keep workout history. Nothing leaves the machine.
#[derive(Debug, Parser)]
#[command(name = "paceport", version, max_term_width = 100, disable_help_subcommand = true)]
#[command(
    after_help = "Exit status: 0 done, 1 the command failed or a file could not be written, 2 wrong usage, 3 done but \
some source failed or was only partly read, 4 verify or --check found damage."
)]
pub struct Cli {
    #[command(subcommand)]
    pub verb: Verb,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Debug, Args)]
pub struct Common {
    /// Worker threads, at most 256; 0 is one a core
    #[arg(short, long, global = true, value_name = "N", default_value_t = 0, value_parser = threads())]
    pub jobs: usize,
    /// Memory budget, for instance 512M [default: 1G or a quarter of the memory, whichever is less]
    #[arg(long, global = true, value_name = "SIZE", value_parser = size)]
    pub memory: Option<u64>,
    /// Print JSON lines instead of text
    #[arg(long, global = true)]
    pub json: bool,
    /// Print no progress and no summary, only what failed or was partly read
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Print every note
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// File whose first line is the password of encrypted archives
    #[arg(long, global = true, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Treat losses as failures (exit status 3)
    #[arg(long, global = true)]
    pub strict: bool,
    /// Largest source after expansion [default: 256M]
    #[arg(long, global = true, value_name = "SIZE", value_parser = size, hide_short_help = true)]
    pub max_entry: Option<u64>,
    /// Largest expansion ratio above 1 MiB [default: 200]
    #[arg(long, global = true, value_name = "N", hide_short_help = true)]
    pub max_ratio: Option<u64>,
    /// Most entries of one archive [default: 1000000]
    #[arg(long, global = true, value_name = "N", hide_short_help = true)]
    pub max_entries: Option<u64>,
    /// Most archives inside archives [default: 2]
    #[arg(long, global = true, value_name = "N", hide_short_help = true)]
    pub max_nesting: Option<u32>,
    /// Most temporary space for archives inside archives [default: 8G]
    #[arg(long, global = true, value_name = "SIZE", value_parser = size, hide_short_help = true)]
    pub max_spool: Option<u64>,
    /// Most bytes of a whole run after expansion [default: off]
    #[arg(long, global = true, value_name = "SIZE", value_parser = size, hide_short_help = true)]
    pub max_total: Option<u64>,
    /// Most samples of one activity [default: 20000000]
    #[arg(long, global = true, value_name = "N", hide_short_help = true)]
    pub max_samples: Option<usize>,
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Show what is inside files, folders and archives; writes nothing
    Inspect {
        /// Files, folders, archives; - is standard input
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
        #[command(flatten)]
        zone: Zone,
    },
    /// Convert to another format; folders and archives keep their structure
    Convert {
        /// Files, folders, archives; - is standard input
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
        /// Format to write: fit, gpx, tcx, csv or json
        #[arg(long, value_name = "FORMAT")]
        to: String,
        /// File or folder to write, - for standard output [default: the current folder]
        #[arg(short, long, value_name = "FILE|DIR|-")]
        out: Option<PathBuf>,
        #[command(flatten)]
        write: Write,
        #[command(flatten)]
        zone: Zone,
        #[command(flatten)]
        merge: Merge,
    },
    /// Take everything over into a history on disk, once
    Import {
        /// Files, folders, archives; - is standard input
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
        /// The history's folder; made when it is not there
        #[arg(long, value_name = "HISTORY")]
        into: PathBuf,
        /// Only say what would be done
        #[arg(long)]
        dry_run: bool,
        /// Wait while another import holds the history
        #[arg(long)]
        wait: bool,
        /// Which activities count as the same
        #[arg(long, value_enum, default_value_t = Dedupe::Overlap)]
        dedupe: Dedupe,
        /// Which source wins a channel in a merge, for instance power=zwift,heart_rate=garmin
        #[arg(long, value_name = "CHANNEL=SOURCE,…")]
        prefer: Option<String>,
        #[command(flatten)]
        zone: Zone,
    },
    /// List the activities of a history
    List {
        /// The history's folder
        history: PathBuf,
        #[command(flatten)]
        filter: Filter,
        /// Only pairs that may be the same workout, with the reasons
        #[arg(long)]
        unsure: bool,
    },
    /// Write the activities of a history as files of a format
    Export {
        /// The history's folder
        history: PathBuf,
        /// Format to write: fit, gpx, tcx, csv or json; original gives the files back as they came
        #[arg(long, value_name = "FORMAT")]
        to: String,
        /// Folder to write into
        #[arg(short, long, value_name = "DIR")]
        out: PathBuf,
        #[command(flatten)]
        filter: Filter,
        #[command(flatten)]
        write: Write,
    },
    /// Move all times: for a recorder whose clock was wrong
    Shift {
        /// Files, folders, archives; - is standard input
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
        /// By how much, for instance +1h, -30m or 1:30:00
        #[arg(long, value_name = "DURATION", allow_hyphen_values = true, required_unless_present = "start")]
        by: Option<String>,
        /// When it really started, for instance 2024-05-01T09:12:00+02:00
        #[arg(long, value_name = "TIME", conflicts_with = "by")]
        start: Option<String>,
        /// Format to write [default: that of the name of the output, else of the first source]
        #[arg(long, value_name = "FORMAT")]
        to: Option<String>,
        /// File or folder to write, - for standard output
        #[arg(short, long, value_name = "FILE|DIR|-")]
        out: PathBuf,
        #[command(flatten)]
        write: Write,
    },
    /// Make one file of several recordings of a workout
    Merge {
        /// Files, folders, archives
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
        /// File to write; its extension names the format
        #[arg(short, long, value_name = "FILE")]
        out: PathBuf,
        /// The sources are consecutive parts; the gaps become pauses
        #[arg(long)]
        join: bool,
        /// Which source wins a channel, for instance power=zwift,heart_rate=garmin
        #[arg(long, value_name = "CHANNEL=SOURCE,…")]
        prefer: Option<String>,
        #[command(flatten)]
        zone: Zone,
        #[command(flatten)]
        write: Write,
    },
    /// Declare a doubtful pair one workout, or take an undo back
    Accept {
        /// The history's folder
        history: PathBuf,
        /// Start of the id of one of its activities
        id: String,
    },
    /// Take a merge back, or declare a doubtful pair different
    Undo {
        /// The history's folder
        history: PathBuf,
        /// Start of the id of one of its activities
        id: String,
    },
    /// Look for damage in a history; exit status 4 when there is some
    Verify {
        /// The history's folder
        history: PathBuf,
        /// Do not hash the originals again
        #[arg(long)]
        quick: bool,
        /// Derive the journal again from the originals first
        #[arg(long)]
        rebuild: bool,
    },
    /// Read originals again that an older version has read, and show what it reads better
    Refresh {
        /// The history's folder
        history: PathBuf,
        /// Read every original again
        #[arg(long)]
        all: bool,
        /// Only say what would change
        #[arg(long)]
        dry_run: bool,
        /// Wait while another program writes to the history
        #[arg(long)]
        wait: bool,
    },
    /// Show what is read and written
    Formats {
        /// Show what each format can hold
        #[arg(long)]
        losses: bool,
    },
    /// Print a shell completion script
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

#[derive(Debug, Args)]
pub struct Write {
    /// Overwrite files that have other content
    #[arg(long)]
    pub force: bool,
    /// Read each written file again with another parser; differences end with exit status 4
    #[arg(long)]
    pub check: bool,
    /// Leave out who recorded it: serial numbers, names, texts, the athlete, fields without a name, waypoints, and the first
    /// and last 200 m (keep-track: the track stays)
    #[arg(long, value_name = "keep-track", num_args = 0..=1, default_missing_value = "all", require_equals = true)]
    pub anonymize: Option<Hide>,
}

/// What `--anonymize` takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Hide {
    /// All of it
    All,
    /// All but the track
    KeepTrack,
}

#[derive(Debug, Args)]
pub struct Zone {
    /// Local time of the activities: auto, keep (as claimed), an offset (+02:00) or a zone (Europe/Zurich)
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true)]
    pub zone: Option<String>,
    /// Zone of activities that nothing else tells the zone of
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true)]
    pub home_zone: Option<String>,
}

#[derive(Debug, Args)]
pub struct Merge {
    /// Recordings of the same workout become one file
    #[arg(long)]
    pub merge: bool,
    /// Which source wins a channel, for instance power=zwift,heart_rate=garmin
    #[arg(long, value_name = "CHANNEL=SOURCE,…", requires = "merge")]
    pub prefer: Option<String>,
}

/// Which activities count as the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Dedupe {
    /// Equal bytes only
    Exact,
    /// Equal bytes, equal content, recordings of the same workout
    Overlap,
    /// Like exact: equal bytes are always kept once
    Off,
}

#[derive(Debug, Args)]
pub struct Filter {
    /// Only activities that start on or after this day (YYYY-MM-DD, local)
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub since: Option<i64>,
    /// Only activities that start on or before this day (YYYY-MM-DD, local)
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub until: Option<i64>,
    /// Only this sport, by the name that the list shows it under, for instance running
    #[arg(long, value_parser = sport)]
    pub sport: Option<String>,
}

/// A number of threads: more than a machine has cores only costs memory, and far more cannot be started.
fn threads() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(0..=256)
}

/// `512M`, `2GiB`, `1000000`: bytes; K, M, G and T are powers of 1024.
pub fn size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let shift = match unit.trim().to_ascii_lowercase().trim_end_matches('b').trim_end_matches('i') {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        "t" => 40,
        _ => return Err("a size is a number with K, M, G or T".to_owned()),
    };
    let number: u64 = number.parse().map_err(|_| "a size is a number with K, M, G or T".to_owned())?;
    number.checked_shl(shift).filter(|n| n >> shift == number).ok_or_else(|| "the size is too large".to_owned())
}

/// `YYYY-MM-DD` as ms since the epoch of that midnight.
pub fn day(text: &str) -> Result<i64, String> {
    paceport::model::time::parse(format!("{text}T00:00:00Z").as_bytes())
        .map(|instant| instant.ms)
        .ok_or_else(|| "a day is YYYY-MM-DD".to_owned())
}

/// A sport by its name, in any case.
pub fn sport(text: &str) -> Result<String, String> {
    let name = text.trim().to_ascii_lowercase();
    if let Some(sport) = Sport::by_name(&name) {
        return Ok(sport.name().into_owned());
    }
    // Another word for a sport, or the beginning of its name; else the user has to choose.
    let meant = parse_sport(text).map(|(sport, _)| sport.name());
    let head = name.char_indices().nth(3).map_or(&*name, |(at, _)| &name[..at]);
    let near: Vec<&str> = match &meant {
        Some(meant) => vec![meant],
        None => Sport::names().filter(|known| !head.is_empty() && known.starts_with(head)).collect(),
    };
    Err(if near.is_empty() {
        format!("no sport is called so; known are {}", Sport::names().collect::<Vec<_>>().join(", "))
    } else {
        format!("no sport is called so; did you mean {}?", near.join(" or "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_verb_refuses_more_than_256_threads() {
        for verb in [&["formats"][..], &["list", "h"], &["verify", "h"], &["import", "a", "--into", "h"]] {
            let parsed = |jobs: &str| Cli::try_parse_from([&["paceport"], verb, &["-j", jobs]].concat());
            assert_eq!(parsed("256").unwrap().common.jobs, 256);
            for jobs in ["257", "1024", "1000000", "-1"] {
                let error = parsed(jobs).unwrap_err();
                assert_eq!(error.exit_code(), 2, "{jobs}");
                assert!(jobs == "-1" || error.to_string().contains("0..=256"), "{error}");
            }
        }
    }

    #[test]
    fn a_word_that_is_no_sport_is_wrong_usage_that_names_the_nearest() {
        for (word, name) in
            [("running", "running"), ("Cycling", "cycling"), ("generic", "generic"), ("sport_200", "sport_200")]
        {
            assert_eq!(sport(word).as_deref(), Ok(name));
        }
        for (word, near) in
            [("run", "mean running?"), ("swiming", "mean swimming?"), ("xyzzy", "known are generic, running, cycling")]
        {
            let message = sport(word).unwrap_err();
            assert!(message.contains(near), "{message}");
        }
        for verb in [&["list", "h"][..], &["export", "h", "--to", "gpx", "--out", "o"]] {
            let error = Cli::try_parse_from([&["paceport"], verb, &["--sport", "runing"]].concat()).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            assert!(error.to_string().contains("running"), "{error}");
        }
    }

    #[test]
    fn sizes_are_powers_of_1024() {
        assert_eq!(size("512M"), Ok(512 << 20));
        assert_eq!(size("2GiB"), Ok(2 << 30));
        assert_eq!(size("17"), Ok(17));
        assert!(size("1X").is_err() && size("").is_err() && size("99999999999T").is_err());
    }
}
