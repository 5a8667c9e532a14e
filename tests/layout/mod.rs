//! The house keeps its shape: floors import downwards only, every file says what it is for, and none grows too big.

use std::fs;
use std::path::{Path, PathBuf};

/// Lines that a file may have.
const LINES_MAX: usize = 400;

/// What the files of each part must not speak of: the parts above it, and what its floor has no business with.
const FORBIDDEN: &[(&str, &[&str])] = &[
    (
        "aggregates/src",
        &[
            "offshoot_projections",
            "offshoot::",
            "rusqlite",
            "tokio::",
            "std::fs",
            "std::net",
            "std::env",
            "Timestamp::now",
            "SystemTime",
            "Instant::now",
            "new_v4",
            "now_v7",
            "rand::",
        ],
    ),
    (
        "projections/src",
        &[
            "offshoot::",
            "tokio::",
            "std::fs",
            "std::net",
            "std::env",
            "Timestamp::now",
            "SystemTime",
            "Instant::now",
            "new_v4",
            "now_v7",
            "rand::",
        ],
    ),
    ("src/event_log", &["crate::commands", "crate::read_models", "crate::workers", "crate::http", "crate::cli"]),
    ("src/commands", &["crate::read_models", "crate::workers", "crate::http", "crate::cli", "offshoot_projections"]),
    ("src/read_models", &["crate::commands", "crate::workers", "crate::http", "crate::cli"]),
    ("src/flags", &["crate::commands", "crate::workers", "crate::http", "crate::cli"]),
    ("src/workers", &["crate::http", "crate::cli"]),
    ("src/http", &["crate::cli", "crate::workers", "crate::console"]),
    ("src/console", &["crate::cli", "crate::workers"]),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).expect("the directory is there") {
        let path = entry.expect("the entry is there").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

fn all_files() -> Vec<(String, String)> {
    let folders = ["aggregates/src", "aggregates/tests", "projections/src", "projections/tests", "src", "tests"];
    let files: Vec<_> = folders.iter().flat_map(|folder| rust_files(&root().join(folder))).collect();
    assert!(files.len() > 50, "the files were not found");
    let read = |path: PathBuf| {
        let name = path.strip_prefix(root()).expect("a file of ours").display().to_string();
        (name, fs::read_to_string(&path).expect("a text"))
    };
    files.into_iter().map(read).collect()
}

#[test]
fn every_file_opens_by_saying_what_it_is_for() {
    let silent: Vec<_> =
        all_files().into_iter().filter(|(_, text)| !text.starts_with("//! ")).map(|(name, _)| name).collect();
    assert!(silent.is_empty(), "no `//!` line first: {silent:#?}");
}

#[test]
fn no_file_is_longer_than_the_limit() {
    let lines = |(name, text): (String, String)| (name, text.lines().count());
    let long: Vec<_> = all_files().into_iter().map(lines).filter(|(_, lines)| *lines > LINES_MAX).collect();
    assert!(long.is_empty(), "over {LINES_MAX} lines: {long:#?}");
}

#[test]
fn no_part_speaks_of_the_parts_above_it() {
    let mut found = Vec::new();
    for (name, text) in all_files() {
        let rules = FORBIDDEN.iter().filter(|(part, _)| name.starts_with(part));
        for word in rules.flat_map(|(_, words)| words.iter()) {
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            found.extend(code.filter(|line| line.contains(word)).map(|line| format!("{name}: {}", line.trim())));
        }
    }
    assert!(found.is_empty(), "imports upwards, or what the floor has no business with: {found:#?}");
}

#[test]
fn the_clock_is_read_in_one_place_and_by_the_log() {
    let reads_clock = |text: &str| text.contains("Timestamp::now(") || text.contains("SystemTime::now(");
    let allowed =
        |name: &str| name == "src/clock.rs" || name.starts_with("src/event_log/") || name.starts_with("tests/");
    let others: Vec<_> = all_files()
        .into_iter()
        .filter(|(name, text)| !allowed(name) && reads_clock(text))
        .map(|(name, _)| name)
        .collect();
    assert!(others.is_empty(), "read the clock through src/clock.rs: {others:#?}");
}

#[test]
fn no_folder_or_file_has_a_name_that_says_nothing() {
    let says_nothing = |name: &str| {
        Path::new(name).components().any(|part| {
            matches!(
                part.as_os_str().to_str(),
                Some("utils.rs" | "helpers.rs" | "manager.rs" | "common.rs" | "utils" | "helpers" | "common")
            )
        })
    };
    let names: Vec<_> = all_files().into_iter().map(|(name, _)| name).filter(|name| says_nothing(name)).collect();
    assert!(names.is_empty(), "{names:#?}");
}
