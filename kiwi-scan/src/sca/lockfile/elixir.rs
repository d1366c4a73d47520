//! Mix.

use super::Contents;
use crate::sca::Ecosystem::Hex;

/// `mix.lock`: a map of Elixir from names to tuples.
pub(super) fn mix(text: &str) -> Result<Contents, String> {
    let Some(map) = text.trim_start().strip_prefix("%{") else { return Err("it is no map of Elixir's".to_owned()) };
    let mut contents = Contents::default();
    for (key, tuple) in entries(map).ok_or("it is malformed")? {
        match tuple.as_slice() {
            [":hex", name, version, rest @ ..] => {
                // Behind two checksums' names and the list of what it needs stands the repository; one of an organization is `hexpm:NAME`.
                let repository = rest.get(3).filter(|text| text.starts_with('"')).map(|text| text.trim_matches('"')).filter(|text| *text != "hexpm");
                contents.add_from(Hex, name.trim_start_matches(':').trim_matches('"'), version.trim_matches('"'), false, repository);
            }
            _ => contents.unknown.push(format!("{key} comes from a repository or a directory")),
        }
    }
    Ok(contents)
}

/// The keys of a map whose opening bracket is read already, each with the parts of its tuple; none when it does not end as a map does.
fn entries(map: &str) -> Option<Vec<(&str, Vec<&str>)>> {
    let (mut found, mut key, mut parts) = (Vec::new(), None, Vec::new());
    // How many brackets are open, and where the present part of a tuple begins.
    let (mut depth, mut begin, mut at) = (1_usize, 0, 0);
    while let Some(byte) = map.as_bytes().get(at) {
        match byte {
            b'"' => {
                let end = string_end(map, at)?;
                if depth == 1 && key.replace(&map[at + 1..end]).is_some() {
                    return None;
                }
                at = end;
            }
            b'#' => at += map[at..].find('\n').unwrap_or(map.len() - at),
            b'{' | b'[' | b'(' => {
                depth += 1;
                if depth == 2 {
                    begin = at + 1;
                }
            }
            b',' if depth == 2 => {
                parts.push(map[begin..at].trim());
                begin = at + 1;
            }
            b'}' | b']' | b')' => {
                depth -= 1;
                if depth == 0 {
                    return (map[at + 1..].trim().is_empty() && key.is_none()).then_some(found);
                }
                if depth == 1 {
                    parts.push(map[begin..at].trim());
                    found.push((key.take()?, std::mem::take(&mut parts)));
                }
            }
            b',' | b':' | b'=' | b'>' => {}
            other if depth > 1 || other.is_ascii_whitespace() => {}
            // Such as the marks of a merge.
            _ => return None,
        }
        at += 1;
    }
    None
}

/// Where a string ends that begins at a quote.
fn string_end(text: &str, begin: usize) -> Option<usize> {
    let mut escaped = false;
    let end = text.as_bytes()[begin + 1..].iter().position(|byte| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    });
    end.map(|end| begin + 1 + end)
}
