//! `paceport formats`.

use paceport::Error;
use paceport::formats::FORMATS;
use paceport::formats::losses::{Held, KINDS, WRITTEN};
use serde_json::json;

use super::args::Common;
use super::table::{self, Align, Row};
use super::{Exit, summary};

/// The table of what is read and written.
pub fn run(common: &Common, losses: bool) -> Result<Exit, Error> {
    if losses {
        return held(common);
    }
    summary::to_stdout(|out| {
        if common.json {
            return FORMATS.iter().try_for_each(|f| {
                let line = json!({"kind": "format", "id": f.id, "name": f.name, "extensions": f.extensions,
                    "read": f.read.is_some(), "write": f.write.is_some(), "status": f.status});
                summary::json_line(out, &line)
            });
        }
        let header = [
            ("ID", Align::Left),
            ("NAME", Align::Left),
            ("READ", Align::Left),
            ("WRITE", Align::Left),
            ("EXTENSIONS", Align::Left),
            ("STATUS", Align::Left),
        ];
        let mark = |yes: bool| if yes { "yes" } else { "-" };
        let rows: Vec<Row> = FORMATS
            .iter()
            .map(|f| {
                Row::from_iter([
                    f.id,
                    f.name,
                    mark(f.read.is_some()),
                    mark(f.write.is_some()),
                    &f.extensions.join(" "),
                    f.status,
                ])
            })
            .collect();
        table::print(out, &header, &rows)
    })?;
    Ok(Exit::Done)
}

/// What each written format can hold.
fn held(common: &Common) -> Result<Exit, Error> {
    summary::to_stdout(|out| {
        if common.json {
            return KINDS.iter().try_for_each(|kind| {
                let held: serde_json::Map<String, serde_json::Value> =
                    WRITTEN.iter().zip(kind.held).map(|(id, held)| ((*id).to_owned(), held.word().into())).collect();
                let line = json!({"kind": "loss", "code": kind.code.id, "what": kind.what, "held": held});
                summary::json_line(out, &line)
            });
        }
        let header: Vec<(&str, Align)> = ["WHAT"].iter().chain(&WRITTEN).map(|title| (*title, Align::Left)).collect();
        let rows: Vec<Row> = KINDS
            .iter()
            .map(|kind| std::iter::once(kind.what).chain(kind.held.iter().map(|held| held.word())).collect())
            .collect();
        table::print(out, &header, &rows)?;
        writeln!(
            out,
            "\n{}: only paceport reads it back, other programs skip it; a loss.* note says so when it happens",
            Held::Own.word()
        )
    })?;
    Ok(Exit::Done)
}
