use super::*;
use crate::key::KeyChord;
use crossterm::event::{KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

fn key(code: KeyCode) -> Input {
    KeyEvent::from(code).into()
}

fn esc() -> Input {
    key(KeyCode::Esc)
}

fn char(c: char) -> Input {
    key(KeyCode::Char(c))
}

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
        Input::Event(Event::Key(key)) => KeyChord::from(key).to_string(),
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
    let all = "j\x1b[A\x1b[1;5C猫\x1bOP\x1b[200~x\x1b[Ay\n\x1b[201~k\x1b]11;rgb:0/0/0\x1b\\G\x1b[<64;5;6M"
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

/// The keys parsed when a reply arrives in pieces with pauses between them, with a key before and one after.
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

const ANSWERS: [&[u8]; 5] =
    [b"\x1b_Gi=31;OK\x1b\\", b"\x1bP>|kitty(0.40.1)\x1b\\", b"\x1b[6;20;10t", b"\x1b[?62;4;22c", b"\x1b[0n"];

#[test]
fn half_an_answer_waits_for_its_rest_however_long() {
    for answer in ANSWERS {
        for cut in 1..answer.len() {
            let mut got = broken(&[&answer[..cut], &answer[cut..]]);
            // A lone Escape cannot be distinguished from the key.
            got.retain(|input| *input != esc());
            let expected = [char('j'), Input::Reply(answer.to_vec()), char('k')];
            assert_eq!(got, expected, "{} cut at {cut}", answer.escape_ascii());
        }
    }
}

#[test]
fn what_only_begins_like_an_answer_takes_no_key() {
    let typed = |pieces: &[&[u8]]| -> Vec<Input> {
        broken(pieces).into_iter().filter(|input| *input != esc()).collect()
    };
    let keys = |text: &str| text.chars().map(char).collect::<Vec<_>>();
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
                expected.push(char('x'));
            }
        }
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut % bytes.len()).collect();
        // A pause directly after an Escape has its own test.
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
    assert_eq!(out, [esc(), key(KeyCode::Up)]);
    out.clear();
    parser.feed(b"\x1b", &mut out);
    parser.short_silence(&mut out);
    parser.long_silence();
    parser.feed(b"[", &mut out);
    assert_eq!(out[1..], [char('[')]);
}

#[test]
fn pasted_text_stays_text() {
    assert_eq!(parse(b"\x1b[200~xxA\x1b[31m\r\n\x1b[201~j").len(), 2);
    let Input::Event(Event::Paste(text)) = &parse(b"\x1b[200~a\xffb\x1b[201~")[0] else { panic!() };
    assert_eq!(text, "a\u{fffd}b");
}

#[test]
fn mouse_and_focus() {
    let (left, right) = (MouseButton::Left, MouseButton::Right);
    for (bytes, kind, modifiers) in [
        (&b"\x1b[<0;3;4M"[..], MouseEventKind::Down(left), KeyModifiers::NONE),
        (b"\x1b[<0;3;4m", MouseEventKind::Up(left), KeyModifiers::NONE),
        (b"\x1b[<2;3;4M", MouseEventKind::Down(right), KeyModifiers::NONE),
        (b"\x1b[<20;3;4M", MouseEventKind::Down(left), KeyModifiers::SHIFT | KeyModifiers::CONTROL),
        (b"\x1b[<32;3;4M", MouseEventKind::Drag(left), KeyModifiers::NONE),
        (b"\x1b[<35;3;4M", MouseEventKind::Moved, KeyModifiers::NONE),
        (b"\x1b[<64;3;4M", MouseEventKind::ScrollUp, KeyModifiers::NONE),
        (b"\x1b[<65;3;4M", MouseEventKind::ScrollDown, KeyModifiers::NONE),
    ] {
        let event = MouseEvent { kind, column: 2, row: 3, modifiers };
        assert_eq!(parse(bytes), [Input::Event(Event::Mouse(event))]);
    }
    assert_eq!(parse(b"\x1b[I\x1b[O"), [Input::Event(Event::FocusGained), Input::Event(Event::FocusLost)]);
}

#[test]
fn events_are_those_of_crossterm() {
    let event = |code, modifiers| [Input::from(KeyEvent::new(code, modifiers))];
    assert_eq!(parse(b"G"), event(KeyCode::Char('G'), KeyModifiers::SHIFT));
    assert_eq!(parse(b"\x1b[Z"), event(KeyCode::BackTab, KeyModifiers::SHIFT));
    assert_eq!(parse(b"\x1b[97;9u"), event(KeyCode::Char('a'), KeyModifiers::SUPER));
    let release = KeyEvent::new_with_kind(KeyCode::Char('a'), KeyModifiers::NONE, KeyEventKind::Release);
    assert_eq!(parse(b"\x1b[97;1:3u"), [Input::from(release)]);
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
            if let Input::Event(Event::Key(KeyEvent { code: KeyCode::Char(c), .. })) = input {
                assert!(!c.is_control());
            }
        }
    }
}
