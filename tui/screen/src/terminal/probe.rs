//! Terminal capabilities, queried without waiting: the queries go out with the first bytes, the screen is drawn
//! at once, and replies are handled whenever they arrive, however late.

use super::commands::{QueryAttributes, QueryCellSize, QueryStatus, QueryVersion, ansi};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

/// The number that marks our query for kitty graphics, to recognize its reply.
pub const KITTY_QUESTION: u32 = 31;

/// On exit, replies that take longer are not waited for.
const PATIENCE: Duration = Duration::from_millis(5_500);

/// How long the next piece of a reply may take.
const PIECE: Duration = Duration::from_millis(1_000);

fn now() -> u64 {
    u64::try_from(BEGINNING.elapsed().as_millis()).unwrap_or(u64::MAX / 2)
}

/// What times are counted from.
static BEGINNING: LazyLock<Instant> = LazyLock::new(Instant::now);

/// One reply of the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Its device attributes (DA1). The last reply of every batch of queries.
    Attributes(Vec<u32>),
    /// Whether it understands kitty graphics.
    Kitty(bool),
    /// The size of a cell in pixels, across and down.
    Cell(u32, u32),
    /// The name and version it reports.
    Version(String),
    /// The color behind its text, in 8 bits a channel.
    Ground([u8; 3]),
    /// It has done everything up to here.
    Done,
}

/// The largest plausible cell size in pixels.
const MOST: u32 = 512;

/// Parses a reply. Anything uncertain is none.
pub fn answer(bytes: &[u8]) -> Option<Answer> {
    let text = std::str::from_utf8(bytes).ok()?;
    if let Some(rest) = text.strip_prefix("\x1b_G") {
        let (keys, message) = rest.strip_suffix("\x1b\\").or(rest.strip_suffix('\x07'))?.split_once(';')?;
        let ours = keys.split(',').any(|key| key.strip_prefix("i=") == Some(&KITTY_QUESTION.to_string()));
        return ours.then(|| Answer::Kitty(message == "OK"));
    }
    if let Some(rest) = text.strip_prefix("\x1bP>|") {
        let name = rest.strip_suffix("\x1b\\")?;
        return Some(Answer::Version(name.chars().filter(|c| !c.is_control()).take(80).collect()));
    }
    if let Some(rest) = text.strip_prefix("\x1b]11;") {
        let color = rest.strip_suffix("\x1b\\").or(rest.strip_suffix('\x07'))?;
        return ground(color).map(Answer::Ground);
    }
    let rest = text.strip_prefix("\x1b[")?;
    if rest == "0n" {
        return Some(Answer::Done);
    }
    if let Some(list) = rest.strip_prefix('?').and_then(|rest| rest.strip_suffix('c')) {
        return Some(Answer::Attributes(list.split(';').filter_map(|n| n.parse().ok()).take(64).collect()));
    }
    let mut numbers = rest.strip_prefix("6;")?.strip_suffix('t')?.split(';').map(|n| n.parse::<u32>());
    match (numbers.next(), numbers.next(), numbers.next()) {
        (Some(Ok(height)), Some(Ok(width)), None)
            if (1..=MOST).contains(&width) && (1..=MOST).contains(&height) =>
        {
            Some(Answer::Cell(width, height))
        }
        _ => None,
    }
}

/// A color as X11 writes it: `rgb:` and one to four hexadecimal digits a channel, perhaps with a fourth one.
fn ground(color: &str) -> Option<[u8; 3]> {
    let channels = color.strip_prefix("rgb:").or(color.strip_prefix("rgba:"))?;
    let channel = |digits: &str| {
        let most = 16_u32.checked_pow(digits.len() as u32).filter(|_| (1..=4).contains(&digits.len()))? - 1;
        let value = u32::from_str_radix(digits, 16).ok()?;
        u8::try_from((value * 255 + most / 2) / most).ok()
    };
    let mut channels = channels.split('/').map(channel);
    Some([channels.next()??, channels.next()??, channels.next()??])
}

/// The query for the color behind the text.
const GROUND_QUESTION: &str = "\x1b]11;?\x1b\\";

/// The query for kitty graphics.
pub fn kitty_question() -> String {
    format!("\x1b_Gi={KITTY_QUESTION},s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\")
}

/// All queries in one batch. The attributes come last: every terminal knows that query, and terminals reply
/// in order. The screen must be redrawn after it, in case one printed what it did not understand.
pub fn questions(kitty: bool) -> String {
    let kitty = if kitty { kitty_question() } else { String::new() };
    kitty + GROUND_QUESTION + &ansi!(QueryVersion, QueryCellSize, QueryAttributes)
}

/// Asks for the color behind the text alone, where pictures are not wanted. The status comes last: every terminal knows
/// that query.
pub fn ground_question() -> String {
    GROUND_QUESTION.to_owned() + &ansi!(QueryStatus)
}

/// Asks again for what may have changed with the window's size or on another terminal.
pub fn cell_question() -> String {
    ansi!(QueryCellSize, QueryAttributes)
}

/// Whether a terminal of this kind is queried at all: some print what they do not understand, and none of those shows
/// pictures.
pub fn worth_asking(term: &str) -> bool {
    !(term.is_empty() || term == "dumb" || term == "linux" || term.starts_with("vt"))
}

/// Answers that are still to come. Shared by the loop, which asks, and the reader of keys, which for as long keeps
/// the half of an answer instead of taking its rest for typed text.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    certain: Arc<AtomicUsize>,
    perhaps: Arc<AtomicBool>,
    /// When the last query was sent, in milliseconds.
    last: Arc<AtomicU64>,
    /// When the last input arrived while replies were expected.
    heard: Arc<AtomicU64>,
}

