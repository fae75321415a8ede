//! Detectors in C and C++: a source, the header of the contract, and a description with the command that builds them.

use super::{Made, trying};
use std::path::Path;

const SOURCE: &str = include_str!("../templates/detector.c.in");
const DESCRIPTION: &str = include_str!("../templates/library.toml.in");
const HEADER: &str = include_str!("../../../../sdk/c/chaffinch_plugin.h");

/// A compiler and the ending of its sources.
pub(super) struct Compiler {
    command: &'static str,
    ending: &'static str,
}

pub(super) const C: Compiler = Compiler { command: "cc -std=c11", ending: "c" };
pub(super) const CPP: Compiler = Compiler { command: "c++ -std=c++17", ending: "cpp" };

pub(super) fn make(name: &str, folder: &Path, compiler: Compiler) -> Made {
    let stem = name.replace('-', "_");
    let source = format!("{stem}.{}", compiler.ending);
    let library = format!("lib{stem}{}", std::env::consts::DLL_SUFFIX);
    let build = format!("{} -O2 -Wall -fPIC -shared -o {library} {source} -lm", compiler.command);
    let description =
        DESCRIPTION.replace("@NAME@", name).replace("@LIBRARY@", &library).replace("@BUILD@", &build);
    let next = format!(
        "Created {source}, chaffinch_plugin.h and detector.toml. Next, in {}:\n  {build}\n{}",
        chaffinch_protocol::display::quoted(folder),
        trying(folder)
    );
    let files = vec![
        (source, SOURCE.replace("@NAME@", name).into_bytes()),
        ("chaffinch_plugin.h".to_owned(), HEADER.into()),
        ("detector.toml".to_owned(), description.into_bytes()),
    ];
    Made { files, next }
}
