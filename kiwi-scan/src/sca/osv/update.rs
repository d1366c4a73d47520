//! Fetching the database: one zip of records for each ecosystem (<https://google.github.io/osv.dev/data/>).

use super::database::{Database, Holding};
use super::record::LARGEST_RECORD;
use crate::sca::Ecosystem;
use kiwi_core::domain::Timestamp;
use kiwi_core::error::{Error, ErrorKind, Result};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;
use url::Url;

/// Where OSV publishes its records.
pub const SOURCE: &str = "https://osv-vulnerabilities.storage.googleapis.com/";
/// The largest zip; npm's, the largest, is under a tenth of it.
const LARGEST_ZIP: u64 = 4 << 30;
/// What all records of a zip may unpack to, and how many times the zip that may be beyond some megabytes; records shrink to a tenth.
const LARGEST_CONTENT: u64 = 8 << 30;
const MOST_TIMES: u64 = 50;
/// How long nothing may come.
const STALL: Duration = Duration::from_secs(30);
/// How often a fetch is begun.
const ATTEMPTS: u32 = 4;

/// How far an update is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// So many bytes came, of so many where the server says.
    Fetching {
        /// Of which ecosystem.
        ecosystem: Ecosystem,
        /// Bytes so far.
        current: u64,
        /// Bytes in all.
        total: Option<u64>,
    },
    /// So many records were indexed.
    Indexing {
        /// Of which ecosystem.
        ecosystem: Ecosystem,
        /// Records so far.
        records: u64,
    },
}

/// Fetches the records of an ecosystem from `source` and replaces what the database in `directory` has of it. The source is a URL below which
/// `ECOSYSTEM/all.zip` lies, or a `file:` URL of a directory with the same, or with the records themselves as `ECOSYSTEM/*.json`.
///
/// Blocks. The database is as it was when it fails.
pub fn update(directory: &Path, source: &Url, ecosystem: Ecosystem, told: &dyn Fn(Progress)) -> Result<Holding> {
    let mut database = Database::open(directory)?;
    let now = Timestamp::now();
    if let Ok(place) = source.to_file_path() {
        let of_ecosystem = place.join(ecosystem.as_str());
        let zip = of_ecosystem.join("all.zip");
        if zip.is_file() {
            let file = File::open(&zip).map_err(|error| unread(&zip, error))?;
            return from_zip(&mut database, ecosystem, now, file, told);
        }
        return from_directory(&mut database, ecosystem, now, &of_ecosystem, told);
    }
    let mut file = temporary(directory)?;
    let mut pause = Duration::from_millis(500);
    for attempt in 1.. {
        file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0))).map_err(|error| unread(directory, error))?;
        match fetch(source, ecosystem, &mut file, told) {
            Ok(()) => break,
            Err(error) if attempt == ATTEMPTS || !error.1 => return Err(error.0),
            Err(_) => {
                std::thread::sleep(pause);
                pause *= 2;
            }
        }
    }
    file.seek(SeekFrom::Start(0)).map_err(|error| unread(directory, error))?;
    from_zip(&mut database, ecosystem, now, file, told)
}

fn temporary(directory: &Path) -> Result<File> {
    std::fs::create_dir_all(directory).map_err(|error| unread(directory, error))?;
    let place = directory.join("fetched.part");
    let file = File::options().read(true).write(true).create(true).truncate(true).open(&place).map_err(|error| unread(&place, error))?;
    // Nobody else needs its name, and nothing is left when this process ends.
    std::fs::remove_file(&place).map_err(|error| unread(&place, error))?;
    Ok(file)
}

