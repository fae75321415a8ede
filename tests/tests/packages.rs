//! Packages of the program, as scripts/package makes them, work where they are unpacked: elsewhere, without a checkout, and for
//! another user.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_tests::artefacts::{program, root};
use chaffinch_tests::tools::installed;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// The number of a user who owns nothing here.
const NOBODY: u32 = 65534;

fn succeeded(output: Output, what: &str) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{what}: {}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

fn run(program: &str, args: &[&str], folder: &Path) -> String {
    succeeded(Command::new(program).args(args).current_dir(folder).output().unwrap(), program)
}

/// Makes a package of one kind; returns a folder that everybody may read, and the file in it.
fn package(kind: &str, ending: &str) -> (TempDir, PathBuf) {
    let place = tempfile::Builder::new().prefix("chaffinch-package-").tempdir().unwrap();
    fs::set_permissions(place.path(), Permissions::from_mode(0o755)).unwrap();
    let build = program().parent().unwrap().to_owned();
    let args = ["--draft", "--only", kind, "--from", build.to_str().unwrap()];
    let out = ["--out", place.path().to_str().unwrap()];
    run(root().join("scripts/package").to_str().unwrap(), &[&args[..], &out[..]].concat(), &root());
    run("sha256sum", &["--check", "--quiet", "SHA256SUMS"], place.path());
    let mut files = fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().path());
    let file = files.find(|file| file.to_str().unwrap().ends_with(ending)).unwrap();
    (place, file)
}

/// The program below a prefix does its main jobs for a user who has nothing else.
fn works(place: &Path, prefix: &Path) {
    let home = place.join("home");
    fs::create_dir(&home).unwrap();
    fs::set_permissions(&home, Permissions::from_mode(0o777)).unwrap();
    let other = rustix::process::geteuid().is_root();
    let chaffinch = |args: &[&str]| {
        let mut command = Command::new(prefix.join("bin/chaffinch"));
        command.args(args).env_clear().current_dir(&home);
        command.envs([("HOME", home.to_str().unwrap()), ("PATH", "/usr/bin:/bin"), ("HF_HUB_OFFLINE", "1")]);
        if other {
            command.uid(NOBODY).gid(NOBODY);
        }
        succeeded(command.output().unwrap(), &args.join(" "))
    };
    assert!(chaffinch(&["--version"]).starts_with("chaffinch "));
    let plugins = chaffinch(&["plugins", "list"]);
    for folder in fs::read_dir(root().join("plugins")).unwrap() {
        let name = folder.unwrap().file_name().into_string().unwrap();
        assert!(plugins.contains(&name), "{name}: {plugins}");
    }
    assert!(plugins.contains(prefix.join("lib/chaffinch").to_str().unwrap()), "{plugins}");
    let doctor = chaffinch(&["doctor"]);
    assert!(doctor.contains("sessions"), "{doctor}");
    let summary = chaffinch(&["demo", "--summary"]);
    assert!(summary.contains("planted"), "{summary}");
    for file in ["share/man/man1/chaffinch.1.gz", "share/man/man1/chaffinch-scan.1.gz"] {
        assert!(run("gzip", &["-dc", prefix.join(file).to_str().unwrap()], place).contains(".TH"), "{file}");
    }
    for file in ["share/bash-completion/completions/chaffinch", "share/doc/chaffinch/LICENSE-MIT"] {
        assert!(prefix.join(file).is_file(), "{file}");
    }
}

#[test]
fn a_tarball_works_where_it_is_unpacked_and_is_the_same_each_time() {
    if !installed(&["python3", "objdump", "xz", "gzip", "sha256sum"], "python3 binutils xz-utils") {
        return;
    }
    let (place, file) = package("tar", ".tar.xz");
    run("tar", &["-xf", file.to_str().unwrap()], place.path());
    let name = file.file_name().unwrap().to_str().unwrap().strip_suffix(".tar.xz").unwrap().to_owned();
    works(place.path(), &place.path().join(name));
    let (_again, second) = package("tar", ".tar.xz");
    assert!(fs::read(&file).unwrap() == fs::read(second).unwrap(), "two runs give different bytes");
}

#[test]
fn a_debian_package_works_where_it_is_unpacked() {
    if !installed(&["python3", "objdump", "dpkg-deb", "gzip"], "python3 binutils dpkg") {
        return;
    }
    let (place, file) = package("deb", ".deb");
    let file = file.to_str().unwrap();
    let about = run("dpkg-deb", &["--field", file], place.path());
    assert!(about.contains("Package: chaffinch\n") && about.contains("Depends: libc6 (>= 2."), "{about}");
    let listed = run("dpkg-deb", &["--contents", file], place.path());
    assert!(listed.lines().all(|line| line.contains(" root/root ")), "{listed}");
    run("dpkg-deb", &["--extract", file, "root"], place.path());
    works(place.path(), &place.path().join("root/usr"));
}

#[test]
fn a_wheel_works_where_pip_installs_it() {
    if !installed(&["python3", "objdump", "gzip"], "python3 binutils") {
        return;
    }
    let (place, file) = package("wheel", ".whl");
    let prefix = place.path().join("environment");
    run("python3", &["-m", "venv", prefix.to_str().unwrap()], place.path());
    let pip = prefix.join("bin/pip");
    let args = ["install", "--quiet", "--no-index", "--no-deps", "--disable-pip-version-check"];
    run(pip.to_str().unwrap(), &[&args[..], &[file.to_str().unwrap()]].concat(), place.path());
    works(place.path(), &prefix);
    run(pip.to_str().unwrap(), &["uninstall", "--quiet", "--yes", "chaffinch"], place.path());
    assert!(!prefix.join("bin/chaffinch").exists() && !prefix.join("lib/chaffinch").exists());
}
