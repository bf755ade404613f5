//! The oracle: what independent readers found in the real files of the corpus (`../shared/corpus`, not part of the
//! repository). Tests that need it skip with a message when it is not there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The folder of the corpus, when it is there.
pub fn corpus() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    if folder.join("EXPECT.jsonl").is_file() {
        return Some(folder);
    }
    eprintln!("skipped: no corpus at {}", folder.display());
    None
}

/// The oracle's lines by path under the corpus folder, for one format (`fit`, `gpx`, `tcx`, …) or for all.
pub fn load(corpus: &Path, format: Option<&str>) -> BTreeMap<String, Value> {
    let text = std::fs::read_to_string(corpus.join("EXPECT.jsonl")).unwrap();
    text.lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|value| format.is_none_or(|format| value["format"] == format))
        .map(|value| (value["path"].as_str().unwrap().to_owned(), value))
        .collect()
}

#[test]
fn every_oracle_line_has_its_file() {
    let Some(corpus) = corpus() else { return };
    let all = load(&corpus, None);
    assert!(all.len() > 100, "met only {} lines", all.len());
    for (path, expect) in &all {
        assert!(corpus.join(path).is_file(), "{path}");
        assert!(expect["status"].is_string(), "{path}");
    }
    assert!(!load(&corpus, Some("fit")).is_empty());
}

/// Holds every file of a format against what the oracle says of it; `check` gives the differences. At least `least` files
/// must be met.
pub fn every_file_agrees(format: &str, least: usize, check: impl Fn(&[u8], &Value) -> Result<(), String>) {
    let Some(corpus) = corpus() else { return };
    let files = load(&corpus, Some(format));
    assert!(files.len() >= least, "met only {} files", files.len());
    let differs = |(path, expect): (&String, &Value)| {
        let bytes = std::fs::read(corpus.join(path)).unwrap();
        check(&bytes, expect).err().map(|difference| format!("{path}: {difference}"))
    };
    let wrong: Vec<_> = files.iter().filter_map(differs).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
