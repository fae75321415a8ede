//! Moving over lists of any length, filtering, sorting, searching.

use super::engine::FakeEngine;
use super::rig::Rig;
use crate::model::{CHUNK, Mode};
use crate::update::Msg;
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::sample::{SampleId, Split};
use chaffinch_protocol::{Command, EnsembleRule, Event, Row, Sort};
use crossterm::event::{MouseButton, MouseEventKind};
use ratatui::layout::Rect;

#[test]
fn moving_goes_where_it_says() {
    let mut rig = Rig::small();
    for (keys, row) in [
        ("jj", 2),
        ("k", 1),
        ("<Up><Up>", 0),
        ("<C-d>", 10),
        ("<C-u>", 0),
        ("<PageDown>", 20),
        ("<PageUp>", 0),
        ("G", 99),
        ("gg", 0),
        ("<End>", 99),
        ("<Home>", 0),
    ] {
        rig.press(keys);
        assert_eq!(rig.model.list.cursor, row, "{keys}");
    }
}

#[test]
fn a_number_in_the_palette_is_a_row() {
    let mut rig = Rig::small();
    rig.press(":57<Enter>");
    assert_eq!(rig.model.list.cursor, 56);
}

#[test]
fn the_palette_does_every_action_by_name() {
    let mut rig = Rig::small();
    rig.press(":bottom<Enter>");
    assert_eq!(rig.model.list.cursor, 99);
    assert_eq!(rig.model.mode, Mode::List);
}

#[test]
fn undecided_rows_are_found_beyond_what_is_held() {
    let mut engine = FakeEngine::new(3000);
    for row in &mut engine.samples[1..2500] {
        row.decision = Some(chaffinch_protocol::decision::Choice::Keep.into());
    }
    let mut rig = Rig::new(engine, 80, 24);
    rig.press("}");
    assert_eq!(rig.model.list.cursor, 2500);
    rig.press("{");
    assert_eq!(rig.model.list.cursor, 0);
    rig.press("{");
    assert_eq!(rig.toast(), "nothing undecided above");
}

/// Who asks for a random order means its first rows that nobody has decided yet, wherever the cursor was.
#[test]
fn orders_that_are_reviewed_from_the_first_row_begin_at_the_first_undecided_one() {
    for keys in [",r", ",u", ",v", ",k"] {
        for decided in [0, 3, 2500] {
            let mut engine = FakeEngine::new(3000);
            for row in &mut engine.samples[..decided] {
                row.decision = Some(Choice::Keep.into());
            }
            let mut rig = Rig::new(engine, 80, 24);
            rig.press(":51<Enter>").press(keys);
            assert_eq!(rig.model.list.cursor, decided as u64, "{keys}");
        }
    }
    // Other orders are another view of the same sample.
    let mut rig = Rig::small();
    rig.press("jjj,n");
    let row = rig.model.list.rows.get(rig.model.list.cursor).map(|row| row.sample);
    assert_eq!(row, Some(SampleId(3)));
}

/// Answers as an engine with ten million rows would.
fn answer(rig: &mut Rig, total: u64, commands: Vec<Command>) -> usize {
    let asked = commands.len();
    for command in commands {
        match command {
            Command::List { ticket, .. } => {
                rig.event(Event::Listed { ticket, total, decided: 0, by_choice: [0; 4], note: String::new() })
            }
            Command::Locate { ticket, sample } => {
                rig.event(Event::Located { ticket, sample, row: Some(u64::from(sample.0)) });
            }
            Command::Rows { ticket, start, len } => {
                let row = |n: u64| Row {
                    sample: SampleId(n as u32),
                    path: format!("{n}.png"),
                    label: None,
                    suggested: None,
                    score: None,
                    flags: Vec::new(),
                    split: Split::None,
                    decision: None,
                    value: None,
                    content: String::new(),
                };
                let rows = (start..(start + u64::from(len)).min(total)).map(row).collect();
                rig.event(Event::Rows { ticket, start, rows });
            }
            _ => {}
        }
    }
    asked
}

#[test]
fn ten_million_rows_are_never_held() {
    let total = 10_000_000;
    let mut rig = Rig::new(FakeEngine::new(1), 120, 40);
    rig.cut = true;
    rig.press(",n");
    let mut most = 0;
    for step in 0..400u64 {
        loop {
            let commands = rig.pull();
            if answer(&mut rig, total, commands) == 0 {
                break;
            }
        }
        assert_eq!(rig.model.list.total, total);
        let here = rig.model.row().expect("the row under the cursor is loaded");
        assert_eq!(here.path, format!("{}.png", rig.model.list.cursor));
        rig.buffer();
        most = most.max(rig.model.list.rows.held());
        let row = step.wrapping_mul(2_654_435_761) % total;
        rig.press(&format!(":{row}<Enter>"));
    }
    assert!(most as u64 <= 49 * CHUNK, "{most}");
}

