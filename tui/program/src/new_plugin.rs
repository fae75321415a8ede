//! `plugins new`: creates the two files of a detector.

use super::output::{remark, results};
use anyhow::{Context, Result, bail, ensure};
use chaffinch_protocol::display::safe_path;
use std::fs;
use std::path::{Path, PathBuf};

const MANIFEST: &str = include_str!("templates/Cargo.toml.in");
const SOURCE: &str = include_str!("templates/lib.rs.in");

/// Writes `Cargo.toml` and `src/lib.rs` for a detector called `name`.
pub(super) fn run(name: &str, path: Option<&Path>, contract: Option<&Path>) -> Result<()> {
    check_name(name)?;
    let here = std::env::current_dir().context("cannot determine the working directory")?;
    let parent = match (path, checkout(&here)) {
        (Some(path), _) => std::path::absolute(path)?,
        (None, Some(root)) => root.join("plugins"),
        (None, None) => here,
    };
    let folder = parent.join(name);
    ensure!(
        !folder.exists(),
        "{} already exists; choose another name, or another folder with --path",
        safe_path(&folder)
    );
    let member = checkout(&parent).filter(|root| parent == root.join("plugins"));
    let manifest = match &member {
        Some(_) => member_manifest(name),
        None => own_manifest(name, &find_contract(contract, &parent)?)?,
    };
    let source = SOURCE.replace("@STRUCT@", &type_name(name)).replace("@NAME@", name);
    write(&folder.join("Cargo.toml"), &manifest)?;
    write(&folder.join("src/lib.rs"), &source)?;
    remark(&next_steps(name, &folder, member.as_deref()));
    results(|out| Ok(writeln!(out, "{}", safe_path(&folder))?))
}

fn check_name(name: &str) -> Result<()> {
    let proper = name.len() <= 40
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && !name.contains("--")
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    ensure!(
        proper,
        "invalid detector name '{}'; use lowercase letters, digits and hyphens, as in low-contrast",
        name.escape_debug()
    );
    let taken = ["plugin", "core", "clip", "tests"];
    ensure!(!taken.contains(&name), "{name} is the name of a Chaffinch crate; choose another name");
    Ok(())
}

/// `low-contrast` → `LowContrast`.
fn type_name(name: &str) -> String {
    let upper = |word: &str| {
        word.chars().take(1).map(|c| c.to_ascii_uppercase()).chain(word.chars().skip(1)).collect()
    };
    name.split('-').map(|word| -> String { upper(word) }).collect()
}

/// The Chaffinch checkout that contains a folder.
fn checkout(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().find(|root| is_contract(&root.join("core/plugin"))).map(Path::to_path_buf)
}

fn is_contract(folder: &Path) -> bool {
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    manifest.lines().any(|line| line.trim() == "name = \"chaffinch-plugin\"")
}

/// The folder of the contract crate: as given, in the checkout around `parent`, or where this program was built.
fn find_contract(given: Option<&Path>, parent: &Path) -> Result<PathBuf> {
    if let Some(given) = given {
        let folder = std::path::absolute(given)?;
        ensure!(
            is_contract(&folder),
            "no crate chaffinch-plugin in {}; pass the folder core/plugin of a checkout",
            safe_path(&folder)
        );
        return Ok(folder);
    }
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).map(|root| root.join("core/plugin"));
    let around = checkout(parent).map(|root| root.join("core/plugin"));
    match around.into_iter().chain(built).find(|folder| is_contract(folder)) {
        Some(folder) => Ok(folder),
        None => bail!(
            "cannot find the crate chaffinch-plugin, which detectors depend on; clone Chaffinch and pass its folder \
             core/plugin with --contract"
        ),
    }
}

fn fill(name: &str, parts: [(&str, &str); 5]) -> String {
    let text =
        parts.iter().fold(MANIFEST.replace("@NAME@", name), |text, (mark, value)| text.replace(mark, value));
    format!("{}\n", text.trim_end())
}

