//! What stays out of the build's context.

/// Kept out of every build: history, secrets, and what describes the build itself.
const ALWAYS: [&str; 14] = [
    ".git",
    ".gitignore",
    ".github",
    ".gitlab-ci.yml",
    ".env*",
    "**/.env*",
    "!.env.example",
    "!**/.env.example",
    "Dockerfile*",
    ".dockerignore",
    "kiwi.toml",
    "**/*.log",
    "**/.DS_Store",
    "**/.idea",
];

/// A `.dockerignore` that also keeps out what the language leaves behind.
pub(super) fn render(of_language: &[&str]) -> String {
    let mut lines: Vec<&str> = ALWAYS.to_vec();
    lines.extend(of_language);
    lines.dedup();
    lines.join("\n") + "\n"
}
