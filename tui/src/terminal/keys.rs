//! Bytes from the terminal to keys. What is not understood is an answer to some question and is never taken for
//! something typed.

use crate::key::{Code, Key};

/// One thing that came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A key.
    Key(Key),
    /// Text pasted at once.
    Paste(String),
    /// A button was pressed on this cell.
    Click(u16, u16),
    /// The wheel was turned on this cell; down is positive.
    Wheel(i32, u16, u16),
    /// The window gained or lost the focus.
    Focus(bool),
    /// An answer of the terminal, or something unknown.
    Reply(Vec<u8>),
}

/// Longest answer or unfinished sequence that is waited for.
const LONGEST: usize = 64 * 1024;
/// Longest paste.
const PASTE: usize = 1024 * 1024;
const PASTE_END: &[u8] = b"\x1b[201~";

/// Takes bytes in any pieces.
#[derive(Clone, Debug, Default)]
pub struct Parser {
    buffer: Vec<u8>,
    paste: Option<Vec<u8>>,
    late: bool,
    /// Answers are still to come, so that a half one is kept however long its rest takes.
    expecting: bool,
    /// What is in the buffer has outlived a long silence.
    lingering: bool,
    /// A single character behind an Escape that was given out: the rest of an answer, or a key.
    doubtful: bool,
}

enum Step {
    /// So many bytes are one input, or nothing.
    Done(usize, Option<Input>),
    /// The sequence is not complete.
    More,
}

impl Parser {
    /// Whether questions to the terminal are still open.
    pub fn expect(&mut self, answers: bool) {
        self.expecting = answers;
    }

    /// Takes bytes in; what is complete is appended to `out`.
    pub fn feed(&mut self, bytes: &[u8], out: &mut Vec<Input>) {
        self.doubtful = false;
        let lingering = std::mem::take(&mut self.lingering);
        if std::mem::take(&mut self.late) && self.buffer.is_empty() {
            // Escape was already given out because the rest of a sequence was late: over a slow link the arrow keys
            // would otherwise type letters, and letters decide about samples.
            let key = bytes.len() > 1 && matches!(bytes[0], b'[' | b'O') && !lingering;
            let answer = self.expecting && could_be_answer(&[b"\x1b", bytes].concat());
            if key || answer {
                self.buffer.push(0x1b);
                self.doubtful = bytes.len() == 1;
            }
        } else if lingering && !could_be_answer(&[&self.buffer, bytes].concat()) {
            self.buffer.clear();
        }
        self.buffer.extend_from_slice(bytes);
        loop {
            if let Some(mut text) = self.paste.take() {
                if !self.pasting(&mut text, out) {
                    self.paste = Some(text);
                    return;
                }
                continue;
            }
            if self.buffer.is_empty() {
                return;
            }
            match step(&self.buffer) {
                Step::More if self.buffer.len() > LONGEST => self.buffer.clear(),
                Step::More => return,
                Step::Done(used, input) => {
                    let started = self.buffer[..used] == *b"\x1b[200~";
                    self.buffer.drain(..used);
                    if started {
                        self.paste = Some(Vec::new());
                    } else {
                        out.extend(input);
                    }
                }
            }
        }
    }

    /// Moves bytes into the paste. Says whether the end was found.
    fn pasting(&mut self, text: &mut Vec<u8>, out: &mut Vec<Input>) -> bool {
        let end = self.buffer.windows(PASTE_END.len()).position(|window| window == PASTE_END);
        let take = end.unwrap_or_else(|| {
            // The end may stand in two pieces.
            let keep =
                (1..PASTE_END.len()).rev().find(|n| self.buffer.ends_with(&PASTE_END[..*n])).unwrap_or(0);
            self.buffer.len() - keep
        });
        let room = PASTE.saturating_sub(text.len());
        text.extend_from_slice(&self.buffer[..take.min(room)]);
        self.buffer.drain(..take);
        if end.is_some() {
            self.buffer.drain(..PASTE_END.len());
            out.push(Input::Paste(String::from_utf8_lossy(text).into_owned()));
        }
        end.is_some()
    }

