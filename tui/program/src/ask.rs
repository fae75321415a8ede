//! Questions on a terminal. A script is never asked: it gets a line that says what to do.

use super::output::{asked, remark};
use chaffinch_protocol::display::safe_text;
use rustix::termios::{QueueSelector, tcflush};
use std::io::{self, BufRead, IsTerminal, Write};

/// Asks a question that is answered with yes or no; an empty answer means `default`. `None` if no one can be asked,
/// because stdin or stderr is not a terminal.
pub(super) fn yes(question: &str, default: bool) -> Option<bool> {
    if !can_ask() {
        return None;
    }
    let choices = if default { "[Y/n]" } else { "[y/N]" };
    forget_typed();
    loop {
        let _ = write!(io::stderr().lock(), "{} ", asked(&format!("{} {choices}", safe_text(question))));
        let Some(line) = answer() else { return Some(false) };
        match line.trim().to_lowercase().as_str() {
            "" => return Some(default),
            "y" | "yes" => return Some(true),
            "n" | "no" => return Some(false),
            _ => remark("answer y or n"),
        }
    }
}

/// Asks for one of several letters; `None` if no one can be asked. The end of the input is the last of them.
pub(super) fn choice(question: &str, letters: &[char]) -> Option<char> {
    if !can_ask() {
        return None;
    }
    let list = letters.iter().map(char::to_string).collect::<Vec<_>>().join("/");
    forget_typed();
    let _ = write!(io::stderr().lock(), "{question}");
    loop {
        let _ = write!(io::stderr().lock(), "[{list}] ");
        let Some(line) = answer() else { return letters.last().copied() };
        let mut typed = line.trim().chars().flat_map(char::to_lowercase);
        match (typed.next(), typed.next()) {
            (Some(letter), None) if letters.contains(&letter) => return Some(letter),
            _ => remark(&format!("answer {list}")),
        }
    }
}

/// Asks for a line, which is empty only if no one answers; `None` for that.
pub(super) fn line(question: &str) -> Option<String> {
    let _ = write!(io::stderr().lock(), "{question} ");
    answer().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty())
}

/// Drops what was typed before a question was there: it was meant for something else.
fn forget_typed() {
    // Where it fails, the question is asked as it is.
    let _ = tcflush(io::stdin(), QueueSelector::IFlush);
}

fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// A line that is typed; `None` at the end of the input.
fn answer() -> Option<String> {
    let mut line = String::new();
    match io::stdin().lock().read_line(&mut line) {
        Ok(1..) => Some(line),
        _ => None,
    }
}
