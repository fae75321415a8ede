//! `mcp`: serves a session to an assistant over the Model Context Protocol.
//!
//! `rpc` speaks JSON-RPC, `tools` is the table of what can be called, `review` asks the engine, and `told` says what it answers.
//! Add a tool as one entry of `tools::TOOLS`.

mod line;
mod review;
mod rpc;
mod told;
mod tools;

use super::args::{DatasetArgs, EngineArgs, Global, reviewer};
use super::engine_process::{self, Plan, Waiting};
use super::output::remark;
use super::{place, settings, setup, uses};
use anyhow::{Context, Result, bail};
use chaffinch_protocol::Join;
use chaffinch_protocol::display::safe_text;
use clap::Args;
use crossbeam_channel::bounded;
use line::Line;
use review::Review;
use std::io::{self, BufRead, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// Longest message that is read, in bytes.
const LONGEST: u64 = 4 << 20;

/// Serve a session to an assistant over the Model Context Protocol (MCP), which can look and propose but not decide
#[derive(Debug, Args)]
pub(super) struct Mcp {
    /// Dataset, or folder of a session
    #[arg(value_name = "DATASET|SESSION")]
    target: PathBuf,
    /// The assistant's name, under which its proposals are saved; not that of a person
    #[arg(long, value_name = "NAME", value_parser = reviewer, default_value = "assistant")]
    reviewer: String,
}

/// Answers messages on standard input until it ends.
pub(super) fn run(args: &Mcp, global: &Global) -> Result<ExitCode> {
    let location = place::find(&args.target, global)?;
    place::scanned(&location, global)?;
    place::warn_of_half_changed(&location);
    let config = settings::config(global, Some(&location.dir))?;
    if args.reviewer == config.reviewer() {
        bail!(
            "'{}' is your own name as a reviewer; name the assistant otherwise with --reviewer",
            safe_text(&args.reviewer)
        );
    }
    let engine = EngineArgs { reviewer: Some(args.reviewer.clone()), ..EngineArgs::default() };
    let reading = DatasetArgs::default();
    uses::resolve(&location, global, &engine, &setup::options(&reading))?.tell(global);
    let there = engine_process::attached(&location.dir)?;
    if there.iter().any(|one| !one.watches && one.reviewer == safe_text(&args.reviewer)) {
        bail!(
            "'{}' has this session open already; name the assistant otherwise with --reviewer",
            safe_text(&args.reviewer)
        );
    }
    let join = Join { terminal: "mcp".to_owned(), ..Join::review(args.reviewer.clone()) };
    let plan = Plan {
        target: args.target.clone(),
        session: location.dir,
        global: global.clone(),
        engine,
        reading,
        join,
    };
    let engine = Waiting::reach(plan)?;
    let served = Review::begin(engine.ends()).and_then(|mut review| serve(&mut review));
    // Another terminal may be at work; the engine ends with the last one. Why it was not reached says more than that it is gone.
    match (engine.end(false), served) {
        (Err(reason), Err(_)) => Err(reason),
        (left, served) => {
            served?;
            if let Some(words) = left? {
                remark(&words);
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// The next line; `None` at the end.
fn next(input: &mut impl BufRead) -> io::Result<Option<Line>> {
    let mut line = Vec::new();
    input.take(LONGEST).read_until(b'\n', &mut line)?;
    if (line.len() as u64) < LONGEST || line.ends_with(b"\n") {
        return Ok((!line.is_empty()).then_some(Line::Whole(line)));
    }
    // The rest of it is no message.
    input.skip_until(b'\n')?;
    Ok(Some(Line::TooLong(LONGEST)))
}

/// Reads a message per line and answers it; what the engine says meanwhile is heard.
fn serve(review: &mut Review) -> Result<()> {
    let (sender, lines) = bounded(16);
    let read = move || {
        let mut input = std::io::stdin().lock();
        while let Ok(Some(line)) = next(&mut input) {
            if sender.send(line).is_err() {
                break;
            }
        }
    };
    std::thread::Builder::new().name("messages".to_owned()).spawn(read).context("cannot start a thread")?;
    let mut out = std::io::stdout().lock();
    while let Some(line) = review.next_line(&lines)? {
        let Some(answer) = rpc::answer(&line, |name, arguments| tools::call(review, name, arguments)) else {
            continue;
        };
        let mut text = serde_json::to_vec(&answer)?;
        text.push(b'\n');
        out.write_all(&text).and_then(|()| out.flush()).context("cannot write to standard output")?;
    }
    Ok(())
}
