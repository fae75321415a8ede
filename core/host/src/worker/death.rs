//! How a worker ended before it had done its work, in one sentence.

use chaffinch_plugin::Error;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

/// Why a worker was ended, or ended by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Death {
    /// What happened, as the predicate of a detector's name.
    pub(crate) sentence: String,
    /// Whether its code is to blame, which is then set aside.
    pub(crate) to_blame: bool,
}

/// How a run ended without a result.
pub(crate) enum Ended {
    /// The worker is no more.
    Died(Death),
    /// The detector or the engine says why not.
    Refused(Error),
}

impl From<Error> for Ended {
    fn from(error: Error) -> Ended {
        Ended::Refused(error)
    }
}

impl From<Death> for Ended {
    fn from(death: Death) -> Ended {
        Ended::Died(death)
    }
}

impl From<io::Error> for Ended {
    fn from(error: io::Error) -> Ended {
        Ended::Died(Death::of_circumstances(format!("could not be lent memory: {error}")))
    }
}

/// Exit status of a worker that could not begin.
pub(super) const NOT_STARTED: u8 = 125;
/// Exit status of our own process whose library has closed what connects it with the engine.
pub(super) const CUT_OFF: u8 = 124;

/// What such a library did.
pub(super) const LOST: &str = "closed descriptors that it had not opened (close only what you have opened: others \
     connect the detector with Chaffinch)";

/// How the reasons begin for which a detector is ended, or ended itself: never right, whatever a dataset lacks.
const BEGINNINGS: [&str; 26] = [
    "asked for more than",
    "asked for the embeddings of more than",
    "closed ",
    "could not load its library",
    "did not begin",
    "did not read",
    "flooded",
    "gave more than",
    "hung",
    "its process",
    "keeps bytes under more than",
    "keeps more than",
    "made more than",
    "panicked",
    "pointed to",
    "said nothing",
    "sent line",
    "sent an empty line",
    "sent the message",
    "speaks version",
    "sent scores",
    "sent values of an attribute",
    "started more than",
    "took longer",
    "used more",
    "wrote a line that is too long",
];

/// Whether a detector failed for something that its code must never do, rather than because it says that it cannot judge a
/// dataset.
pub fn is_misbehavior(reason: &str) -> bool {
    BEGINNINGS.iter().any(|how| reason.starts_with(how))
}

/// Characters of what it wrote last that are shown.
const SHOWN: usize = 400;

impl Death {
    /// Its code is to blame.
    pub(super) fn of_code(sentence: impl Into<String>) -> Death {
        Death { sentence: sentence.into(), to_blame: true }
    }

    /// The circumstances are: it could not be started, or somebody killed it.
    pub(super) fn of_circumstances(sentence: impl Into<String>) -> Death {
        Death { sentence: sentence.into(), to_blame: false }
    }

    /// It ended by itself: our own process with a library, or a program.
    pub(super) fn by_itself(status: ExitStatus, library: bool, last: &str, said: &str) -> Death {
        let (how, to_blame) = match (status.code(), status.signal()) {
            (Some(code), _) if library && code == i32::from(CUT_OFF) => (LOST.to_owned(), true),
            (Some(code), _) if library => (
                format!("its process exited with status {code} without a result (a detector returns, and does not exit)"),
                true,
            ),
            (Some(0), _) => (
                "its process exited with status 0 without a result (the last message is done; in Python, the last line \
                 run(detect) sends it)"
                    .to_owned(),
                true,
            ),
            (Some(code), _) => (format!("its process exited with status {code} without a result"), true),
            (None, Some(9 | 15)) => (
                format!("its process was killed ({}), perhaps because memory ran out", signal(status)),
                false,
            ),
            (None, _) => (format!("its process crashed ({})", signal(status)), true),
        };
        Death { sentence: format!("{how} {last}{}", wrote(said)), to_blame }
    }

    /// It was ended for this.
    pub(super) fn ended(why: &str, last: &str, said: &str) -> Death {
        Death::of_code(format!("{why} {last}{}", wrote(said)))
    }
}

