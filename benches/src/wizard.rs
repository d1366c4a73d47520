//! `kiwi dockerfile` beside `nixpacks plan`, over the projects of kiwi-core's own tests, and over a huge tree.

use crate::command::peak;
use crate::{median, row};
use kiwi_tests::command::Kiwi;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// How often each project is planned by each, in turn.
const TIMES: usize = 7;

pub(crate) fn measure() {
    let folder = tempfile::tempdir().unwrap();
    let kiwi = Kiwi::new();
    side_by_side(&kiwi, folder.path());
    huge(&kiwi, &folder.path().join("huge"));
}

fn side_by_side(kiwi: &Kiwi, folder: &Path) {
    let nixpacks = std::env::var("KIWI_NIXPACKS").unwrap_or_else(|_| "nixpacks".to_owned());
    if Command::new(&nixpacks).arg("--version").stdout(Stdio::null()).status().is_err() {
        row("`kiwi dockerfile` beside nixpacks", "not measured: `cargo install nixpacks`, or name it in KIWI_NIXPACKS");
        return;
    }
    let (mut ours, mut theirs, mut both) = (Vec::new(), Vec::new(), 0);
    let (mut we_plan, mut they_plan, mut all) = (0, 0, 0);
    for (name, project) in projects(folder) {
        let run = |mut command: Command| {
            let begin = Instant::now();
            let ok = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success();
            (ok, begin.elapsed().as_secs_f64() * 1000.0)
        };
        let plan = || {
            let mut command = Command::new(&nixpacks);
            command.arg("plan").arg(&project);
            command
        };
        let (mut our_times, mut their_times) = (Vec::new(), Vec::new());
        let (mut we, mut they) = (false, false);
        for _ in 0..TIMES {
            let (ok, took) = run(kiwi.command(&["dockerfile", project.to_str().unwrap()]));
            we = ok;
            our_times.push(took);
            let (ok, took) = run(plan());
            they = ok;
            their_times.push(took);
        }
        (all, we_plan, they_plan) = (all + 1, we_plan + usize::from(we), they_plan + usize::from(they));
        if we && they {
            both += 1;
            ours.push(median(&mut our_times));
            theirs.push(median(&mut their_times));
        } else if !we && they {
            row("planned by nixpacks alone", &name);
        }
    }
    let (ours, theirs) = (median(&mut ours), median(&mut theirs));
    row("projects planned by kiwi / by nixpacks / of", &format!("{we_plan} / {they_plan} / {all}"));
    row(
        &format!("`kiwi dockerfile` / `nixpacks plan`, process start included, medians over {both} projects"),
        &format!("{ours:.1} ms / {theirs:.1} ms = {:.2}", ours / theirs),
    );
}

/// The projects of kiwi-core's tests, written out.
fn projects(folder: &Path) -> Vec<(String, PathBuf)> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../kiwi-core/tests/wizard");
    let mut all: Vec<_> =
        std::fs::read_dir(fixtures).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|end| end == "txtar")).collect();
    all.sort();
    let written = all.iter().map(|path| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let root = folder.join(&name);
        let text = std::fs::read_to_string(path).unwrap();
        let mut parts = text.split("-- ");
        // What is chosen for the project stands before its first file.
        let app = parts.next().unwrap().lines().find_map(|line| line.strip_prefix("app: ").map(str::to_owned));
        for (file, content) in parts.filter_map(|part| part.split_once(" --\n")) {
            let file = root.join(file);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, content).unwrap();
        }
        (name, app.map_or(root.clone(), |app| root.join(app)))
    });
    written.collect()
}

/// A tree of 200,000 files, most of them deep below, some thousands in its root.
fn huge(kiwi: &Kiwi, root: &Path) {
    for directory in 0..400 {
        let directory = root.join(format!("src/part{}/of{directory}", directory % 20));
        std::fs::create_dir_all(&directory).unwrap();
        (0..480).for_each(|file| std::fs::write(directory.join(format!("file{file}.ts")), "").unwrap());
    }
    (0..8000).for_each(|file| std::fs::write(root.join(format!("page{file}.md")), "").unwrap());
    std::fs::write(root.join("README.md"), "").unwrap();
    let arguments = ["dockerfile", root.to_str().unwrap()];
    let measured = |what: &str| {
        let mut times: Vec<f64> = (0..11).map(|_| kiwi.run(&arguments).took.as_secs_f64() * 1000.0).collect();
        row(&format!("200,000 files, {what}: plan, median of 11"), &format!("{:.0} ms", median(&mut times)));
        row("its peak memory", &format!("{:.1} MiB", peak(kiwi, &arguments)));
    };
    measured("nothing to recognise, so that all that may be searched is");
    std::fs::write(root.join("package.json"), "{ \"scripts\": { \"start\": \"node server.js\" }, \"workspaces\": [\"src/*\"] }").unwrap();
    measured("a workspace of npm");
}
