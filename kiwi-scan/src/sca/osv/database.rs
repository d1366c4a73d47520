//! The index: one file for each ecosystem, sorted by a hash of the package's name.
//!
//! A file is a line that names the format, the number of packages, one row for each (hash, offset, length), and then the advisories of each package as
//! JSON. Opening reads the rows alone: 20 bytes for each package.

use super::record::{Advisory, LARGEST_RECORD, Record, advisories};
use crate::sca::Ecosystem;
use kiwi_core::domain::Timestamp;
use kiwi_core::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The first bytes of an index; another format is another name.
const FORMAT: &[u8; 16] = b"kiwi-osv-index1\n";
/// Bytes of one row.
const ROW: usize = 20;

/// What the database has of an ecosystem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// When it was fetched.
    pub updated_at: Timestamp,
    /// How many records it has.
    pub records: u64,
    /// Records that could not be read.
    #[serde(default)]
    pub unread: u64,
}

/// A directory with one index for each ecosystem.
#[derive(Debug, Clone)]
pub struct Database {
    directory: PathBuf,
    holdings: BTreeMap<String, Holding>,
}

impl Database {
    /// Opens the database in a directory; one that is not there has nothing.
    ///
    /// Errors: `Storage` when it cannot be read.
    pub fn open(directory: &Path) -> Result<Self> {
        let holdings = match std::fs::read(directory.join("holdings.json")) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| broken("holdings.json is malformed").with_source(error))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(broken("holdings.json cannot be read").with_source(error)),
        };
        Ok(Self { directory: directory.to_owned(), holdings })
    }

    /// What it has of an ecosystem, if anything.
    pub fn holding(&self, ecosystem: Ecosystem) -> Option<&Holding> {
        self.holdings.get(ecosystem.as_str()).filter(|holding| holding.records > 0)
    }

    fn place(&self, ecosystem: Ecosystem) -> PathBuf {
        self.directory.join(format!("{}.index", ecosystem.as_str()))
    }

    /// Replaces what it has of an ecosystem by the records that `next` hands out, each as JSON. Without one about a package of the ecosystem, nothing is
    /// replaced: no registry is without any.
    pub(super) fn replace(
        &mut self,
        ecosystem: Ecosystem,
        fetched_at: Timestamp,
        mut next: impl FnMut(&mut Vec<u8>) -> std::io::Result<bool>,
        mut told: impl FnMut(u64),
    ) -> Result<Holding> {
        let failed = |error: std::io::Error| broken("the index cannot be written").with_source(error);
        let mut packages: HashMap<String, Vec<u8>> = HashMap::new();
        let mut holding = Holding { updated_at: fetched_at, records: 0, unread: 0 };
        let mut bytes = Vec::new();
        while {
            bytes.clear();
            next(&mut bytes).map_err(failed)?
        } {
            // One strange record never spoils the others; how many there were is said.
            let Some(record) = serde_json::from_slice::<Record>(&bytes).ok().filter(|_| bytes.len() as u64 <= LARGEST_RECORD) else {
                holding.unread += 1;
                continue;
            };
            holding.records += 1;
            if holding.records.is_multiple_of(1000) {
                told(holding.records);
            }
            for (name, advisory) in advisories(record, ecosystem) {
                let of_package = packages.entry(name).or_default();
                of_package.push(if of_package.is_empty() { b'[' } else { b',' });
                serde_json::to_writer(&mut *of_package, &advisory).map_err(|error| failed(error.into()))?;
            }
        }
        if packages.is_empty() {
            let (name, unread) = (ecosystem.as_str(), if holding.unread == 0 { String::new() } else { format!("; {} could not be read", holding.unread) });
            let message = format!("the source has no records of {name}{unread}");
            let hint = "is it OSV's, or a copy of it? what was fetched before is kept; --ecosystems names those that a copy has";
            return Err(Error::new(ErrorKind::Protocol, "read vulnerability database", message).with_hint(hint));
        }
        let mut rows: Vec<(u64, String)> = packages.keys().map(|name| (hash(name), name.clone())).collect();
        rows.sort_unstable();
        std::fs::create_dir_all(&self.directory).map_err(failed)?;
        // A reader sees the old file or the new one, never a half.
        let part = self.place(ecosystem).with_extension("part");
        let mut file = BufWriter::new(File::create(&part).map_err(failed)?);
        file.write_all(FORMAT).and_then(|()| file.write_all(&(rows.len() as u64).to_le_bytes())).map_err(failed)?;
        let mut offset = (FORMAT.len() + 8 + rows.len() * ROW) as u64;
        for (hash, name) in &rows {
            // The name, its line end, the advisories, and the bracket that closes them.
            let length = (name.len() + packages[name].len() + 2) as u64;
            file.write_all(&hash.to_le_bytes()).and_then(|()| file.write_all(&offset.to_le_bytes())).map_err(failed)?;
            file.write_all(&u32::try_from(length).map_err(|_| broken("a package has too many records"))?.to_le_bytes()).map_err(failed)?;
            offset += length;
        }
        for (_, name) in &rows {
            for part in [name.as_bytes(), b"\n", &packages[name], b"]"] {
                file.write_all(part).map_err(failed)?;
            }
        }
        let file = file.into_inner().map_err(|error| failed(error.into_error()))?;
        file.sync_all().and_then(|()| std::fs::rename(&part, self.place(ecosystem))).map_err(failed)?;
        self.holdings.insert(ecosystem.as_str().to_owned(), holding.clone());
        let text = serde_json::to_vec_pretty(&self.holdings).unwrap_or_default();
        let part = self.directory.join("holdings.part");
        std::fs::write(&part, text).and_then(|()| std::fs::rename(&part, self.directory.join("holdings.json"))).map_err(failed)?;
        Ok(holding)
    }

    /// The advisories of packages by their normalized names.
    pub(in crate::sca) fn advisories<'n>(&self, ecosystem: Ecosystem, names: impl Iterator<Item = &'n str>) -> Result<HashMap<&'n str, Vec<Advisory>>> {
        let failed = |error: std::io::Error| broken(&format!("the index of {} cannot be read", ecosystem.as_str())).with_source(error);
        let mut file = File::open(self.place(ecosystem)).map_err(failed)?;
        let mut head = [0; FORMAT.len() + 8];
        file.read_exact(&mut head).map_err(failed)?;
        if head[..FORMAT.len()] != *FORMAT {
            return Err(broken(&format!("the index of {} is of another format", ecosystem.as_str())));
        }
        let count = usize::try_from(u64::from_le_bytes(head[FORMAT.len()..].try_into().unwrap_or_default())).unwrap_or(0);
        let size = file.metadata().map_err(failed)?.len();
        if count as u64 * ROW as u64 > size {
            return Err(broken(&format!("the index of {} is cut", ecosystem.as_str())));
        }
        let mut rows = vec![0; count * ROW];
        file.read_exact(&mut rows).map_err(failed)?;
        let (rows, _) = rows.as_chunks::<ROW>();
        let of = |row: &[u8; ROW]| u64::from_le_bytes(row[..8].try_into().unwrap_or_default());
        let mut found = HashMap::new();
        for name in names {
            let wanted = hash(name);
            let first = rows.partition_point(|row| of(row) < wanted);
            for row in rows[first..].iter().take_while(|row| of(row) == wanted) {
                let offset = u64::from_le_bytes(row[8..16].try_into().unwrap_or_default());
                let length = u32::from_le_bytes(row[16..].try_into().unwrap_or_default());
                if offset + u64::from(length) > size {
                    return Err(broken(&format!("the index of {} is cut", ecosystem.as_str())));
                }
                let mut bytes = vec![0; length as usize];
                file.seek(SeekFrom::Start(offset)).and_then(|_| file.read_exact(&mut bytes)).map_err(failed)?;
                // Two names may share a hash: each entry begins with its own.
                let Some(rest) = bytes.strip_prefix(name.as_bytes()).and_then(|rest| rest.strip_prefix(b"\n")) else { continue };
                let advisories =
                    serde_json::from_slice(rest).map_err(|error| broken(&format!("the index of {} is damaged", ecosystem.as_str())).with_source(error))?;
                found.insert(name, advisories);
            }
        }
        Ok(found)
    }
}

/// FNV-1a: the same on every machine and in every version.
pub(super) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn broken(what: &str) -> Error {
    Error::new(ErrorKind::Storage, "read vulnerability database", what.to_owned()).with_hint("fetch it anew with `kiwi scan --update`")
}
