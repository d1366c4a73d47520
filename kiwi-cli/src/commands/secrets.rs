//! Secrets from standard input and variables from files: never from an argument, which every process list shows.

use kiwi_core::domain::VariableName;
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::secret::SecretString;
use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Read as _};
use std::path::Path;

/// Larger inputs are not secrets.
const LARGEST: u64 = 1 << 20;

/// All of standard input as one secret, without the line end that editors and `echo` add.
pub(super) fn one(what: &str) -> Result<SecretString> {
    let text = read(what)?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err(Error::invalid("read secret", format!("standard input holds no {what}"))
            .with_hint(format!("pipe it in, for example: printf %s \"$VALUE\" | kiwi ... (for the {what})")));
    }
    Ok(text.to_owned().into())
}

/// Secrets by name, in the order of the names.
pub(super) fn named(names: &[VariableName]) -> Result<BTreeMap<VariableName, SecretString>> {
    Ok(names.iter().cloned().zip(lines(names.len())?).collect())
}

/// One secret takes all of standard input; several take a line each.
pub(super) fn lines(count: usize) -> Result<Vec<SecretString>> {
    match count {
        0 => Ok(Vec::new()),
        1 => Ok(vec![one("secret's value")?]),
        _ => {
            let text = read("secrets")?;
            let lines: Vec<_> = text.lines().collect();
            if lines.len() != count || lines.iter().any(|line| line.is_empty()) {
                return Err(Error::invalid("read secret", format!("standard input holds {} lines for {count} secrets", lines.len()))
                    .with_hint("write one line for each secret, in their order"));
            }
            Ok(lines.into_iter().map(|line| line.to_owned().into()).collect())
        }
    }
}

fn read(what: &str) -> Result<String> {
    let input = std::io::stdin();
    if input.is_terminal() {
        crate::output::note(&format!("reading the {what} from standard input; end with Ctrl-D"));
    }
    let mut bytes = Vec::new();
    input
        .lock()
        .take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Error::new(ErrorKind::Unavailable, "read secret", "standard input cannot be read").with_source(error))?;
    if bytes.len() as u64 > LARGEST {
        return Err(Error::invalid("read secret", "standard input holds more than 1 MiB"));
    }
    String::from_utf8(bytes).map_err(|_| Error::invalid("read secret", "standard input is not UTF-8"))
}

/// `NAME=VALUE` lines; empty lines and comments are skipped.
pub(super) fn env_file(path: &Path) -> Result<BTreeMap<VariableName, String>> {
    let text = text_file(path)?;
    let mut variables = BTreeMap::new();
    for (index, line) in text.lines().enumerate().map(|(index, line)| (index + 1, line.trim())) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let fail = |problem: &str| Error::invalid("read env file", format!("{}:{index}: {problem}", path.display()));
        let (name, value) = line.strip_prefix("export ").unwrap_or(line).split_once('=').ok_or_else(|| fail("is not NAME=VALUE"))?;
        let name: VariableName = name.trim().parse().map_err(|_| fail("has no legal name before the ="))?;
        let quoted = |quote: char| value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
        variables.insert(name, quoted('"').or_else(|| quoted('\'')).unwrap_or(value).to_owned());
    }
    Ok(variables)
}

pub(super) fn text_file(path: &Path) -> Result<String> {
    let fail = |error: std::io::Error| Error::invalid("read file", format!("{} cannot be read", path.display())).with_source(error);
    let mut text = String::new();
    std::fs::File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_string(&mut text)).map_err(fail)?;
    if text.len() as u64 > LARGEST {
        return Err(Error::invalid("read file", format!("{} is larger than 1 MiB", path.display())));
    }
    Ok(text)
}