    /// Whether something unfinished waits for the rest.
    pub fn pending(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// Nothing came for a moment: a lone Escape is the key.
    pub fn short_silence(&mut self, out: &mut Vec<Input>) {
        if self.buffer == [0x1b] && self.paste.is_none() {
            self.buffer.clear();
            self.late = true;
            out.push(Input::Key(Key::plain(Code::Esc)));
        } else if std::mem::take(&mut self.doubtful)
            && let Some(character) = self.buffer.get(1).copied()
        {
            self.buffer.clear();
            out.push(Input::Key(Key::char(char::from(character))));
        }
    }

    /// Nothing came for long: what is unfinished will never be, unless it can be half of an answer that is expected.
    pub fn long_silence(&mut self) {
        self.late &= self.expecting;
        self.lingering = self.expecting && (self.late || could_be_answer(&self.buffer));
        if self.paste.is_none() && !self.lingering {
            self.buffer.clear();
        }
    }
}

/// Whether these bytes begin as an answer to one of our questions does. Strict, so that a half answer whose rest
/// never comes takes no key with it.
fn could_be_answer(bytes: &[u8]) -> bool {
    const LIMIT: usize = 256;
    let text = |bytes: &[u8]| {
        let end = bytes.iter().position(|byte| *byte < 0x20).unwrap_or(bytes.len());
        end < LIMIT && matches!(bytes.get(end), None | Some(0x1b | 0x07))
    };
    match bytes {
        [0x1b, b'_'] | [0x1b, b'P'] | [0x1b, b'P', b'>'] | [0x1b, b'['] => true,
        [0x1b, b'_', b'G', rest @ ..] | [0x1b, b'P', b'>', b'|', rest @ ..] => text(rest),
        [0x1b, b'[', rest @ ..] => {
            let end = rest.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b';'));
            match (rest[0], end) {
                (b'?', _) => rest[1..]
                    .iter()
                    .find(|byte| !matches!(byte, b'0'..=b'9' | b';'))
                    .is_none_or(|last| *last == b'c'),
                (b'0'..=b'9', Some(end)) => matches!(rest[end], b't' | b'n' | b'c'),
                (b'0'..=b'9', None) => true,
                _ => false,
            }
        }
        _ => false,
    }
}

fn step(bytes: &[u8]) -> Step {
    match bytes[0] {
        0x1b => escape(bytes),
        b'\r' => key(1, Key::plain(Code::Enter)),
        b'\t' => key(1, Key::plain(Code::Tab)),
        0x7f => key(1, Key::plain(Code::Backspace)),
        0 => key(1, Key::ctrl(' ')),
        c @ 1..=26 => key(1, Key::ctrl(char::from(c - 1 + b'a'))),
        c @ 28..=31 => key(1, Key::ctrl(char::from(c - 28 + b'\\'))),
        _ => character(bytes),
    }
}

fn key(used: usize, key: Key) -> Step {
    Step::Done(used, Some(Input::Key(key)))
}

fn character(bytes: &[u8]) -> Step {
    let len = match bytes[0] {
        0x20..=0x7e => 1,
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return Step::Done(1, None),
    };
    let piece = &bytes[..len.min(bytes.len())];
    match std::str::from_utf8(piece) {
        Ok(text) => match text.chars().next().filter(|c| !c.is_control()) {
            Some(c) => key(len, Key::char(c)),
            None => Step::Done(len, None),
        },
        Err(error) if error.error_len().is_none() && bytes.len() < len => Step::More,
        Err(_) => Step::Done(1, None),
    }
}

fn escape(bytes: &[u8]) -> Step {
    match bytes.get(1) {
        None => Step::More,
        Some(b'[') => control(bytes),
        Some(b'O') => match bytes.get(2) {
            None => Step::More,
            Some(c) => Step::Done(3, Some(arrow(*c, 0).unwrap_or_else(|| Input::Reply(bytes[..3].to_vec())))),
        },
        Some(b'P' | b'_' | b']' | b'^' | b'X') => string(bytes),
        Some(0x1b) => key(1, Key::plain(Code::Esc)),
        Some(_) => match step(&bytes[1..]) {
            Step::Done(used, Some(Input::Key(inner))) => key(used + 1, Key { alt: true, ..inner }),
            Step::Done(used, _) => Step::Done(used + 1, None),
            Step::More => Step::More,
        },
    }
}

/// A string of the terminal, up to its end: answers to questions, never text.
fn string(bytes: &[u8]) -> Step {
    let mut at = 2;
    while at < bytes.len() {
        match bytes[at] {
            0x07 => return Step::Done(at + 1, Some(Input::Reply(bytes[..=at].to_vec()))),
            0x1b => match bytes.get(at + 1) {
                None => return Step::More,
                Some(b'\\') => return Step::Done(at + 2, Some(Input::Reply(bytes[..at + 2].to_vec()))),
                // Another sequence begins: this one was cut off.
                Some(_) => return Step::Done(at, None),
            },
            _ => at += 1,
        }
    }
    Step::More
}

