//! Measures the figures in `docs/benchmarks.md` for the terminal interface over a bad link.
//!
//! `cargo run --release -p chaffinch-tests --bin figures [NAME…]`; `--list` lists them, `--short` measures as the tests do.
#![allow(clippy::print_stdout, reason = "figures are the result")]

use chaffinch_tests::figures::{ALL, Figure, Scale};
use std::process::ExitCode;
use std::time::Instant;

/// How busy the machine is.
fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("?").to_owned()
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.iter().any(|arg| arg == "--list") {
        ALL.iter().for_each(|(name, about, _)| println!("{name:<10} {about}"));
        return ExitCode::SUCCESS;
    }
    let full = !args.iter().any(|arg| arg == "--short");
    let names: Vec<&String> = args.iter().filter(|arg| !arg.starts_with("--")).collect();
    if let Some(unknown) = names.iter().find(|name| !ALL.iter().any(|figure| figure.0 == name.as_str())) {
        println!("there is no figure '{unknown}'; --list names them");
        return ExitCode::from(2);
    }
    // An hour of use is measured if it is asked for.
    let named = |figure: &&Figure| match names.is_empty() {
        true => figure.0 != "soak",
        false => names.iter().any(|name| *name == figure.0),
    };
    let chosen = ALL.iter().filter(named);
    let mut missed = 0;
    for (name, about, measure) in chosen.copied().collect::<Vec<Figure>>() {
        let (before, started) = (load(), Instant::now());
        println!("\n## {name}: {about}");
        let report = measure(Scale { full });
        report.0.iter().for_each(|number| println!("{number}"));
        missed += report.0.iter().filter(|number| !number.held()).count();
        println!("({:.0} s, load {before} before and {} after)", started.elapsed().as_secs_f64(), load());
    }
    println!("\n{missed} missed");
    ExitCode::from(u8::from(missed > 0))
}