impl Expected {
    /// One more question with a certain answer has gone out.
    pub fn asked(&self) {
        self.last.store(now(), Ordering::SeqCst);
        self.certain.fetch_add(1, Ordering::SeqCst);
    }

    /// The question about kitty's graphics has gone out alone, through tmux: there may be an answer.
    pub fn asked_kitty(&self) {
        self.perhaps.store(true, Ordering::SeqCst);
    }

    /// Records input that may be such a reply.
    pub fn came(&self, bytes: &[u8]) {
        match answer(bytes) {
            Some(Answer::Attributes(_) | Answer::Done) => {
                let _ = self.certain.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
            }
            Some(Answer::Kitty(_)) => self.perhaps.store(false, Ordering::SeqCst),
            _ => {}
        }
    }

    /// How many certain ones are missing.
    pub fn missing(&self) -> usize {
        self.certain.load(Ordering::SeqCst)
    }

    /// How long to wait yet for what is missing, so that the shell does not take it for something typed. Links with
    /// answers that take seconds are rare, and terminals that never answer too: for either nothing else can be done.
    pub fn patience(&self) -> Duration {
        let until = |from: &AtomicU64, patience: Duration| {
            Duration::from_millis(from.load(Ordering::SeqCst) + 1) + patience
        };
        match self.missing() {
            0 => Duration::ZERO,
            _ => {
                until(&self.last, PATIENCE).max(until(&self.heard, PIECE)).saturating_sub(BEGINNING.elapsed())
            }
        }
    }

    /// Records input, perhaps part of a reply.
    pub fn heard(&self) {
        if self.any() {
            self.heard.store(now(), Ordering::SeqCst);
        }
    }

    /// Whether any reply is expected.
    pub fn any(&self) -> bool {
        self.missing() > 0 || self.perhaps.load(Ordering::SeqCst)
    }

    /// Outstanding replies will not arrive: the terminal has changed or is gone.
    pub fn forget(&self) {
        self.certain.store(0, Ordering::SeqCst);
        self.perhaps.store(false, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn answers_of_real_terminals() {
        let cases: [(&str, Option<Answer>); 17] = [
            ("\x1b]11;rgb:ffff/ffff/ffff\x1b\\", Some(Answer::Ground([255, 255, 255]))),
            ("\x1b]11;rgb:1e/1e/2e\x07", Some(Answer::Ground([30, 30, 46]))),
            ("\x1b]11;rgba:0000/8000/ffff/ffff\x1b\\", Some(Answer::Ground([0, 128, 255]))),
            ("\x1b]11;rgb:12345/0/0\x07", None),
            ("\x1b]10;rgb:ff/ff/ff\x07", None),
            ("\x1b_Gi=31;OK\x1b\\", Some(Answer::Kitty(true))),
            ("\x1b_Gi=31,p=1;OK\x1b\\", Some(Answer::Kitty(true))),
            ("\x1b_Gi=31;EINVAL:bad\x1b\\", Some(Answer::Kitty(false))),
            ("\x1b_Gi=7;OK\x1b\\", None),
            ("\x1b[?62;4;22c", Some(Answer::Attributes(vec![62, 4, 22]))),
            ("\x1b[6;20;10t", Some(Answer::Cell(10, 20))),
            ("\x1b[6;0;10t", None),
            ("\x1b[6;99999999999;10t", None),
            ("\x1b[4;600;800t", None),
            ("\x1bP>|kitty(0.40.1)\x1b\\", Some(Answer::Version("kitty(0.40.1)".to_owned()))),
            ("\x1b[0n", Some(Answer::Done)),
            ("\x1b[24;80R", None),
        ];
        for (bytes, expected) in cases {
            assert_eq!(answer(bytes.as_bytes()), expected, "{}", bytes.escape_debug());
        }
    }

    #[test]
    fn only_certain_answers_are_counted() {
        let expected = Expected::default();
        expected.asked();
        expected.asked();
        for (bytes, left) in [
            ("\x1b[6;20;10t", 2),
            ("\x1b_Gi=31;OK\x1b\\", 2),
            ("\x1b[?6c", 1),
            ("\x1b[0n", 0),
            ("\x1b[0n", 0),
        ] {
            expected.came(bytes.as_bytes());
            assert_eq!(expected.missing(), left);
        }
    }

    proptest! {
        #[test]
        fn garbage_is_no_answer_and_does_no_harm(
            head in prop::sample::select(vec!["\x1b_G", "\x1bP>|", "\x1b[?", "\x1b[6;", "\x1b[", "\x1b]11;rgb:"]),
            tail in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let bytes = [head.as_bytes(), &tail].concat();
            if let Some(Answer::Cell(width, height)) = answer(&bytes) {
                prop_assert!(width > 0 && height > 0 && width <= MOST && height <= MOST);
            }
        }
    }
}