#[test]
fn a_filter_is_applied_while_typed_and_taken_back_with_escape() {
    let mut rig = Rig::small();
    rig.press("jjfclass:cat");
    rig.wait(500);
    assert_eq!(rig.model.list.total, 25);
    rig.press("<Esc>");
    assert_eq!(rig.model.list.total, 100);
    rig.press("fclass:cat<Enter>");
    assert_eq!(rig.model.list.total, 25);
    rig.press("F");
    assert_eq!(rig.model.list.total, 100);
}

#[test]
fn the_heading_names_the_rule_and_the_thresholds_that_were_moved() {
    let heading = |rig: &Rig| rig.screen().lines().next().unwrap_or_default().to_owned();
    let mut rig = Rig::new(FakeEngine::new(100), 100, 24);
    assert!(!heading(&rig).contains("rule"), "{}", heading(&rig));
    rig.press("E");
    assert!(heading(&rig).contains("rule majority"), "{}", heading(&rig));
    rig.press("+");
    assert!(heading(&rig).contains("blurry below 0.31"), "{}", heading(&rig));
    rig.press("d+");
    assert!(heading(&rig).contains("2 thresholds moved"), "{}", heading(&rig));
    // What was chosen in an earlier run is said as well.
    let mut engine = FakeEngine::new(100);
    engine.summary.ensemble = EnsembleRule::Stacking;
    let again = Rig::new(engine, 100, 24);
    assert!(heading(&again).contains("rule stacking"), "{}", heading(&again));
}

#[test]
fn a_window_that_is_too_small_says_how_large_it_must_be() {
    let rig = Rig::new(FakeEngine::new(3), 30, 8);
    let words = rig.screen().split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(
        words,
        "the window is too small: 30 x 8, at least 40 x 10 is needed; until then keys only quit"
    );
}

#[test]
fn what_is_not_seen_is_not_decided_about() {
    let mut rig = Rig::small();
    let (width, height) = (rig.model.display.size.width, rig.model.display.size.height);
    rig.send(Msg::Resize(30, 8));
    rig.press("xajA");
    rig.send(Msg::Paste("x".to_owned()));
    assert_eq!((rig.model.review.journal.undoable.unwrap_or(0), rig.model.list.cursor), (0, 0));
    rig.send(Msg::Resize(width, height));
    assert!(rig.engine.samples.iter().all(|sample| sample.decision.is_none()));
    rig.press("x");
    assert_eq!(rig.engine.samples.iter().filter(|sample| sample.decision.is_some()).count(), 1);
}

#[test]
fn what_was_refused_is_said_until_it_is_saved() {
    let mut rig = Rig::small();
    rig.press("a");
    rig.engine.refuse = Some("the disk is full".to_owned());
    rig.press("x");
    assert!(rig.screen().contains("1 not saved"), "{}", rig.screen());
    rig.press("j");
    assert!(rig.screen().contains("1 not saved") && !rig.screen().contains("● saved"), "{}", rig.screen());
    rig.engine.refuse = None;
    rig.press("a");
    assert!(rig.screen().contains("1 not saved"), "another one is saved: {}", rig.screen());
    rig.press("ggjx");
    assert!(rig.screen().contains("● saved"), "{}", rig.screen());
    assert!(rig.model.review.journal.refused.is_empty());
}

#[test]
fn what_is_saved_already_is_not_unsaved() {
    let mut rig = Rig::small();
    rig.engine.refuse = Some("the disk is full".to_owned());
    rig.press("x");
    assert!(rig.screen().contains("1 not saved"), "{}", rig.screen());
    rig.engine.refuse = None;
    // By another terminal.
    let first = rig.model.sample().unwrap();
    rig.engine.samples[first.index()].decision = Some(Choice::Remove.into());
    rig.press("x");
    assert!(!rig.screen().contains("not saved"), "{}", rig.screen());
}

