//! Note codes are stable identities: each is declared once, lower case, dotted.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

fn walk(folder: &Path, found: &mut BTreeMap<String, Vec<String>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, found);
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        for kind in ["Code::info(\"", "Code::warning(\"", "Code::damage(\""] {
            for (at, _) in code.match_indices(kind) {
                let id = code[at + kind.len()..].split('"').next().unwrap();
                found.entry(id.to_owned()).or_default().push(path.display().to_string());
            }
        }
    }
}

#[test]
fn every_note_code_is_declared_once_and_well_formed() {
    let mut found = BTreeMap::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.len() >= 4, "met only {} codes", found.len());
    for (id, places) in &found {
        assert_eq!(places.len(), 1, "{id} is declared in {places:?}");
        let fine =
            id.contains('.') && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._".contains(c));
        assert!(fine, "{id} is not lower case and dotted");
    }
}
