//! `paceport formats`.

use paceport::Error;
use paceport::formats::FORMATS;
use serde_json::json;

use super::args::Common;
use super::table::{self, Align};
use super::{Exit, summary};

/// The table of what is read and written.
pub fn run(common: &Common, _losses: bool) -> Result<Exit, Error> {
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
        let mark = |yes: bool| if yes { "yes" } else { "-" }.to_owned();
        let rows: Vec<Vec<String>> = FORMATS
            .iter()
            .map(|f| {
                vec![
                    f.id.to_owned(),
                    f.name.to_owned(),
                    mark(f.read.is_some()),
                    mark(f.write.is_some()),
                    f.extensions.join(" "),
                    f.status.to_owned(),
                ]
            })
            .collect();
        table::print(out, &header, &rows)
    })?;
    Ok(Exit::Done)
}
