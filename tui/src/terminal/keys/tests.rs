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

const ANSWERS: [&[u8]; 5] =
    [b"\x1b_Gi=31;OK\x1b\\", b"\x1bP>|kitty(0.40.1)\x1b\\", b"\x1b[6;20;10t", b"\x1b[?62;4;22c", b"\x1b[0n"];

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