#[test]
fn a_long_warning_goes_on_in_the_place_of_the_keys() {
    let mut rig = Rig::small();
    let last = |rig: &Rig| rig.screen().lines().last().unwrap_or_default().to_owned();
    let keys = last(&rig);
    let path = "/data/photos/of/the/last/summer/that/were/kept/session.jsonl";
    rig.engine.refuse =
        Some(format!("cannot write {path}: no space left on the device; free some, then decide again"));
    rig.press("x");
    let screen = rig.screen();
    assert!(screen.contains("✗ cannot write") && last(&rig).contains("decide again"), "{screen}");
    // The way out and the help stay. The keys that stood there are not pressed with the mouse unseen.
    assert!(last(&rig).trim_end().ends_with("quit") && last(&rig).contains("? help"), "{screen}");
    let (width, height) = (rig.model.display.size.width, rig.model.display.size.height);
    assert_eq!(rig.model.hints(Rect::new(0, height - 1, width, 1)).len(), 2);
    rig.engine.refuse = None;
    rig.press("j");
    assert_eq!(last(&rig), keys);
    // Of a longer one the path gives way, and the end stays.
    let path = "/data".repeat(40);
    rig.engine.refuse =
        Some(format!("{path}/anna.jsonl: the session was moved; quit, and open it where it is now: {path}"));
    rig.press("x");
    let screen = rig.screen();
    assert!(screen.contains("✗ /data") && screen.contains("open it where it is now"), "{screen}");
    rig.engine.refuse = None;
    rig.press("j");
    for width in 40..200 {
        rig.engine.refuse = Some("word ".repeat(80));
        rig.send(Msg::Resize(width, 24));
        rig.press("x");
        assert!(last(&rig).contains("word"), "{width}: {}", rig.screen());
    }
}

#[test]
fn rows_are_gone_to_by_number_share_and_step() {
    let mut rig = Rig::small();
    for (typed, row) in
        [("12", 11), ("50%", 50), ("100%", 99), ("-5", 94), ("+3", 97), ("0%", 0), ("999", 99)]
    {
        rig.press(&format!(":{typed}<Enter>"));
        assert_eq!(rig.model.list.cursor, row, "{typed}");
    }
    assert_eq!(rig.choice(0), None, "no number is taken for a candidate");
}

#[test]
fn an_empty_filter_offers_its_words() {
    let mut rig = Rig::small();
    rig.press("f");
    let screen = rig.screen();
    for word in
        ["class:", "suggested:", "detector:", "score<", "tag:", "note:", "path:", "undecided", "decision:"]
    {
        assert!(screen.contains(word), "{word}\n{screen}");
    }
    rig.press("zzz<Enter>");
    let screen = rig.screen();
    assert!(screen.contains("nothing matches this filter"), "{screen}");
    assert!(screen.contains("zzz"), "{screen}");
}

#[test]
fn filter_words_are_completed() {
    let mut rig = Rig::small();
    rig.press("fund<Tab><Space>cl<Tab>h<Tab>");
    let Mode::Prompt(prompt) = &rig.model.mode else { panic!() };
    assert_eq!(prompt.line.text, "undecided class:horse");
}

#[test]
fn the_cursor_stays_on_its_sample_when_the_order_changes() {
    let mut rig = Rig::small();
    rig.press("jjj");
    let sample = rig.model.sample();
    rig.press(",c");
    assert_eq!(rig.model.list.query.sort, Sort::Class);
    assert_eq!(rig.model.sample(), sample);
    rig.press(",,");
    assert_eq!(rig.model.sample(), sample);
    assert!(rig.model.list.query.descending);
}

#[test]
fn the_first_row_asked_for_is_that_of_the_list_on_its_way() {
    let mut rig = Rig::small();
    rig.press("jj,,");
    assert_eq!(rig.model.list.cursor, 97, "it stays on its sample where the order turns round");
    rig.cut = true;
    rig.press(",,gg");
    rig.mend();
    assert_eq!((rig.model.list.cursor, rig.model.sample()), (0, Some(SampleId(0))));
    rig.cut = true;
    rig.press(",,G");
    rig.mend();
    assert_eq!((rig.model.list.cursor, rig.model.sample()), (99, Some(SampleId(0))));
}

#[test]
fn old_answers_are_dropped() {
    let mut rig = Rig::small();
    let ticket = rig.model.list.ticket;
    rig.event(Event::Listed {
        ticket: ticket + 7,
        total: 3,
        decided: 0,
        by_choice: [0; 4],
        note: String::new(),
    });
    rig.event(Event::Rows { ticket: ticket + 7, start: 0, rows: Vec::new() });
    rig.event(Event::Found { ticket: ticket + 7, row: Some(50) });
    assert_eq!((rig.model.list.total, rig.model.list.cursor), (100, 0));
    assert!(rig.model.row().is_some());
}

