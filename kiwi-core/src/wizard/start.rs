//! From a command as people write it to the program itself.

/// A program with its arguments, and the variables that were written before it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Start {
    pub(super) program: Vec<String>,
    pub(super) variables: Vec<(String, String)>,
}

/// Characters that only a shell understands.
const SHELL: [char; 14] = ['|', '&', ';', '<', '>', '$', '`', '(', ')', '*', '?', '~', '\n', '#'];

/// Takes a command apart. What needs a shell gets one, which is then replaced by the last program, so that signals reach that.
pub(super) fn parse(text: &str) -> Start {
    let text = text.trim();
    let text = text.strip_prefix("exec ").unwrap_or(text).trim();
    let simple = !text.contains(SHELL);
    let words = if simple { shell_words::split(text).unwrap_or_default() } else { Vec::new() };
    if words.is_empty() {
        return Start { program: ["sh", "-c"].map(str::to_owned).into_iter().chain([with_exec(text)]).collect(), variables: Vec::new() };
    }
    let mut start = Start::default();
    let mut words = words.into_iter().peekable();
    while let Some(word) = words.next_if(|word| matches!(word.as_str(), "env" | "cross-env" | "cross-env-shell") || assignment(word).is_some()) {
        start.variables.extend(assignment(&word).map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
    start.program = words.collect();
    start
}

/// `NAME=value` before a program.
fn assignment(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_once('=')?;
    let legal = !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    legal.then_some((name, value))
}

/// The last command of a line takes the shell's place.
fn with_exec(text: &str) -> String {
    // What stands in quotes is no part of the shell's language.
    let mut plain = String::with_capacity(text.len());
    let mut quote = None;
    for c in text.chars() {
        let masked = quote.is_some() || matches!(c, '"' | '\'');
        quote = match quote {
            Some(open) if open == c => None,
            None if matches!(c, '"' | '\'') => Some(c),
            other => other,
        };
        (0..c.len_utf8()).for_each(|_| {
            plain.push(if masked {
                '_'
            } else if c.is_ascii() {
                c
            } else {
                '_'
            })
        });
    }
    // A substitution is a part of a word; a group is a command of its own.
    let group = plain.replace("$(", "").contains('(');
    let at = [plain.rfind("&&").map(|at| at + 2), plain.rfind(';').map(|at| at + 1)].into_iter().flatten().max().unwrap_or(0);
    let (before, last) = text.split_at(at);
    let plain = plain[at..].trim();
    let last = last.trim();
    let compound = group || plain.contains(['|', '\n', '&']) || last.is_empty() || last.starts_with("exec ");
    let builtin = ["if ", "while ", "for ", "cd ", "export ", "set ", "source ", ". ", "{"].iter().any(|word| last.starts_with(word));
    if compound || builtin {
        return text.to_owned();
    }
    let assigned = last.split(' ').next().is_some_and(|word| assignment(word).is_some());
    if assigned && !last.contains(' ') {
        return text.to_owned();
    }
    let gap = if before.is_empty() { "" } else { " " };
    format!("{before}{gap}exec {}{last}", if assigned { "env " } else { "" })
}

/// The command of the `web` process of a Procfile, or of its only one.
pub(super) fn procfile(text: &str) -> Option<(String, String)> {
    let lines: Vec<_> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .filter_map(|line| line.split_once(':'))
        .map(|(name, command)| (name.trim().to_owned(), command.trim().to_owned()))
        .filter(|(name, command)| !name.is_empty() && !command.is_empty() && name != "release")
        .collect();
    let web = lines.iter().find(|(name, _)| name == "web").or_else(|| lines.iter().find(|(name, _)| name == "worker"));
    web.or(lines.first()).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_becomes_the_program_itself() {
        for (text, program) in [
            ("node server.js", vec!["node", "server.js"]),
            ("NODE_ENV=production node 'my server.js'", vec!["node", "my server.js"]),
            ("cross-env A=b node x.js", vec!["node", "x.js"]),
            ("exec ./run --now", vec!["./run", "--now"]),
            ("gunicorn app:app -b 0.0.0.0:$PORT", vec!["sh", "-c", "exec gunicorn app:app -b 0.0.0.0:$PORT"]),
            ("npm run migrate && node x.js", vec!["sh", "-c", "npm run migrate && exec node x.js"]),
            ("a | b", vec!["sh", "-c", "a | b"]),
            ("cd x; PORT=1 node y", vec!["sh", "-c", "cd x; exec env PORT=1 node y"]),
            ("gunicorn --bind 0.0.0.0:$PORT \"app:create_app()\"", vec!["sh", "-c", "exec gunicorn --bind 0.0.0.0:$PORT \"app:create_app()\""]),
            ("(a; b)", vec!["sh", "-c", "(a; b)"]),
            ("node 'unclosed", vec!["sh", "-c", "exec node 'unclosed"]),
        ] {
            assert_eq!(parse(text).program, program, "{text}");
        }
        assert_eq!(parse("NODE_ENV=production node x").variables, [("NODE_ENV".to_owned(), "production".to_owned())]);
    }

    #[test]
    fn the_web_process_is_taken_before_others() {
        assert_eq!(procfile("release: migrate\nworker: w\nweb: bin/serve"), Some(("web".to_owned(), "bin/serve".to_owned())));
        assert_eq!(procfile("# nothing\nworker: w"), Some(("worker".to_owned(), "w".to_owned())));
        assert_eq!(procfile("release: x"), None);
    }
}
