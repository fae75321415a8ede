//! The hidden command that starts a detector in a process of its own; see `chaffinch_host`.

use super::args::Global;
use anyhow::Result;
use chaffinch_host::{Launch, launch};
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// Run a detector for an engine
#[derive(Debug, Args)]
#[command(hide = true)]
pub(super) struct Worker {
    /// Process of the engine
    #[arg(long, value_name = "PID")]
    engine: u32,
    /// Descriptors of the engine whose files are lent
    #[arg(long, value_name = "N,N", value_delimiter = ',')]
    lend: Vec<i32>,
    /// Library to load
    #[arg(long, value_name = "FILE")]
    library: Option<PathBuf>,
    /// Folder that the program runs in
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Allow the network
    #[arg(long)]
    network: bool,
    /// Program to run instead of a library, with its arguments
    #[arg(last = true, value_name = "PROGRAM")]
    program: Vec<String>,
}

/// Becomes the detector.
pub(super) fn run(args: &Worker, _: &Global) -> Result<ExitCode> {
    let Worker { engine, lend, library, folder, network, program } = args;
    Ok(launch(&Launch {
        engine: *engine,
        lend: lend.clone(),
        library: library.clone(),
        program: program.clone(),
        folder: folder.clone(),
        network: *network,
    }))
}
