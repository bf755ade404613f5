//! What the program is built from: only licences that its own allow, and nothing that could reach a network.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

/// Crates that open connections, or are only there for those that do.
const NETWORK: &[&str] = &[
    "async-std",
    "attohttpc",
    "curl",
    "curl-sys",
    "h2",
    "http",
    "hyper",
    "isahc",
    "mio",
    "minreq",
    "native-tls",
    "openssl",
    "openssl-sys",
    "quinn",
    "reqwest",
    "rustls",
    "smol",
    "socket2",
    "surf",
    "tokio",
    "tungstenite",
    "ureq",
    "url",
    "webpki",
];

/// Licences that go with MIT or Apache-2.0; a crate must offer one of them for each of its parts.
const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "ODbL-1.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Name and licence expression of everything that ends in the binary on this machine.
fn crates() -> Vec<(String, String)> {
    let run = |command: &mut Command| {
        let output = command.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let host = run(Command::new("rustc").arg("-vV"));
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned();
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let arguments = ["metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform", &host];
    let metadata: Value = serde_json::from_str(&run(Command::new(cargo).args(arguments))).unwrap();
    let nodes = metadata["resolve"]["nodes"].as_array().unwrap();
    let mut wanted = vec![metadata["resolve"]["root"].as_str().unwrap().to_owned()];
    let mut met = BTreeSet::new();
    while let Some(id) = wanted.pop() {
        if !met.insert(id.clone()) {
            continue;
        }
        let node = nodes.iter().find(|node| node["id"] == id.as_str()).unwrap();
        for dependency in node["deps"].as_array().unwrap() {
            // `kind` is null for what the binary is linked with, `dev` and `build` for the rest.
            let linked = dependency["dep_kinds"].as_array().unwrap().iter().any(|kind| kind["kind"].is_null());
            if linked {
                wanted.push(dependency["pkg"].as_str().unwrap().to_owned());
            }
        }
    }
    let packages = metadata["packages"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    packages
        .filter(|p| met.contains(p["id"].as_str().unwrap()))
        .map(|p| (text(&p["name"]), text(&p["license"])))
        .collect()
}

/// True when one of the alternatives of each part is allowed: `(MIT OR X) AND Y`.
fn is_allowed(licence: &str) -> bool {
    let plain = licence.replace(['(', ')'], "").replace('/', " OR ");
    let part_allowed = |part: &str| {
        part.split(" OR ").any(|one| LICENCES.contains(&one.split(" WITH ").next().unwrap_or_default().trim()))
    };
    plain.split(" AND ").all(part_allowed)
}

#[test]
fn the_binary_is_free_of_network_code_and_strange_licences() {
    let crates = crates();
    assert!(crates.len() > 30, "met only {} crates", crates.len());
    let network: Vec<_> = crates.iter().filter(|(name, _)| NETWORK.contains(&name.as_str())).collect();
    assert!(network.is_empty(), "{network:?}");
    let strange: Vec<_> = crates.iter().filter(|(_, licence)| !is_allowed(licence)).collect();
    assert!(strange.is_empty(), "{strange:?}");
}