#[test]
fn a_search_goes_along_counts_and_goes_back() {
    let mut rig = Rig::new(FakeEngine::new(5000), 80, 24);
    rig.press("jj/n000");
    rig.wait(500);
    assert_eq!(rig.model.list.cursor, 3, "the next match from where it began");
    assert!(rig.screen().contains("4 of 100"), "{}", rig.screen());
    rig.press("42");
    rig.wait(500);
    assert_eq!(rig.model.list.cursor, 42);
    assert!(rig.screen().contains("1 of 1"), "{}", rig.screen());
    rig.press("<Esc>");
    assert_eq!(rig.model.list.cursor, 2, "nothing was searched for");
    rig.press("/n0000<Enter>");
    assert!(rig.toast().contains("4 of 10"), "{}", rig.toast());
    rig.press("NNN");
    assert_eq!(rig.model.list.cursor, 0);
    rig.press("N");
    assert_eq!(rig.model.list.cursor, 9, "around the end");
    rig.press("n");
    assert_eq!(rig.model.list.cursor, 0);
    assert!(rig.toast().contains("from the top again"), "{}", rig.toast());
}

#[test]
fn a_search_finds_rows_that_are_not_held() {
    let mut rig = Rig::new(FakeEngine::new(5000), 80, 24);
    rig.press("/n04321<Enter>");
    assert_eq!(rig.model.list.cursor, 4321);
    rig.press("gg/HORSE<Enter>");
    assert_eq!(rig.model.list.cursor, 3, "labeled horse, in any case");
    rig.press("n");
    assert_eq!(rig.model.list.cursor, 6, "suggested horse");
    rig.press("N");
    assert_eq!(rig.model.list.cursor, 3);
    rig.press("/nothing of that name<Enter>");
    assert_eq!(rig.toast(), "no 'nothing of that name' in this list");
    assert_eq!(rig.model.list.cursor, 3);
}

#[test]
fn classes_are_walked_in_class_order() {
    let mut rig = Rig::small();
    rig.press("]");
    assert_eq!(rig.model.list.query.sort, Sort::Class);
    rig.press("]");
    assert_eq!(rig.model.list.cursor, 25);
    rig.press("]");
    assert_eq!(rig.model.list.cursor, 50);
    rig.press("[");
    assert_eq!(rig.model.list.cursor, 49);
}

#[test]
fn thresholds_are_sent_when_the_key_rests() {
    let mut rig = Rig::small();
    rig.press("d");
    assert_eq!(rig.model.detector, 1);
    for _ in 0..10 {
        rig.send(Msg::Key(crate::key::KeyChord::char('+').into()));
    }
    let sent =
        |rig: &Rig| rig.engine.seen.iter().filter(|c| matches!(c, Command::SetThreshold { .. })).count();
    assert_eq!(sent(&rig), 0);
    rig.wait(500);
    assert_eq!(sent(&rig), 1);
    let threshold = rig.engine.summary.detectors[1].threshold;
    assert!((threshold - 0.6).abs() < 1e-6, "{threshold}");
}

#[test]
fn the_ensemble_rule_goes_round() {
    let mut rig = Rig::small();
    rig.press("E");
    assert_eq!(rig.engine.summary.ensemble, EnsembleRule::Majority);
    rig.press("EEEE");
    assert_eq!(rig.engine.summary.ensemble, EnsembleRule::Stacking);
    rig.press("EEE");
    assert_eq!(rig.engine.summary.ensemble, EnsembleRule::Or);
}

#[test]
fn a_traveling_cursor_asks_for_no_pictures() {
    let mut rig = Rig::new(FakeEngine::new(3000), 80, 24);
    rig.press("jj");
    let pictures =
        |rig: &Rig| rig.engine.seen.iter().filter(|c| matches!(c, Command::Picture { slot: 0, .. })).count();
    let before = pictures(&rig);
    for _ in 0..150 {
        rig.wait(33);
        rig.send(Msg::Key(crate::key::KeyChord::char('j').into()));
    }
    assert!(pictures(&rig) - before <= 2, "{}", pictures(&rig) - before);
    rig.wait(200);
    rig.wait(200);
    assert!(rig.screen().contains('▀'), "the last one is shown");
    assert_eq!(rig.model.list.cursor, 152);
}

