//! Whatever the umask, what the program makes can be written by its user, and read by others only as far as the umask lets
//! them.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_tests::pictures;
use chaffinch_tests::sandbox::{Ran, Sandbox};
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use walkdir::WalkDir;

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Runs the program under a umask, with these lines typed into it.
fn run(sandbox: &Sandbox, mask: &str, args: &[&str], lines: &str) {
    let command = sandbox.command(args);
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("umask {mask}; exec \"$0\" \"$@\"")]);
    shell.arg(command.get_program()).args(command.get_args());
    shell.env_clear().envs(sandbox.environment()).current_dir(sandbox.path());
    shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = shell.spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!(ran.code, 0, "{args:?}: {}", ran.stderr);
}

/// Everything that is not the dataset, with its mode.
fn made(sandbox: &Sandbox) -> Vec<(PathBuf, u32)> {
    let inside = WalkDir::new(sandbox.path()).min_depth(1).into_iter().map(Result::unwrap);
    let own = |path: &Path| path.starts_with(sandbox.data());
    let mode = |path: PathBuf| {
        let mode = fs::symlink_metadata(&path).unwrap().permissions().mode();
        (path, mode)
    };
    inside.map(walkdir::DirEntry::into_path).filter(|path| !own(path)).map(mode).collect()
}

#[test]
fn nobody_else_can_write_to_what_is_made_and_a_strict_umask_is_kept() {
    // A mask, and what no file may have under it.
    for (mask, forbidden) in [("000", 0o002), ("022", 0o022), ("077", 0o077)] {
        let sandbox = Sandbox::new();
        pictures::dataset(&sandbox.data(), 2, 4, 24);
        let before: Vec<PathBuf> = made(&sandbox).into_iter().map(|(path, _)| path).collect();
        let (data, session) = (sandbox.data(), sandbox.session());
        let at = |name: &str| sandbox.path().join(name);
        run(&sandbox, mask, &["scan", text(&data), "--session", text(&session)], "");
        let lines = "T\ngo 1\nx\ngo 2\nrelabel bird\nyes\ngo 3\na\nq\n";
        run(&sandbox, mask, &["open", "--plain", text(&session)], lines);
        let export = |format: &str, name: &str, more: &[&str]| {
            let output = at(name);
            let words = ["export", text(&session), "--format", format, "--output", text(&output)];
            run(&sandbox, mask, &[&words, more].concat(), "");
        };
        export("manifest", "clean.csv", &[]);
        export("cleaned", "clean", &["--copy", "copy"]);
        run(&sandbox, mask, &["report", text(&session), "--output", text(&at("report.html"))], "");
        run(&sandbox, mask, &["plan", text(&session), "--output", text(&at("plan.json"))], "");
        run(&sandbox, mask, &["apply", text(&at("plan.json")), "--output", text(&at("applied"))], "");
        let all: Vec<(PathBuf, u32)> =
            made(&sandbox).into_iter().filter(|(path, _)| !before.contains(path)).collect();
        assert!(all.len() > 20, "{all:?}");
        for (path, mode) in &all {
            // The links in a copy have no modes of their own, and files that were copied keep theirs.
            let copied = path.starts_with(at("clean")) || path.starts_with(at("applied"));
            let counts = mode & 0o170_000 != 0o120_000 && !(copied && path.is_file());
            assert!(!counts || mode & forbidden == 0, "umask {mask}: {} has {mode:o}", path.display());
        }
        let decisions = session.join("decisions");
        let private = all.iter().filter(|(path, _)| path.starts_with(&decisions));
        assert!(private.clone().count() >= 2, "{all:?}");
        for (path, mode) in private {
            assert_eq!(mode & 0o077, 0, "umask {mask}: {} has {mode:o}", path.display());
        }
    }
}