fn control(bytes: &[u8]) -> Step {
    let mut end = 2;
    if bytes.get(2) == Some(&b'[') {
        // The Linux console's function keys.
        return match bytes.get(3) {
            None => Step::More,
            Some(c @ b'A'..=b'E') => key(4, Key::plain(Code::F(c - b'A' + 1))),
            Some(_) => Step::Done(4, None),
        };
    }
    loop {
        match bytes.get(end) {
            None => return Step::More,
            Some(0x20..=0x3f) => end += 1,
            Some(0x40..=0x7e) => break,
            // A byte that cannot stand here: the sequence was cut off.
            Some(_) => return Step::Done(end, None),
        }
    }
    let used = end + 1;
    let (params, last) = (&bytes[2..end], bytes[end]);
    if last == b'M' && params.is_empty() {
        // The oldest mouse report: three more bytes of any value.
        return if bytes.len() < used + 3 { Step::More } else { Step::Done(used + 3, None) };
    }
    if let Some(b'<') = params.first() {
        return Step::Done(used, mouse(&params[1..], last));
    }
    let input = plain_control(params, last).unwrap_or_else(|| Input::Reply(bytes[..used].to_vec()));
    Step::Done(used, Some(input))
}

fn numbers(params: &[u8]) -> Option<Vec<u32>> {
    let text = std::str::from_utf8(params).ok()?;
    if text.is_empty() {
        return Some(Vec::new());
    }
    // What follows a colon says more than is needed.
    text.split(';').map(|part| part.split(':').next().unwrap_or("").parse().ok()).collect()
}

fn plain_control(params: &[u8], last: u8) -> Option<Input> {
    let numbers = numbers(params)?;
    let modifier = numbers.get(1).map_or(0, |m| m.saturating_sub(1));
    match last {
        b'I' if params.is_empty() => Some(Input::Focus(true)),
        b'O' if params.is_empty() => Some(Input::Focus(false)),
        b'Z' => Some(Input::Key(Key::plain(Code::BackTab))),
        b'~' => {
            let code = match numbers.first()? {
                1 | 7 => Code::Home,
                2 => Code::Insert,
                3 => Code::Delete,
                4 | 8 => Code::End,
                5 => Code::PageUp,
                6 => Code::PageDown,
                n @ 11..=15 => Code::F((n - 10) as u8),
                n @ 17..=21 => Code::F((n - 11) as u8),
                n @ 23..=24 => Code::F((n - 12) as u8),
                _ => return None,
            };
            Some(Input::Key(with(code, modifier)))
        }
        b'u' => {
            let code = match *numbers.first()? {
                13 => Code::Enter,
                9 => Code::Tab,
                27 => Code::Esc,
                127 => Code::Backspace,
                n => Code::Char(char::from_u32(n).filter(|c| !c.is_control())?),
            };
            Some(Input::Key(with(code, modifier)))
        }
        // `R` with two numbers is the cursor's position, an answer.
        b'R' => None,
        _ => arrow(last, modifier),
    }
}

fn arrow(last: u8, modifier: u32) -> Option<Input> {
    let code = match last {
        b'A' => Code::Up,
        b'B' => Code::Down,
        b'C' => Code::Right,
        b'D' => Code::Left,
        b'H' => Code::Home,
        b'F' => Code::End,
        b'P' => Code::F(1),
        b'Q' => Code::F(2),
        b'R' => Code::F(3),
        b'S' => Code::F(4),
        b'M' => Code::Enter,
        _ => return None,
    };
    Some(Input::Key(with(code, modifier)))
}

fn with(code: Code, modifier: u32) -> Key {
    let character = matches!(code, Code::Char(_));
    Key { code, shift: modifier & 1 != 0 && !character, alt: modifier & 2 != 0, ctrl: modifier & 4 != 0 }
}

