//! The files that a tool wrote.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

/// So many bytes of reports are read, of all files together.
pub(super) const LARGEST: u64 = 64 << 20;
/// So every report is named: a tool may leave other files beside it.
const PREFIX: &str = "report.";

/// The files that a tool wrote, by their names.
#[derive(Default)]
pub struct Reports {
    files: BTreeMap<String, Vec<u8>>,
    size: u64,
}

impl std::fmt::Debug for Reports {
    /// A report may show a secret that the tool found.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reports").field("files", &self.files.keys()).field("size", &self.size).finish()
    }
}

impl Reports {
    /// The content of a file.
    pub(super) fn get(&self, name: &str) -> Option<&[u8]> {
        self.files.get(name).map(Vec::as_slice)
    }

    /// The reports right in a directory; else why not.
    pub(super) fn read(directory: &Path) -> Result<Self, String> {
        let mut reports = Self::default();
        let entries = std::fs::read_dir(directory).map_err(|error| format!("its reports cannot be read: {error}"))?;
        for entry in entries.flatten() {
            let (Ok(kind), Some(name)) = (entry.file_type(), entry.file_name().to_str().map(str::to_owned)) else { continue };
            if kind.is_file() && name.starts_with(PREFIX) {
                let file = std::fs::File::open(entry.path()).map_err(|error| format!("its reports cannot be read: {error}"))?;
                reports.add(name, file)?;
            }
        }
        Ok(reports)
    }

    /// The reports right in the one directory that a tar archive holds; else why not.
    pub(super) fn unpack(archive: &[u8]) -> Result<Self, String> {
        let fail = |error: std::io::Error| format!("its reports came as a broken archive: {error}");
        let mut reports = Self::default();
        for entry in tar::Archive::new(archive).entries().map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let path = entry.path().map_err(fail)?.into_owned();
            let parts: Vec<_> = path.iter().filter_map(|part| part.to_str()).filter(|part| *part != ".").collect();
            if let ([_, name], true) = (parts.as_slice(), entry.header().entry_type().is_file())
                && name.starts_with(PREFIX)
            {
                let name = (*name).to_owned();
                reports.add(name, entry)?;
            }
        }
        Ok(reports)
    }

    fn add(&mut self, name: String, from: impl std::io::Read) -> Result<(), String> {
        let mut bytes = Vec::new();
        let left = LARGEST.saturating_sub(self.size);
        let read = from.take(left + 1).read_to_end(&mut bytes);
        read.map_err(|error| format!("its report {name} cannot be read: {error}"))?;
        if bytes.len() as u64 > left {
            return Err(too_large());
        }
        self.size += bytes.len() as u64;
        self.files.insert(name, bytes);
        Ok(())
    }
}

/// What is said of reports that are larger than the limit.
pub(super) fn too_large() -> String {
    format!("its reports are larger than {} MiB", LARGEST >> 20)
}

/// The size of what is in a directory so far, for a tool that is still writing.
pub(super) fn size(directory: &Path) -> u64 {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_gives_the_files_of_its_directory_alone() {
        let mut archive = tar::Builder::new(Vec::new());
        for path in ["out/report.json", "out/deep/report.json", "out/other", "report.json"] {
            let mut header = tar::Header::new_gnu();
            header.set_size(2);
            archive.append_data(&mut header, path, b"{}".as_slice()).unwrap();
        }
        let bytes = archive.into_inner().unwrap();
        let reports = Reports::unpack(&bytes).unwrap();
        assert_eq!(reports.files.keys().collect::<Vec<_>>(), ["report.json"]);
        assert!(Reports::unpack(&bytes[..700]).is_err() && Reports::unpack(b"no archive, though it is long").is_err());
    }
}