/// The error says whether another attempt may help.
fn fetch(source: &Url, ecosystem: Ecosystem, file: &mut File, told: &dyn Fn(Progress)) -> std::result::Result<(), (Error, bool)> {
    let failed = |kind, message: String| Error::new(kind, "fetch vulnerability database", message);
    let base = if source.path().ends_with('/') { source.clone() } else { format!("{source}/").parse().unwrap_or_else(|_| source.clone()) };
    let url =
        base.join(&format!("{}/all.zip", ecosystem.as_str())).map_err(|_| (failed(ErrorKind::InvalidInput, format!("{source} is no base of URLs")), false))?;
    let unreachable = |error: reqwest::Error| {
        let error = error.without_url();
        let hint = "check network and proxy; `--database-source file:///DIRECTORY` reads a copy that was fetched elsewhere";
        (failed(ErrorKind::Unavailable, format!("{} cannot be reached: {error}", base.host_str().unwrap_or_default())).with_hint(hint), true)
    };
    // The limit is of each read.
    let client = reqwest::blocking::Client::builder()
        .connect_timeout(Duration::from_secs(10))
        .timeout(STALL)
        .user_agent(concat!("kiwi/", env!("CARGO_PKG_VERSION")))
        .build();
    let mut answer = client.and_then(|client| client.get(url.clone()).send()).map_err(unreachable)?;
    let status = answer.status();
    if !status.is_success() {
        let again = status.is_server_error() || status.as_u16() == 429;
        return Err((
            failed(ErrorKind::Unavailable, format!("{url} answered {status}")).with_hint("try again later, or use a mirror with --database-source"),
            again,
        ));
    }
    let total = answer.content_length();
    let (mut current, mut buffer) = (0, vec![0; 64 * 1024]);
    loop {
        let read = match answer.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) => return Err((failed(ErrorKind::Unavailable, format!("{url} broke off after {current} bytes")).with_source(error), true)),
        };
        current += read as u64;
        if current > LARGEST_ZIP {
            return Err((failed(ErrorKind::Protocol, format!("{url} is larger than {} GiB", LARGEST_ZIP >> 30)), false));
        }
        file.write_all(&buffer[..read])
            .map_err(|error| (failed(ErrorKind::Storage, "the fetched records cannot be written".to_owned()).with_source(error), false))?;
        told(Progress::Fetching { ecosystem, current, total });
    }
    if total.is_some_and(|total| total != current) {
        return Err((failed(ErrorKind::Unavailable, format!("{url} broke off after {current} bytes")), true));
    }
    Ok(())
}

fn from_zip(database: &mut Database, ecosystem: Ecosystem, now: Timestamp, file: File, told: &dyn Fn(Progress)) -> Result<Holding> {
    let malformed = |error: zip::result::ZipError| {
        Error::new(ErrorKind::Protocol, "read vulnerability database", format!("the records of {} are no zip", ecosystem.as_str()))
            .with_source(error)
            .with_hint("is the source OSV's, or a copy of it?")
    };
    let size = file.metadata().map_or(0, |metadata| metadata.len());
    let largest = LARGEST_CONTENT.min((64 << 20) + MOST_TIMES * size);
    let mut archive = zip::ZipArchive::new(std::io::BufReader::new(file)).map_err(malformed)?;
    let (mut index, mut content) = (0, 0);
    let next = |bytes: &mut Vec<u8>| {
        while index < archive.len() {
            let entry = archive.by_index(index).map_err(std::io::Error::other)?;
            index += 1;
            if !entry.name().is_ok_and(|name| name.ends_with(".json")) {
                continue;
            }
            content += entry.take(LARGEST_RECORD + 1).read_to_end(bytes)? as u64;
            if content > largest {
                return Err(std::io::Error::other("the zip unpacks to more than any database is"));
            }
            return Ok(true);
        }
        Ok(false)
    };
    database.replace(ecosystem, now, next, |records| told(Progress::Indexing { ecosystem, records }))
}

fn from_directory(database: &mut Database, ecosystem: Ecosystem, now: Timestamp, place: &Path, told: &dyn Fn(Progress)) -> Result<Holding> {
    let entries = std::fs::read_dir(place).map_err(|error| unread(place, error))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "json")).collect();
    paths.sort();
    let mut paths = paths.into_iter();
    let next = |bytes: &mut Vec<u8>| match paths.next() {
        Some(path) => File::open(path)?.take(LARGEST_RECORD + 1).read_to_end(bytes).map(|_| true),
        None => Ok(false),
    };
    database.replace(ecosystem, now, next, |records| told(Progress::Indexing { ecosystem, records }))
}

fn unread(place: &Path, error: std::io::Error) -> Error {
    Error::new(ErrorKind::Storage, "read vulnerability database", format!("{} cannot be used", place.display())).with_source(error)
}