fn mouse(params: &[u8], last: u8) -> Option<Input> {
    let numbers = numbers(params)?;
    let [button, x, y] = numbers[..] else { return None };
    let (x, y) = (u16::try_from(x).ok()?.saturating_sub(1), u16::try_from(y).ok()?.saturating_sub(1));
    match (button & 0b1100_0011, last) {
        (0, b'M') if button & 32 == 0 => Some(Input::Click(x, y)),
        (64, b'M') => Some(Input::Wheel(-3, x, y)),
        (65, b'M') => Some(Input::Wheel(3, x, y)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(bytes: &[u8]) -> Vec<Input> {
        let mut out = Vec::new();
        let mut parser = Parser::default();
        parser.feed(bytes, &mut out);
        parser.short_silence(&mut out);
        parser.long_silence();
        assert!(!parser.pending());
        out
    }

    fn keys(bytes: &[u8]) -> String {
        let name = |input: Input| match input {
            Input::Key(key) => key.to_string(),
            Input::Reply(_) => "[reply]".to_owned(),
            other => format!("{other:?}"),
        };
        parse(bytes).into_iter().map(name).collect()
    }

    #[test]
    fn keys_of_common_terminals() {
        assert_eq!(keys(b"jG5 \r\t\x7f\x08"), "jG5<Space><Enter><Tab><Backspace><C-h>");
        assert_eq!(keys(b"\x03\x1a\x0c\x00\x1c"), "<C-c><C-z><C-l><C-Space><C-\\>");
        assert_eq!(keys(b"\x1b[A\x1b[B\x1b[C\x1b[D\x1bOA\x1bOB"), "<Up><Down><Right><Left><Up><Down>");
        assert_eq!(keys(b"\x1b[H\x1b[F\x1b[1~\x1b[4~\x1b[7~\x1b[8~"), "<Home><End><Home><End><Home><End>");
        assert_eq!(keys(b"\x1b[5~\x1b[6~\x1b[3~\x1b[2~"), "<PageUp><PageDown><Delete><Insert>");
        assert_eq!(keys(b"\x1bOP\x1b[11~\x1b[15~\x1b[17~\x1b[24~\x1b[[A"), "<F1><F1><F5><F6><F12><F1>");
        assert_eq!(keys(b"\x1b[1;5C\x1b[5;3~\x1b[Z\x1b[1;2A"), "<C-Right><A-PageUp><BackTab><S-Up>");
        assert_eq!(keys(b"\x1b[97;5u\x1b[27u\x1b[13;5u"), "<C-a><Esc><C-Enter>");
        assert_eq!(keys("é猫😀".as_bytes()), "é猫😀");
        assert_eq!(keys(b"\x1bx\x1b"), "<A-x><Esc>");
        assert_eq!(keys(b"\x1b\x1b[A"), "<Esc><Up>");
    }

    #[test]
    fn every_cut_gives_the_same_keys() {
        let all =
            "j\x1b[A\x1b[1;5C猫\x1bOP\x1b[200~x\x1b[Ay\n\x1b[201~k\x1b]11;rgb:0/0/0\x1b\\G\x1b[<64;5;6M"
                .as_bytes();
        let whole = parse(all);
        for first in 0..all.len() {
            for second in first..all.len() {
                let mut out = Vec::new();
                let mut parser = Parser::default();
                for piece in [&all[..first], &all[first..second], &all[second..]] {
                    parser.feed(piece, &mut out);
                }
                assert_eq!(out, whole, "cut at {first} and {second}");
            }
        }
    }

    #[test]
    fn answers_are_never_typed() {
        for reply in [
            &b"\x1b[?62;4;22c"[..],
            b"\x1b[24;80R",
            b"\x1b]11;rgb:1111/2222/3333\x07",
            b"\x1bP>|kitty(0.40)\x1b\\",
            b"\x1b_Gi=31;OK\x1b\\",
            b"\x1b[6;20;10t",
            b"\x1b[0n",
            b"\x1b[?2026;2$y",
            b"\x1b[?997;1n",
        ] {
            assert_eq!(parse(reply), [Input::Reply(reply.to_vec())]);
        }
        assert_eq!(keys(b"\x1b[M !!j"), "j", "three bytes belong to the old mouse report");
        assert_eq!(keys(b"\x1b]11;rgb"), "", "an answer that never ends types nothing");
        assert_eq!(keys(b"\x1b[12\x1b[A"), "<Up>", "a sequence cut off by another");
    }

    /// Keys that come out when an answer arrives in pieces with silence between them, a key before and one behind.
    fn broken(pieces: &[&[u8]]) -> Vec<Input> {
        let (mut parser, mut out) = (Parser::default(), Vec::new());
        parser.expect(true);
        parser.feed(b"j", &mut out);
        for piece in pieces {
            parser.feed(piece, &mut out);
            parser.short_silence(&mut out);
            parser.long_silence();
        }
        parser.feed(b"k", &mut out);
        out
    }

    const ANSWERS: [&[u8]; 5] = [
        b"\x1b_Gi=31;OK\x1b\\",
        b"\x1bP>|kitty(0.40.1)\x1b\\",
        b"\x1b[6;20;10t",
        b"\x1b[?62;4;22c",
        b"\x1b[0n",
    ];

    #[test]
    fn half_an_answer_waits_for_its_rest_however_long() {
        for answer in ANSWERS {
            for cut in 1..answer.len() {
                let mut got = broken(&[&answer[..cut], &answer[cut..]]);
                // A lone Escape cannot be told from the key.
                got.retain(|input| *input != Input::Key(Key::plain(Code::Esc)));
                let expected =
                    [Input::Key(Key::char('j')), Input::Reply(answer.to_vec()), Input::Key(Key::char('k'))];
                assert_eq!(got, expected, "{} cut at {cut}", answer.escape_ascii());
            }
        }
    }

    #[test]
    fn what_only_begins_like_an_answer_takes_no_key() {
        let typed = |pieces: &[&[u8]]| -> Vec<Input> {
            broken(pieces).into_iter().filter(|input| *input != Input::Key(Key::plain(Code::Esc))).collect()
        };
        let keys = |text: &str| text.chars().map(|c| Input::Key(Key::char(c))).collect::<Vec<_>>();
        assert_eq!(typed(&[b"\x1b_", b"x"]), keys("jxk"));
        assert_eq!(typed(&[b"\x1b", b"_"]), keys("j_k"));
        assert_eq!(typed(&[b"\x1bP", b"a"]), keys("jak"));
        assert_eq!(typed(&[b"\x1b[6;2", b"x"]), keys("jxk"));
        assert_eq!(typed(&[b"\x1b_Gi=31;\x02", b"x"]), keys("jxk"));
    }

    proptest::proptest! {
        #[test]
        fn answers_in_any_pieces_type_nothing(
            which in proptest::collection::vec((0..ANSWERS.len(), proptest::bool::ANY), 1..6),
            cuts in proptest::collection::vec(0..200_usize, 0..12),
        ) {
            let mut bytes = Vec::new();
            let mut expected = Vec::new();
            for (which, key) in which {
                bytes.extend_from_slice(ANSWERS[which]);
                expected.push(Input::Reply(ANSWERS[which].to_vec()));
                if key {
                    bytes.push(b'x');
                    expected.push(Input::Key(Key::char('x')));
                }
            }
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut % bytes.len()).collect();
            // Silence directly behind an Escape is another matter, and has its own test.
            cuts.retain(|cut| *cut == 0 || bytes[cut - 1] != 0x1b);
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let (mut parser, mut out) = (Parser::default(), Vec::new());
            parser.expect(true);
            for pair in cuts.windows(2) {
                parser.feed(&bytes[pair[0]..pair[1]], &mut out);
                parser.short_silence(&mut out);
                parser.long_silence();
            }
            proptest::prop_assert_eq!(out, expected);
        }
    }

    #[test]
    fn a_late_rest_is_not_typed() {
        let mut parser = Parser::default();
        let mut out = Vec::new();
        parser.feed(b"\x1b", &mut out);
        parser.short_silence(&mut out);
        parser.feed(b"[A", &mut out);
        assert_eq!(out, [Input::Key(Key::plain(Code::Esc)), Input::Key(Key::plain(Code::Up))]);
        out.clear();
        parser.feed(b"\x1b", &mut out);
        parser.short_silence(&mut out);
        parser.long_silence();
        parser.feed(b"[", &mut out);
        assert_eq!(out[1..], [Input::Key(Key::char('['))]);
    }

    #[test]
    fn pasted_text_stays_text() {
        assert_eq!(parse(b"\x1b[200~xxA\x1b[31m\r\n\x1b[201~j").len(), 2);
        let Input::Paste(text) = &parse(b"\x1b[200~a\xffb\x1b[201~")[0] else { panic!() };
        assert_eq!(text, "a\u{fffd}b");
    }

    #[test]
    fn mouse_and_focus() {
        assert_eq!(parse(b"\x1b[<0;3;4M\x1b[<0;3;4m"), [Input::Click(2, 3)]);
        assert_eq!(parse(b"\x1b[<64;1;1M\x1b[<65;1;1M"), [Input::Wheel(-3, 0, 0), Input::Wheel(3, 0, 0)]);
        assert_eq!(parse(b"\x1b[I\x1b[O"), [Input::Focus(true), Input::Focus(false)]);
    }

    #[test]
    fn random_bytes_do_no_harm() {
        let mut seed = 1u32;
        for _ in 0..2000 {
            let mut parser = Parser::default();
            let mut out = Vec::new();
            for _ in 0..4 {
                let piece: Vec<u8> = (0..seed % 23)
                    .map(|_| {
                        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        let byte = (seed >> 24) as u8;
                        if byte < 60 {
                            0x1b
                        } else if byte < 120 {
                            b'['
                        } else {
                            byte
                        }
                    })
                    .collect();
                seed = seed.wrapping_add(77);
                parser.feed(&piece, &mut out);
                parser.short_silence(&mut out);
            }
            for input in out {
                if let Input::Key(Key { code: Code::Char(c), .. }) = input {
                    assert!(!c.is_control());
                }
            }
        }
    }
}
