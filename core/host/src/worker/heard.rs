//! What an engine hears from a worker: its lines, and in the words of their author what is wrong with a line that is not a message.

use super::grammar::{self, shortened};
use super::message::{FromWorker, PROTOCOL};
use serde_json::Value;

/// A message, to show what one looks like.
const EXAMPLE: &str = r#"{"type":"alive"}"#;

/// The greeting, to show what it looks like.
const GREETING: &str = r#"{"type":"hello","protocol":1}"#;

/// How much of a line is shown, in characters.
const SHOWN: usize = 80;

/// Where a conversation is.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) greeted: bool,
    /// What the worker did last.
    pub(super) last: String,
    /// Whether that was to ask for something.
    pub(super) asked: bool,
    /// How many lines it has written.
    lines: u64,
}

impl Default for Heard {
    fn default() -> Heard {
        Heard { greeted: false, last: "at its start".into(), asked: false, lines: 0 }
    }
}

impl Heard {
    /// Reads a line. The first message is a greeting, which is checked here.
    ///
    /// # Errors
    /// What the worker did wrong, as the predicate of a sentence.
    pub(super) fn read(&mut self, line: &[u8]) -> Result<FromWorker, String> {
        self.lines += 1;
        let message = message_in(line).map_err(|wrong| self.sent(line, &wrong))?;
        match (&message, self.greeted) {
            (FromWorker::Hello { protocol, .. }, false) if *protocol == PROTOCOL => self.greeted = true,
            (FromWorker::Hello { protocol, .. }, false) => {
                return Err(format!(
                    "speaks version {protocol} of the protocol, but this program speaks {PROTOCOL},"
                ));
            }
            (FromWorker::Hello { .. }, true) => {
                return Err(self.sent(line, "which is a second greeting (one is the first message)"));
            }
            (FromWorker::Unusable(_), _) => {}
            (_, false) => return Err(format!("did not begin with a greeting, as {GREETING},")),
            (_, true) => {}
        }
        let last = match &message {
            FromWorker::Hello { .. } | FromWorker::Unusable(_) => "after its greeting".into(),
            FromWorker::Request { wanted, .. } => format!("after it asked for {}", wanted.words()),
            FromWorker::Progress { done, total } => format!("after it was at {done} of {total}"),
            FromWorker::Log { .. } | FromWorker::Note { .. } => "after a note".into(),
            FromWorker::Scores { .. } => "after it gave its scores".into(),
            FromWorker::Issues { .. } => "after it gave results for single samples".into(),
            FromWorker::Attribute { .. } => "after it gave an attribute".into(),
            FromWorker::Finding { .. } => "after it gave a finding".into(),
            FromWorker::Regions { .. } => "after it gave regions".into(),
            FromWorker::Done | FromWorker::Failed { .. } => "at its end".into(),
            FromWorker::Alive => return Ok(message),
        };
        self.asked = matches!(message, FromWorker::Request { .. });
        self.last = last;
        Ok(message)
    }

    /// That the line that was read last is wrong, as the predicate of a sentence.
    fn sent(&self, line: &[u8], wrong: &str) -> String {
        let number = self.lines;
        if line.trim_ascii().is_empty() {
            return format!(
                "sent an empty line (line {number}), where a message such as {EXAMPLE} is expected,"
            );
        }
        format!("sent line {number}, '{}', {wrong},", excerpt(line))
    }

    /// Where it was when its output ended, with what it had written of another line.
    pub(super) fn at_end(&self, rest: &[u8]) -> String {
        if rest.trim_ascii().is_empty() {
            return self.last.clone();
        }
        let (number, rest) = (self.lines + 1, excerpt(rest));
        format!("in the middle of line {number}, '{rest}' (a message ends with a line break), {}", self.last)
    }
}

fn excerpt(line: &[u8]) -> String {
    // As much as is shown, whatever it is.
    let some = &line[..line.len().min(4 * (SHOWN + 1))];
    shortened(String::from_utf8_lossy(some).trim(), SHOWN)
}

/// The message in a line.
///
/// # Errors
/// What is wrong with it, as a clause.
fn message_in(line: &[u8]) -> Result<FromWorker, String> {
    // A list of what is in a message would be taken for one, too.
    if line.trim_ascii_start().first() != Some(&b'{') {
        return Err(no_object(line));
    }
    serde_json::from_slice(line).map_err(|error| unreadable(line, &error))
}

/// What is wrong with a line that is not an object.
fn no_object(line: &[u8]) -> String {
    if line.starts_with("\u{feff}".as_bytes()) {
        return "which begins with a byte order mark (write UTF-8 without one)".into();
    }
    match serde_json::from_slice::<Value>(line) {
        Ok(value @ Value::Array(_)) => {
            format!("which is {} (a message is an object, such as {EXAMPLE})", grammar::words(&value))
        }
        _ => {
            "which is not a message (the standard output is for messages; print to the standard error)".into()
        }
    }
}

/// What is wrong with a line that begins as an object and cannot be read.
fn unreadable(line: &[u8], error: &serde_json::Error) -> String {
    let text = match std::str::from_utf8(line) {
        Ok(text) => text,
        Err(error) => {
            return format!(
                "which is not UTF-8 from byte {} on (write texts in UTF-8)",
                error.valid_up_to() + 1
            );
        }
    };
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(message)) => grammar::wrong(&message),
        Ok(_) => None,
        Err(error) => Some(no_json(text, &error)),
    }
    .unwrap_or_else(|| format!("which cannot be read ({})", reason(error)))
}