#[test]
fn pasted_text_never_decides() {
    let mut rig = Rig::small();
    rig.send(Msg::Paste("xxxx".to_owned()));
    assert_eq!(rig.choice(0), None);
    rig.press("/");
    rig.send(Msg::Paste("n00007\n".to_owned()));
    rig.press("<Enter>");
    assert_eq!(rig.model.list.cursor, 7);
}

#[test]
fn unknown_keys_say_so_and_unfinished_ones_are_dropped() {
    let mut rig = Rig::small();
    rig.press("%");
    assert!(rig.toast().starts_with("% is not used here"));
    rig.press("g<Esc>j");
    assert_eq!(rig.model.list.cursor, 1);
}

#[test]
fn keys_in_the_last_line_lines_of_windows_and_candidates_are_clicked() {
    let mut rig = Rig::new(FakeEngine::new(100), 120, 40);
    let left = MouseEventKind::Down(MouseButton::Left);
    let column = |rig: &Rig, words: &str, row: u16| {
        let screen = rig.screen();
        let line = screen.lines().nth(usize::from(row)).unwrap().to_owned();
        let at = line.find(words).unwrap_or_else(|| panic!("no '{words}' in '{line}'"));
        crate::text::width(&line[..at]) as u16
    };
    let x = column(&rig, "remove", 39);
    rig.mouse(left, x, 39);
    assert!(matches!(rig.choice(0), Some(Choice::Remove)));
    let x = column(&rig, "help", 39);
    rig.mouse(left, x, 39);
    assert!(matches!(rig.model.mode, Mode::Picker(_)));
    // The line of a window is chosen, then taken.
    let screen = rig.screen();
    let row = screen.lines().position(|line| line.contains("Mark the sample as unsure")).unwrap() as u16;
    let x = column(&rig, "Mark the sample as unsure", row);
    rig.mouse(left, x, row);
    assert!(matches!(&rig.model.mode, Mode::Picker(picker) if picker.selected > 0));
    rig.mouse(left, x, row);
    assert!(matches!(rig.choice(1), Some(Choice::Unsure)), "{:?}", rig.choice(1));
    rig.wait(1_000);
    let screen = rig.screen();
    let found = screen.lines().enumerate().find(|(_, line)| line.contains("│ 1 "));
    let (row, line) = found.unwrap_or_else(|| panic!("{screen}"));
    let x = crate::text::width(&line[..line.find("│ 1 ").unwrap()]) as u16 + 4;
    let sample = rig.model.sample().unwrap().0;
    rig.mouse(left, x, row as u16);
    assert!(matches!(rig.choice(sample), Some(Choice::Relabel(_))));
    // The first click on a picture of the strip chooses it, the second goes to it.
    let (thumb, besides) = (rig.model.layout().thumb(1), rig.model.besides());
    rig.mouse(left, thumb.x + 2, thumb.y + 2);
    assert_eq!(rig.model.views.look.chosen, Some(1));
    rig.mouse(left, thumb.x + 2, thumb.y + 2);
    assert_eq!(rig.model.sample(), Some(besides[1].sample));
}

#[test]
fn the_mouse_selects_and_scrolls() {
    let mut rig = Rig::small();
    rig.mouse(MouseEventKind::Down(MouseButton::Left), 5, 8);
    assert_eq!(rig.model.list.cursor, 6, "below the heads of the columns");
    rig.mouse(MouseEventKind::ScrollDown, 5, 8);
    assert_eq!(rig.model.list.cursor, 9);
}

#[test]
fn nothing_is_due_when_nothing_happens() {
    let mut rig = Rig::small();
    rig.press("jjx");
    for _ in 0..20 {
        rig.wait(1_000);
    }
    assert_eq!(rig.model.deadline(), None, "an idle interface sleeps");
}

#[test]
fn a_page_stays_a_page_under_the_large_picture() {
    let mut rig = Rig::small();
    rig.press("jjz<PageDown>");
    assert_eq!(rig.model.list.cursor, 22);
    rig.press("zk");
    assert_eq!(rig.model.list.cursor, 21);
}

#[test]
fn another_rule_or_threshold_lists_anew_even_if_the_counts_stay() {
    let mut rig = Rig::small();
    let lists = |rig: &Rig| rig.engine.seen.iter().filter(|c| matches!(c, Command::List { .. })).count();
    for keys in ["E", "E", "+", "-"] {
        let before = lists(&rig);
        rig.press(keys);
        rig.wait(500);
        assert_eq!(lists(&rig), before + 1, "{keys}");
    }
}
