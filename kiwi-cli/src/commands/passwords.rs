//! The file of first passwords: new, readable by its owner alone, and written before each account is made, so that no kill loses one.

use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::NewAccount;
use rand::Rng as _;
use secrecy::ExposeSecret as _;
use std::fs::{File, OpenOptions};
use std::io::{Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// 20 of 57 letters and digits are 116 bits.
const LENGTH: usize = 20;
/// Without those that people take for each other.
const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";

pub(super) struct Passwords {
    file: File,
    /// Where the last line began.
    last: u64,
}

impl Passwords {
    /// Makes the file; one that is there is never added to or replaced.
    pub(super) fn create(path: &Path) -> Result<Self> {
        let fail = |error| {
            Error::invalid("keep passwords", format!("{} cannot be made", path.display())).with_source(error).with_hint("name a file that does not exist yet")
        };
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(fail)?;
        writeln!(file, "username,password").map_err(fail)?;
        Ok(Self { file, last: 0 })
    }

    /// Gives an account its password, and keeps it.
    pub(super) fn give(&mut self, account: &mut NewAccount) -> Result<()> {
        let password = account.password.get_or_insert_with(|| {
            let mut random = rand::rng();
            let text: String = (0..LENGTH).map(|_| char::from(LETTERS[random.random_range(0..LETTERS.len())])).collect();
            text.into()
        });
        self.last = self.file.stream_position().map_err(broken)?;
        let quoted = format!("\"{}\"", password.expose_secret().replace('"', "\"\""));
        writeln!(self.file, "{},{quoted}", account.username).and_then(|()| self.file.sync_data()).map_err(broken)
    }

    /// Forgets the last one: its account was not made.
    pub(super) fn take_back(&mut self) -> Result<()> {
        if self.last == 0 {
            return Ok(());
        }
        self.file.set_len(self.last).and_then(|()| self.file.seek(std::io::SeekFrom::Start(self.last))).map_err(broken)?;
        self.last = 0;
        Ok(())
    }
}

fn broken(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Storage, "keep passwords", "the file of passwords cannot be written").with_source(error)
}
