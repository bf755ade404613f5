//! What the user named → inputs and options of the pipeline. The only place that looks at the machine.

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use paceport::limits::Limits;
use paceport::pipeline::{self, Input, ReadOptions, Workers, ZoneChoice};
use paceport::{Error, Kind};

use super::args::{Common, Zone};

/// Paths as inputs; `-` is read whole from standard input, at most once.
fn inputs(paths: &[PathBuf], limits: &Limits) -> Result<Vec<Input>, Error> {
    let mut stdin_taken = false;
    paths
        .iter()
        .map(|path| {
            if path != Path::new("-") {
                return Ok(Input::Path(path.clone()));
            }
            if std::mem::replace(&mut stdin_taken, true) {
                return Err(Error::new(Kind::Usage, "standard input can only be read once"));
            }
            let mut bytes = Vec::new();
            std::io::stdin()
                .lock()
                .take(limits.entry_bytes + 1)
                .read_to_end(&mut bytes)
                .map_err(|e| Error::io("cannot read standard input", e))?;
            if bytes.len() as u64 > limits.entry_bytes {
                return Err(Error::limit("--max-entry", "standard input is too large").in_source("-"));
            }
            Ok(Input::Stdin(bytes))
        })
        .collect()
}

/// The inputs, and the password that they want when it is not known: asked for on a terminal, without echo.
pub fn opened(paths: &[PathBuf], options: &mut ReadOptions) -> Result<Vec<Input>, Error> {
    let inputs = inputs(paths, &options.limits)?;
    let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    if terminal && pipeline::wants_password(&inputs, options) {
        let terminal = console::Term::stderr();
        let answer =
            terminal.write_str("password of the encrypted archive: ").and_then(|()| terminal.read_secure_line());
        let answer = answer.map_err(|e| Error::io("cannot read a password", e))?;
        options.password = Some(answer.into_bytes()).filter(|password| !password.is_empty());
    }
    Ok(inputs)
}

/// The options of the pipeline.
pub fn read_options(common: &Common) -> Result<ReadOptions, Error> {
    let mut limits = Limits::default();
    limits.entry_bytes = common.max_entry.unwrap_or(limits.entry_bytes);
    limits.expansion_ratio = common.max_ratio.unwrap_or(limits.expansion_ratio);
    limits.archive_entries = common.max_entries.unwrap_or(limits.archive_entries);
    limits.nested_archives = common.max_nesting.unwrap_or(limits.nested_archives);
    limits.spool_bytes = common.max_spool.unwrap_or(limits.spool_bytes);
    limits.samples = common.max_samples.unwrap_or(limits.samples);
    limits.total_bytes = common.max_total;
    Ok(ReadOptions {
        limits,
        workers: Workers { threads: common.jobs, memory: common.memory.unwrap_or_else(default_memory) },
        password: password(common)?,
        ..ReadOptions::default()
    })
}

/// The same options with what the user says about zones.
pub fn with_zone(mut options: ReadOptions, zone: &Zone) -> Result<ReadOptions, Error> {
    options.settle.zone = choice(zone.zone.as_deref())?;
    options.home = choice(zone.home_zone.as_deref())?;
    Ok(options)
}

fn choice(text: Option<&str>) -> Result<ZoneChoice, Error> {
    text.map_or(Ok(ZoneChoice::Auto), str::parse)
}

/// The first line of the password file, else the environment's `PACEPORT_PASSWORD`.
fn password(common: &Common) -> Result<Option<Vec<u8>>, Error> {
    if let Some(file) = &common.password_file {
        let content = std::fs::read(file).map_err(|e| Error::io(format_args!("cannot read {}", file.display()), e))?;
        let line = content.split(|b| *b == b'\n').next().unwrap_or_default();
        return Ok(Some(line.strip_suffix(b"\r").unwrap_or(line).to_vec()));
    }
    #[expect(clippy::disallowed_methods, reason = "the one place where the environment is read")]
    let variable = std::env::var_os("PACEPORT_PASSWORD");
    Ok(variable.map(|value| value.into_encoded_bytes()))
}

/// 1 GiB or a quarter of the memory, whichever is less.
fn default_memory() -> u64 {
    let most = 1 << 30;
    let Ok(info) = std::fs::read_to_string("/proc/meminfo") else { return most };
    let total = info.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix("kB"));
    total.and_then(|kib| kib.trim().parse::<u64>().ok()).map_or(most, |kib| (kib * 1024 / 4).min(most))
}
