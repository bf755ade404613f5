//! Every cap that guards against hostile or broken input, in one place.

/// Resource limits. Declared sizes in a file are hints; these are what really stops a reader.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Bytes of one source after expansion (`--max-entry`).
    pub entry_bytes: u64,
    /// Expanded over compressed size, enforced once an expansion is above 1 MiB (`--max-ratio`).
    pub expansion_ratio: u64,
    /// Entries of one archive (`--max-entries`).
    pub archive_entries: u64,
    /// Archives inside archives (`--max-nesting`); 0 reads no archive inside an archive.
    pub nested_archives: u32,
    /// Unpacked bytes of all archives inside archives of a run (`--max-spool`): temporary disk space.
    pub spool_bytes: u64,
    /// Bytes of a whole run after expansion; `None` is off (`--max-total`).
    pub total_bytes: Option<u64>,
    /// Samples of one activity (`--max-samples`).
    pub samples: usize,
    /// Nesting of JSON values.
    pub json_depth: usize,
    /// Nesting of XML elements.
    pub xml_depth: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            entry_bytes: 256 << 20,
            expansion_ratio: 200,
            archive_entries: 1_000_000,
            nested_archives: 2,
            spool_bytes: 8 << 30,
            total_bytes: None,
            samples: 20_000_000,
            json_depth: 64,
            xml_depth: 64,
        }
    }
}