fn signal(status: ExitStatus) -> String {
    let number = status.signal().unwrap_or_default();
    let name = match number {
        4 => "illegal instruction",
        5 => "trap",
        6 => "abort",
        7 => "bus error",
        8 => "arithmetic error",
        9 => "SIGKILL",
        11 => "segmentation fault",
        13 => "broken pipe",
        15 => "SIGTERM",
        24 => "processor time exceeded",
        31 => "bad system call",
        _ => return format!("signal {number}"),
    };
    format!("{name}, signal {number}")
}

/// The last lines that it wrote to its standard error.
fn wrote(said: &str) -> String {
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last = match (traced(&lines), lines.last()) {
        (Some(place), Some(error)) => format!("{error} ({place})"),
        _ => lines[lines.len().saturating_sub(2)..].join(" / "),
    };
    if last.is_empty() {
        return String::new();
    }
    let advice = match last.starts_with("ModuleNotFoundError: ") {
        true => {
            "; install it for the interpreter that command in detector.toml begins with, or name that of a virtual environment"
        }
        false => "",
    };
    let skip = last.chars().count().saturating_sub(SHOWN);
    let cut = if skip > 0 { "…" } else { "" };
    format!("; it last wrote: {cut}{}{advice}", last.chars().skip(skip).collect::<String>())
}

/// Files of Python itself and of packages in it: the author's own line is what is to be looked at.
const FOREIGN: [&str; 4] = ["/lib/python", "/site-packages/", "<frozen", "/chaffinch_detector.py"];

/// The file and line of the error with which Python ended, by what it wrote of it: the last one that is the author's.
fn traced(lines: &[&str]) -> Option<String> {
    let place = |line: &&str| {
        let (file, rest) = line.strip_prefix("File \"")?.split_once("\", line ")?;
        let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
        (!number.is_empty()).then(|| (file.to_owned(), number))
    };
    let all: Vec<(String, String)> = lines.iter().filter_map(place).collect();
    let own = all.iter().rev().find(|(file, _)| !FOREIGN.iter().any(|foreign| file.contains(foreign)));
    let (file, number) = own.or(all.last())?;
    Some(format!("{}:{number}", file.rsplit('/').next().unwrap_or(file)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_says_how_it_ended_and_what_it_did_last() {
        let of = |raw| {
            let last = "after it asked for neighbors";
            Death::by_itself(ExitStatus::from_raw(raw), false, last, "one\n\ntwo\nthree\n")
        };
        assert_eq!(
            of(11).sentence,
            "its process crashed (segmentation fault, signal 11) after it asked for neighbors; it last wrote: two / three"
        );
        assert!(of(3 << 8).sentence.starts_with("its process exited with status 3 without a result after"));
        assert!(of(0).sentence.contains("exited with status 0 without a result (the last message is done;"));
        let library = |code: i32| Death::by_itself(ExitStatus::from_raw(code << 8), true, "at its end", "");
        assert_eq!(library(CUT_OFF.into()).sentence, format!("{LOST} at its end"));
        assert!(library(0).sentence.contains("(a detector returns, and does not exit) at its end"));
        assert!(!of(9).to_blame && of(6).to_blame && of(0).to_blame);
        let syntax = "  File \"/d/odd.py\", line 3\n    def detect(data)\n                ^\nSyntaxError: expected ':'\n";
        assert_eq!(wrote(syntax), "; it last wrote: SyntaxError: expected ':' (odd.py:3)");
        let deep = "Traceback (most recent call last):\n  File \"/d/odd.py\", line 7, in <module>\n    import x\n  File \
                    \"/usr/lib/python3.12/x.py\", line 1, in <module>\n    y\nNameError: name 'y' is not defined\n";
        assert_eq!(wrote(deep), "; it last wrote: NameError: name 'y' is not defined (odd.py:7)");
        let lacks =
            "  File \"/d/odd.py\", line 2, in <module>\nModuleNotFoundError: No module named 'numpy'\n";
        let lacks = wrote(lacks);
        assert!(
            lacks.contains("named 'numpy' (odd.py:2); install it for the interpreter that command"),
            "{lacks}"
        );
        let long = wrote(&"x".repeat(9000));
        assert!(long.chars().count() < 450, "{}", long.len());
    }
}