/// For the folder `plugins/` of a checkout: inherits everything, so nothing else has to be edited.
fn member_manifest(name: &str) -> String {
    fill(
        name,
        [
            ("@VERSION@", ".workspace = true"),
            ("@EDITION@", ".workspace = true\nlicense.workspace = true"),
            ("@CONTRACT@", ".workspace = true"),
            ("@TESTING@", " = { workspace = true, features = [\"testing\"] }"),
            ("@LAST@", "\n[lints]\nworkspace = true"),
        ],
    )
}

/// For anywhere else: its own workspace.
fn own_manifest(name: &str, contract: &Path) -> Result<String> {
    let Some(contract) = contract.to_str() else {
        bail!(
            "the path {} is not valid UTF-8, so it cannot be written to a Cargo.toml; move the checkout",
            safe_path(contract)
        );
    };
    let path = toml::Value::String(contract.to_owned()).to_string();
    Ok(fill(
        name,
        [
            ("@VERSION@", " = \"0.1.0\""),
            ("@EDITION@", " = \"2024\""),
            ("@CONTRACT@", &format!(" = {{ path = {path} }}")),
            ("@TESTING@", &format!(" = {{ path = {path}, features = [\"testing\"] }}")),
            ("@LAST@", "\n# Its own workspace, even inside another one.\n[workspace]"),
        ],
    ))
}

fn write(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", safe_path(folder)))?;
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", safe_path(path)))
}

fn next_steps(name: &str, folder: &Path, member: Option<&Path>) -> String {
    let library = format!("libchaffinch_{}{}", name.replace('-', "_"), std::env::consts::DLL_SUFFIX);
    match member {
        Some(root) => format!(
            "Created Cargo.toml and src/lib.rs. Next, in {}:\n  \
             cargo test -p chaffinch-{name}\n  \
             cargo build --release -p chaffinch-{name}\n  \
             cargo run --release -- plugins check target/release/{library}",
            safe_path(root)
        ),
        None => format!(
            "Created Cargo.toml and src/lib.rs. Next, in {}:\n  \
             cargo test\n  \
             cargo build --release\n  \
             chaffinch plugins check target/release/{library}\n\
             Copy the library to a folder of your own and pass it with --plugins DIR.",
            safe_path(folder)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_types() {
        assert_eq!(type_name("low-contrast"), "LowContrast");
        assert_eq!(type_name("dark2"), "Dark2");
    }

    #[test]
    fn bad_names_are_refused() {
        for name in ["", "Dark", "2dark", "a/b", "dark-", "a--b", "../x", "plugin"] {
            assert!(check_name(name).is_err(), "{name}");
        }
        assert!(check_name("low-contrast").is_ok());
    }

    #[test]
    fn two_files_and_no_more() {
        let temp = tempfile::tempdir().unwrap();
        let contract = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../core/plugin");
        run("fog", Some(temp.path()), Some(&contract)).unwrap();
        let manifest = fs::read_to_string(temp.path().join("fog/Cargo.toml")).unwrap();
        assert!(manifest.parse::<toml::Table>().unwrap().contains_key("workspace"), "{manifest}");
        let source = fs::read_to_string(temp.path().join("fog/src/lib.rs")).unwrap();
        assert!(!(manifest + &source).contains('@'));
        assert_eq!(fs::read_dir(temp.path().join("fog")).unwrap().count(), 2);
        assert!(run("fog", Some(temp.path()), Some(&contract)).is_err());
    }

    #[test]
    fn a_member_of_the_checkout_inherits_everything() {
        let manifest = member_manifest("fog").parse::<toml::Table>().unwrap();
        assert!(!manifest.contains_key("workspace"));
        assert_eq!(manifest["dependencies"]["chaffinch-plugin"]["workspace"].as_bool(), Some(true));
    }
}
