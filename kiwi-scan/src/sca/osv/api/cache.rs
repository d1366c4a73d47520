//! Records that were fetched before, one file for each. One that changed since, or whose file is damaged, is fetched again.

use super::Named;
use crate::sca::osv::database::hash;
use crate::sca::osv::record::LARGEST_RECORD;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use url::Url;

pub(super) struct Cache {
    directory: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Kept<'a> {
    id: &'a str,
    modified: &'a str,
    #[serde(borrow)]
    record: &'a RawValue,
}

impl Cache {
    /// The part of the cache that is of one server: another may say other things under the same ids.
    pub(super) fn new(directory: &Path, base: &Url) -> Self {
        Self { directory: directory.join(format!("{:016x}", hash(base.as_str()))) }
    }

    fn place(&self, id: &str) -> PathBuf {
        self.directory.join(format!("{}.json", id.replace(':', "_")))
    }

    pub(super) fn get(&self, named: &Named) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(self.place(&named.id)).ok()?.take(2 * LARGEST_RECORD).read_to_end(&mut bytes).ok()?;
        let kept: Kept<'_> = serde_json::from_slice(&bytes).ok()?;
        (kept.id == named.id && Some(kept.modified) == named.modified.as_deref()).then(|| kept.record.get().as_bytes().to_vec())
    }

    /// A file that cannot be written costs the next scan a request, and nothing else.
    pub(super) fn put(&self, named: &Named, bytes: &[u8]) {
        let Some(modified) = &named.modified else { return };
        let Ok(record) = serde_json::from_slice(bytes) else { return };
        let Ok(text) = serde_json::to_vec(&Kept { id: &named.id, modified, record }) else { return };
        let place = self.place(&named.id);
        let part = place.with_extension(format!("{}.part", std::process::id()));
        let written = std::fs::create_dir_all(&self.directory).and_then(|()| std::fs::write(&part, text)).and_then(|()| std::fs::rename(&part, &place));
        if written.is_err() {
            // Nobody else knows of the half of it.
            drop(std::fs::remove_file(&part));
        }
    }
}
