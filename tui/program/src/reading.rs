//! Prints what reading a dataset left out, guessed or found doubtful.

use super::args::{DatasetArgs, Global};
use super::output::{asked, remark, warning};
use anyhow::Result;
use chaffinch_data::dataset::Folders;
use chaffinch_protocol::Ledger;
use chaffinch_protocol::display::safe_text;
use chaffinch_protocol::ledger::Doubt;
use std::io::{self, BufRead, IsTerminal, Write};

/// Prints all remarks to stderr, the serious ones as warnings; only those if `quiet`. `set` names the dataset where there
/// are several: `training set`.
pub(super) fn tell(ledger: &Ledger, set: &str, quiet: bool) {
    let about = if set.is_empty() { "dataset" } else { set };
    for entry in &ledger.remarks {
        if entry.kind.is_serious() {
            warning(about, &entry.text);
        } else if !quiet {
            remark(&format!("note: {}: {}", safe_text(about), safe_text(&entry.text)));
        }
    }
}

/// Asks about a doubtful layout if somebody can answer, and returns how to read the folders.
///
/// # Errors
/// If the terminal cannot be written to.
pub(super) fn settle(ledger: &Ledger, args: &DatasetArgs, global: &Global) -> Result<Option<Folders>> {
    let Some(doubt) = &ledger.doubt else { return Ok(None) };
    let terminals = io::stdin().is_terminal() && io::stderr().is_terminal();
    if args.layout.is_some() || global.quiet || !terminals {
        return Ok(None);
    }
    ask(doubt, &mut io::stdin().lock(), &mut io::stderr().lock())
}

/// The answer to a doubt; `None` for the reading that was assumed, which an empty line and the end of the input accept.
fn ask(doubt: &Doubt, input: &mut impl BufRead, out: &mut impl Write) -> Result<Option<Folders>> {
    let other = match doubt.other.as_str() {
        "splits" => Folders::Splits,
        _ => Folders::Classes,
    };
    writeln!(out, "{}", asked(&format!("{}.", safe_text(&doubt.text))))?;
    let otherwise = safe_text(&doubt.otherwise);
    loop {
        let question =
            format!("Is that right? Answer no {otherwise} (the same as --layout {}). [Y/n]", other.name());
        write!(out, "{} ", asked(&question))?;
        out.flush()?;
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 {
            writeln!(out)?;
            return Ok(None);
        }
        match line.trim().to_lowercase().as_str() {
            "" | "y" | "yes" => return Ok(None),
            "n" | "no" => return Ok(Some(other)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str) -> Option<Folders> {
        let doubt = Doubt {
            text: "bus and train were read as classes".into(),
            otherwise: "if train is a split".into(),
            other: "splits".into(),
        };
        let mut out = Vec::new();
        let answer = ask(&doubt, &mut text.as_bytes(), &mut out).unwrap();
        let asked = String::from_utf8(out).unwrap();
        assert!(
            asked.starts_with(
                "bus and train were read as classes.\nIs that right? Answer no if train is a split (the same as --layout \
                 splits). [Y/n] "
            ),
            "{asked}"
        );
        answer
    }

    #[test]
    fn only_a_no_changes_the_reading() {
        assert_eq!([answer("\n"), answer("y\n"), answer(""), answer("what\nyes\n")], [None; 4]);
        assert_eq!(answer("No\n"), Some(Folders::Splits));
    }
}