/// What stands in other languages where JSON has something else.
const FOREIGN: [(&str, &str); 7] = [
    ("NaN", "null for no value"),
    ("nan", "null for no value"),
    ("Infinity", "no such number"),
    ("inf", "no such number"),
    ("None", "null"),
    ("True", "true"),
    ("False", "false"),
];

/// What is wrong with a text that is not JSON.
fn no_json(text: &str, error: &serde_json::Error) -> String {
    if error.is_eof() {
        return "which ends in the middle of a message (a message is one whole line)".into();
    }
    let column = error.column();
    let from = |back: usize| text.get(column.saturating_sub(back)..).unwrap_or_default();
    // The parser stops at the first or second character of a word, which may follow a sign.
    let foreign = FOREIGN.iter().find(|(word, _)| (1..=3).any(|back| from(back).starts_with(word)));
    if let Some((word, instead)) = foreign {
        return format!("which has {word} in it (JSON has {instead})");
    }
    if from(1).starts_with('\'') {
        return "which has single quotes (JSON has double quotes around texts)".into();
    }
    let why = reason(error);
    if why.starts_with("trailing characters") {
        return format!("which goes on behind its message, from byte {column} on (each message is a line)");
    }
    format!("which is not JSON from byte {column} on ({why})")
}

/// What serde says, without the place.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    shortened(text.split(" at line ").next().unwrap_or_default(), 2 * SHOWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &[u8]) -> String {
        let mut heard = Heard::default();
        heard.read(GREETING.as_bytes()).unwrap();
        heard.read(line).unwrap_err()
    }

    #[test]
    fn every_way_in_which_a_line_can_be_wrong_is_said_in_words() {
        for (line, words) in [
            ("", "sent an empty line (line 2), where a message such as"),
            (" \t\r\n", "sent an empty line (line 2), where a message such as"),
            ("hello\n", "sent line 2, 'hello', which is not a message (the standard output is for messages"),
            ("0.5\n", "sent line 2, '0.5', which is not a message"),
            (
                r#"["alive"]"#,
                r#"sent line 2, '["alive"]', which is a list of one value (a message is an object"#,
            ),
            (r#"["scores",[1]]"#, "which is a list of 2 values"),
            (r#"{"type":"scores","values":[0.5,"#, "which ends in the middle of a message"),
            (r#"{"type":"scores","values":[NaN]}"#, "which has NaN in it (JSON has null for no value)"),
            (r#"{"type":"scores","values":[0.5, nan]}"#, "which has nan in it (JSON has null for no value)"),
            (r#"{"type":"scores","values":[-Infinity]}"#, "which has Infinity in it"),
            (r#"{"type":"scores","values":[None]}"#, "which has None in it (JSON has null)"),
            (r#"{"type":"alive","x":True}"#, "which has True in it (JSON has true)"),
            ("{'type':'alive'}", "which has single quotes"),
            (r#"{"type":"alive"}{"type":"alive"}"#, "which goes on behind its message, from byte 17 on"),
            (r#"{"type":"alive";}"#, "which is not JSON from byte 16 on (expected `,` or `}`)"),
            (r#"{"values":[1]}"#, "which has no \"type\""),
            (r#"{"type":"score"}"#, "did you mean 'scores'?"),
            (
                r#"{"type":"scores","values":["0.5"]}"#,
                "in which values[0] is the text '0.5' (a number or null is",
            ),
            (r#"{"type":"request","id":1,"what":"neighbors"}"#, "which has no k (a whole number"),
            (r#"{"type":"request","id":1,"what":"modle"}"#, "whose what 'modle' is unknown"),
            (r#"{"type":"alive","type":"done"}"#, "which cannot be read (duplicate field `type`)"),
            (r#"{"type":"hello","protocol":1}"#, "which is a second greeting"),
            ("\u{feff}{\"type\":\"alive\"}", "which begins with a byte order mark"),
        ] {
            let sentence = said(line.as_bytes());
            assert!(sentence.contains(words), "{line}: no '{words}' in: {sentence}");
            assert!(sentence.contains("line 2") && sentence.ends_with(','), "{line}: {sentence}");
        }
        let broken = said(b"{\"type\":\"log\",\"text\":\"\xff\"}");
        assert!(broken.contains("which is not UTF-8 from byte 23 on"), "{broken}");
    }

    #[test]
    fn a_line_is_shown_by_its_beginning_without_control_characters() {
        let long = said(format!("\u{1b}[2J{}", "ä".repeat(500)).as_bytes());
        assert!(long.contains("'·[2Jää") && long.contains("ä…'"), "{long}");
        assert!(!long.contains('\u{1b}') && long.chars().count() < 250, "{long}");
    }

    #[test]
    fn what_is_left_of_a_line_is_shown() {
        let mut heard = Heard::default();
        assert_eq!(heard.at_end(b""), "at its start");
        heard.read(GREETING.as_bytes()).unwrap();
        let end = heard.at_end(br#"{"type":"done"}"#);
        let words = r#"in the middle of line 2, '{"type":"done"}' (a message ends with a line break), after its greeting"#;
        assert_eq!(end, words);
    }
}
