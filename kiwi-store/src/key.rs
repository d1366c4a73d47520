//! Where the encryption key comes from: the environment, or a file that only its owner can read, never the data directory.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kiwi_core::error::{Error, ErrorKind, Result};
use secrecy::{ExposeSecret as _, SecretBox, SecretString};
use sha2::{Digest as _, Sha256};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// Where the key is.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// The key itself, in base64, as an environment variable holds it. Several, joined by commas, are the current one and older ones.
    Text(SecretString),
    /// A file, made with a new key when it is not there yet.
    File(PathBuf),
}

/// One key of 32 bytes.
pub(crate) struct Key {
    pub(crate) bytes: SecretBox<[u8; 32]>,
}

impl Key {
    /// Names the key without telling anything about it.
    pub(crate) fn id(&self) -> String {
        let hash = Sha256::new().chain_update(b"kiwi key id").chain_update(self.bytes.expose_secret()).finalize();
        hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    pub(crate) fn generate() -> Self {
        let mut bytes = [0; 32];
        rand::RngCore::fill_bytes(&mut rand::rng(), &mut bytes);
        Self { bytes: SecretBox::new(Box::new(bytes)) }
    }

    fn text(&self) -> SecretString {
        STANDARD.encode(self.bytes.expose_secret()).into()
    }

    fn parse(text: &str) -> Result<Self> {
        let bytes = STANDARD.decode(text.trim()).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        let malformed =
            || Error::new(ErrorKind::InvalidInput, "read key", "the key is not 32 bytes in base64").with_hint("make one with `openssl rand -base64 32`");
        Ok(Self { bytes: SecretBox::new(Box::new(bytes.ok_or_else(malformed)?)) })
    }
}

impl KeySource {
    /// The current key first, then older ones that a rotation has not finished with. A file that is not there is made. `data` is the directory of what
    /// the key protects, where that is a directory.
    pub(crate) fn read(&self, data: Option<&Path>) -> Result<Vec<Key>> {
        match self {
            Self::Text(text) => text.expose_secret().split(',').map(Key::parse).collect(),
            Self::File(path) => {
                if data.is_some_and(|data| path.starts_with(data)) {
                    return Err(Error::new(ErrorKind::InvalidInput, "read key", "the key lies in the data directory, beside what it protects")
                        .with_hint("choose a path elsewhere, so that a copy of the data is useless without it"));
                }
                let text = match fs::read_to_string(path) {
                    Ok(text) => text,
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                        let key = Key::generate();
                        write(path, &[&key], true)?;
                        return self.read(data);
                    }
                    Err(error) => return Err(file(path, error)),
                };
                let mode = fs::metadata(path).map_err(|error| file(path, error))?.permissions().mode();
                if mode & 0o077 != 0 {
                    return Err(Error::new(ErrorKind::Forbidden, "read key", format!("others can read {}", path.display()))
                        .with_hint(format!("run `chmod 600 {}`", path.display())));
                }
                text.lines().filter(|line| !line.trim().is_empty()).map(Key::parse).collect()
            }
        }
    }

    /// Puts a new key in front, keeping the others until everything is sealed anew.
    pub(crate) fn replace(&self, keys: &[&Key]) -> Result<()> {
        match self {
            Self::File(path) => write(path, keys, false),
            Self::Text(_) => Err(Error::new(ErrorKind::Unsupported, "rotate key", "the key comes from the environment, which Kiwi cannot change")
                .with_hint("set it to \"new,old\", run `kiwi key rotate`, then set it to \"new\"")),
        }
    }

    /// Whether there is no key yet, so that reading makes one.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, Self::File(path) if !path.exists())
    }

    pub(crate) fn is_text(&self) -> bool {
        matches!(self, Self::Text(_))
    }
}

/// The key that new values are sealed with.
pub(crate) fn current(keys: &[Key]) -> Result<&Key> {
    keys.first().ok_or_else(|| Error::new(ErrorKind::InvalidInput, "read key", "there is no key in the key file"))
}

fn write(path: &Path, keys: &[&Key], only_new: bool) -> Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|error| file(parent, error))?;
    }
    let temporary = path.with_extension(format!("new-{}", std::process::id()));
    let mut out = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary).map_err(|error| file(&temporary, error))?;
    for key in keys {
        writeln!(out, "{}", key.text().expose_secret()).map_err(|error| file(&temporary, error))?;
    }
    out.sync_all().map_err(|error| file(&temporary, error))?;
    // A link fails when another process made the first key meanwhile; then that one counts.
    let placed = if only_new { fs::hard_link(&temporary, path).and_then(|()| fs::remove_file(&temporary)) } else { fs::rename(&temporary, path) };
    match placed {
        Err(error) if only_new && error.kind() == std::io::ErrorKind::AlreadyExists => fs::remove_file(&temporary).map_err(|error| file(path, error)),
        result => result.map_err(|error| file(path, error)),
    }
}

fn file(path: &Path, error: std::io::Error) -> Error {
    Error::new(ErrorKind::Storage, "use key file", format!("{} cannot be used", path.display())).with_source(error)
}
