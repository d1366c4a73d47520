//! What the wizard recognises and does not handle, so that it can say so instead of "nothing".

use super::files::Files;

const BY_HAND: &str = "write a Dockerfile by hand";
const GENERATED: &str = "commit a Dockerfile that generates the site, or deliver the generated files as a static site with --app";

/// How a project shows: by a file's name, or by a name's end.
enum Mark {
    Name(&'static str),
    End(&'static str),
}

use Mark::{End, Name};

/// The most telling first: a site of MkDocs may hold scripts, a project of Perl no `mkdocs.yml`.
const KINDS: [(&str, &[Mark], &str); 14] = [
    ("a site of Hugo", &[Name("hugo.toml"), Name("hugo.yaml"), Name("hugo.json")], GENERATED),
    ("a site of MkDocs", &[Name("mkdocs.yml")], GENERATED),
    ("a project with a package.json5", &[Name("package.json5")], "write it as package.json, which Node.js and its package managers read"),
    ("written in Perl", &[Name("cpanfile"), Name("Makefile.PL"), End(".pl")], BY_HAND),
    ("written in R", &[Name("renv.lock"), End(".Rproj"), End(".R")], BY_HAND),
    ("written in Julia", &[Name("Project.toml"), End(".jl")], BY_HAND),
    ("written in OCaml", &[Name("dune-project"), End(".opam")], BY_HAND),
    ("written in Nim", &[End(".nimble"), End(".nim")], BY_HAND),
    ("written in Lua", &[End(".rockspec"), End(".lua")], BY_HAND),
    ("written in COBOL", &[End(".cbl"), End(".cob")], BY_HAND),
    ("written in Scheme or Lisp", &[End(".scm"), End(".asd"), End(".rkt")], BY_HAND),
    ("written in Objective-C", &[Name("Podfile"), End(".xcodeproj"), End(".m")], BY_HAND),
    ("configuration of Terraform", &[End(".tf")], "a configuration is applied, not delivered as a service"),
    (
        "described by a Compose file",
        &[Name("docker-compose.yml"), Name("docker-compose.yaml"), Name("compose.yml"), Name("compose.yaml")],
        "it says how images run together, not how they are built: register its images as a service with --image",
    ),
];

/// What the project is, the file that shows it, and what to do.
pub(super) fn recognise(files: &Files<'_>) -> Option<(&'static str, String, &'static str)> {
    KINDS.iter().find_map(|(what, marks, hint)| {
        let shown = marks.iter().find_map(|mark| match mark {
            Name(name) => files.has(name).then(|| (*name).to_owned()),
            End(end) => files.ending(end).first().map(|name| (*name).to_owned()),
        })?;
        Some((*what, shown, *hint))
    })
}
