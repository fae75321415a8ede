//! Detectors in Rust: two files, and outside of a checkout also a description and a copy of the contract crate, so that
//! nothing else is needed.

use super::{Made, trying};
use anyhow::{Result, bail, ensure};
use chaffinch_protocol::display::safe_path;
use std::fs;
use std::path::{Path, PathBuf};

const MANIFEST: &str = include_str!("../templates/Cargo.toml.in");
const SOURCE: &str = include_str!("../templates/lib.rs.in");
const DESCRIPTION: &str = include_str!("../templates/library.toml.in");

/// The contract crate: its files with their paths, without tests.
const CONTRACT: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/contract.rs"));

/// The folder of the copy in a project.
const COPY: &str = "chaffinch-plugin";

pub(super) fn make(name: &str, parent: &Path, contract: Option<&Path>) -> Result<Made> {
    let source = SOURCE.replace("@STRUCT@", &type_name(name)).replace("@NAME@", name).into_bytes();
    let library = format!("libchaffinch_{}{}", name.replace('-', "_"), std::env::consts::DLL_SUFFIX);
    if let Some(root) = checkout(parent).filter(|root| parent == root.join("plugins")) {
        let files = vec![("Cargo.toml".into(), member_manifest(name).into()), ("src/lib.rs".into(), source)];
        let next = format!(
            "Created Cargo.toml and src/lib.rs. Next, in {}:\n  \
             cargo test -p chaffinch-{name}\n  \
             cargo build --release -p chaffinch-{name}\n  \
             cargo run --release -- plugins check target/release/{library}",
            safe_path(&root)
        );
        return Ok(Made { files, next });
    }
    let folder = parent.join(name);
    let around = checkout(parent).map(|root| root.join("core/plugin"));
    let contract = match contract {
        Some(given) => Some(given_contract(given)?),
        None => around,
    };
    let description = DESCRIPTION
        .replace("@NAME@", name)
        .replace("@LIBRARY@", &format!("target/release/{library}"))
        .replace("@BUILD@", "cargo build --release");
    let manifest = own_manifest(name, contract.as_deref().unwrap_or(Path::new(COPY)))?;
    let mut files = vec![
        ("Cargo.toml".to_owned(), manifest.into_bytes()),
        ("src/lib.rs".to_owned(), source),
        ("detector.toml".to_owned(), description.into_bytes()),
    ];
    if contract.is_none() {
        files.extend(CONTRACT.iter().map(|(file, bytes)| (format!("{COPY}/{file}"), bytes.to_vec())));
        files.push((format!("{COPY}/Cargo.toml"), contract_manifest().into_bytes()));
    }
    let next = format!(
        "Created Cargo.toml, src/lib.rs and detector.toml. Next, in {}:\n  cargo test\n  cargo build --release\n{}",
        safe_path(&folder),
        trying(&folder)
    );
    Ok(Made { files, next })
}

/// `low-contrast` → `LowContrast`.
fn type_name(name: &str) -> String {
    let upper = |word: &str| {
        word.chars().take(1).map(|c| c.to_ascii_uppercase()).chain(word.chars().skip(1)).collect()
    };
    name.split('-').map(|word| -> String { upper(word) }).collect()
}

/// The Chaffinch checkout that contains a folder.
pub(super) fn checkout(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().find(|root| is_contract(&root.join("core/plugin"))).map(Path::to_path_buf)
}

fn is_contract(folder: &Path) -> bool {
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    manifest.lines().any(|line| line.trim() == "name = \"chaffinch-plugin\"")
}

fn given_contract(given: &Path) -> Result<PathBuf> {
    let folder = std::path::absolute(given)?;
    ensure!(
        is_contract(&folder),
        "no crate chaffinch-plugin in {}; pass the folder core/plugin of a checkout",
        safe_path(&folder)
    );
    Ok(folder)
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

/// For the copy of the contract crate.
fn contract_manifest() -> String {
    format!(
        "# A copy of the crate that the program {} was built with.\n[package]\nname = \"chaffinch-plugin\"\n\
         description = \"The contract between Chaffinch and its detectors\"\nversion = \"{}\"\nedition = \"2024\"\n\
         license = \"MIT OR Apache-2.0\"\npublish = false\n\n[features]\nhost = []\ntesting = [\"host\"]\n",
        super::super::NAME,
        env!("CARGO_PKG_VERSION")
    )
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
    fn a_project_outside_of_a_checkout_names_no_path_outside_of_itself() {
        let made = make("fog", Path::new("/somewhere"), None).unwrap();
        let of = |name: &str| {
            let (_, bytes) = made.files.iter().find(|(file, _)| file == name).unwrap();
            String::from_utf8(bytes.clone()).unwrap().parse::<toml::Table>().unwrap()
        };
        let manifest = of("Cargo.toml");
        assert!(manifest.contains_key("workspace"));
        assert_eq!(manifest["dependencies"]["chaffinch-plugin"]["path"].as_str(), Some(COPY));
        assert_eq!(of("chaffinch-plugin/Cargo.toml")["package"]["name"].as_str(), Some(COPY));
        assert!(made.files.iter().any(|(file, _)| file == "chaffinch-plugin/src/lib.rs"));
        let contract = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../core/plugin");
        let given = make("fog", Path::new("/somewhere"), Some(&contract)).unwrap();
        assert_eq!(given.files.len(), 3);
    }

    #[test]
    fn a_member_of_the_checkout_inherits_everything() {
        let manifest = member_manifest("fog").parse::<toml::Table>().unwrap();
        assert!(!manifest.contains_key("workspace"));
        assert_eq!(manifest["dependencies"]["chaffinch-plugin"]["workspace"].as_bool(), Some(true));
    }
}
