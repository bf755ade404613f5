//! How originals are kept: text that came compressed stays as it came, whatever the order in which it is met.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use super::cli::tree;
use super::cli_history::done;
use super::fixtures;

fn ride() -> Vec<u8> {
    fs::read(fixtures::root().join("tour/bike-computer/evening-ride.tcx")).unwrap()
}

fn gzip(bytes: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The only original of a history.
fn original(history: &Path) -> Vec<u8> {
    let mut originals = tree(history).into_iter().filter(|(name, _)| name.starts_with("originals"));
    let (_, bytes) = originals.next().unwrap();
    assert!(originals.next().is_none());
    bytes
}

#[test]
fn the_compressed_form_of_the_smallest_name_is_kept_in_any_order() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    // Three forms of one content; the smallest name has neither the first place nor the smallest size.
    let forms = [("c.tcx.gz", gzip(&ride(), 9)), ("a.tcx.gz", gzip(&ride(), 3)), ("b.tcx.gz", gzip(&ride(), 6))];
    for (name, bytes) in &forms {
        fs::write(here.join(name), bytes).unwrap();
    }
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    let mut trees = Vec::new();
    for (at, (order, jobs)) in orders.into_iter().flat_map(|order| [(order, "1"), (order, "4")]).enumerate() {
        let into = format!("h{at}");
        let names = order.map(|form| forms[form].0);
        done(here, &["import", names[0], names[1], names[2], "--into", &into, "-j", jobs]);
        assert_eq!(original(&here.join(&into)), forms[1].1, "{order:?} -j {jobs}");
        trees.push(tree(&here.join(&into)));
    }
    assert!(trees.windows(2).all(|pair| pair[0] == pair[1]));
    done(here, &["verify", "h0"]);
}

#[test]
fn a_deflated_member_is_kept_without_compressing_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let mut archive = zip::ZipWriter::new(fs::File::create(here.join("a.zip")).unwrap());
    let how = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    archive.start_file("ride.tcx", how.compression_level(Some(9))).unwrap();
    archive.write_all(&ride()).unwrap();
    archive.finish().unwrap();
    done(here, &["import", "a.zip", "--into", "h"]);
    let kept = original(&here.join("h"));
    let mut deflate = ZlibEncoder::new(Vec::new(), Compression::new(9));
    deflate.write_all(&ride()).unwrap();
    let zlib = deflate.finish().unwrap();
    // RFC 1950: two bytes before the deflate stream and four behind it; RFC 1952: ten and eight.
    assert_eq!(kept[10..kept.len() - 8], zlib[2..zlib.len() - 4]);
    done(here, &["verify", "h"]);
    done(here, &["export", "h", "--to", "original", "--out", "back"]);
    assert_eq!(tree(&here.join("back")).into_iter().map(|(_, bytes)| bytes).collect::<Vec<_>>(), [ride()]);
}

#[test]
fn a_badly_compressed_text_is_compressed_anew() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let stored = gzip(&ride(), 0);
    fs::write(here.join("ride.tcx.gz"), &stored).unwrap();
    done(here, &["import", "ride.tcx.gz", "--into", "h"]);
    let kept = original(&here.join("h"));
    assert!(kept.len() < stored.len() / 5, "{} of {}", kept.len(), stored.len());
}
