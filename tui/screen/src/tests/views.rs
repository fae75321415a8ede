//! Grid, compare, groups, clusters and map by key: what is requested, what is sent, where the cursor goes.

use super::engine::FakeEngine;
use super::rig::Rig;
use crate::model::{Mode, slot};
use crate::pages::map_area;
use crate::picture::Protocol;
use crate::update::Msg;
use crate::view;
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Command, ViewCommand};
use crossterm::event::{MouseButton, MouseEventKind};
use std::collections::BTreeSet;

/// Columns of the grid.
fn columns(rig: &Rig) -> Option<u16> {
    rig.model.views.page.list_cells(&rig.model).map(|cells| cells.columns)
}

/// Samples whose pictures were requested since the last check.
fn asked(rig: &mut Rig) -> BTreeSet<SampleId> {
    let seen = std::mem::take(&mut rig.engine.seen);
    let sample = |command: &Command| match command {
        Command::Picture { sample, .. } => Some(*sample),
        _ => None,
    };
    seen.iter().filter_map(sample).collect()
}

#[test]
fn the_grid_asks_for_what_is_on_the_screen_and_nothing_else() {
    let mut rig = Rig::new(FakeEngine::new(10_000), 80, 24);
    asked(&mut rig);
    rig.press("i");
    let cells = rig.model.views.page.list_cells(&rig.model).unwrap();
    assert_eq!((cells.columns, cells.rows), (5, 2), "80x24");
    let wanted = |first: u32| (first..first + 10).map(SampleId).collect::<BTreeSet<_>>();
    assert_eq!(asked(&mut rig), wanted(0));
    // Moving inside asks for nothing; a jump asks for one screen.
    rig.press("ljkh");
    assert_eq!(asked(&mut rig), BTreeSet::new());
    rig.press("G");
    assert_eq!(asked(&mut rig), wanted(9_990));
    assert_eq!(rig.model.list.cursor, 9_999);
    assert!(rig.model.list.rows.held() < 4_000);
}

#[test]
fn the_grid_moves_by_rows_and_columns_and_stays_whole() {
    let mut rig = Rig::new(FakeEngine::new(103), 80, 24);
    rig.press("i");
    for (keys, row) in [
        ("l", 1),
        ("j", 6),
        ("h", 5),
        ("k", 0),
        ("k", 0),
        ("h", 0),
        ("lllll", 5),
        ("<PageDown>", 15),
        ("G", 102),
        ("j", 102),
        ("k", 97),
        ("gg", 0),
    ] {
        rig.press(keys);
        assert_eq!(rig.model.list.cursor, row, "{keys}");
        let list = &rig.model.list;
        assert_eq!(list.top % 5, 0, "{keys}: rows begin at the left border");
        assert!(list.cursor >= list.top && list.cursor < list.top + 10, "{keys}");
    }
    rig.press("i");
    assert_eq!(rig.model.views.page.name(), "list");
}

#[test]
fn columns_are_chosen_and_every_size_of_the_window_works() {
    let mut rig = Rig::new(FakeEngine::new(1000), 80, 24);
    rig.press("iG<lt><lt>");
    assert_eq!(columns(&rig), Some(7));
    rig.press(">>>>>>>>>>>>");
    assert_eq!(columns(&rig), Some(1));
    rig.press("<lt><lt><lt><lt><lt><lt><lt><lt><lt><lt><lt><lt><lt><lt><lt><lt>");
    for (width, height) in [(200, 50), (40, 10), (60, 16), (300, 100), (5, 3), (80, 24)] {
        rig.send(Msg::Resize(width, height));
        rig.screen();
        for key in ["c", "o", "b", "<Esc>", "p", "<Esc>", "C", "<Esc>", "m", ">", "<Esc>", "Z"] {
            rig.press(key);
            rig.screen();
        }
    }
    assert_eq!(rig.model.views.page.name(), "grid", "closing a view goes back to what was below it");
}

#[test]
fn marks_and_decisions_work_in_the_grid_and_show_in_every_cell() {
    let mut rig = Rig::new(FakeEngine::new(100), 80, 24);
    rig.press("ix<Space>j");
    assert_eq!(rig.choice(0), Some(Choice::Remove));
    assert_eq!(rig.model.list.cursor, 7);
    let cells = rig.model.views.page.list_cells(&rig.model).unwrap();
    let gutter = |rig: &Rig, place: usize, line: u16| {
        let cell = cells.cell(place);
        rig.buffer()[(cell.x, cell.y + line)].symbol().to_owned()
    };
    assert_eq!(gutter(&rig, 0, 1), "✗");
    assert_eq!(gutter(&rig, 1, 0), "◆");
    assert_eq!(gutter(&rig, 7, 0), "▌");
    // Without names too.
    rig.press("o");
    let cells = rig.model.views.page.list_cells(&rig.model).unwrap();
    let cell = cells.cell(0);
    assert_eq!(rig.buffer()[(cell.x, cell.y + 1)].symbol(), "✗");
    rig.press("a");
    assert_eq!(rig.choice(1), Some(Choice::Keep), "the marked one");
}

#[test]
fn the_grid_is_there_again_in_the_next_run() {
    let mut rig = Rig::new(FakeEngine::new(1000), 80, 24);
    rig.press("i<lt>jjjl");
    let here = (rig.model.sample(), rig.model.list.top);
    rig.press(":quit<Enter>");
    let mut engine = FakeEngine::new(1000);
    engine.summary.remembered = rig.engine.summary.remembered.clone();
    let mut again = Rig::new(engine, 80, 24);
    assert_eq!((again.model.views.page.name(), columns(&again)), ("grid", Some(6)));
    assert_eq!((again.model.sample(), again.model.list.top), here);
    again.press("z");
    assert!(again.model.views.look.zoom && again.model.views.page.name() == "list", "one picture alone");
}

#[test]
fn a_held_key_in_the_grid_replaces_questions_instead_of_queueing_them() {
    let mut rig = Rig::new(FakeEngine::new(10_000), 80, 24);
    rig.press("i");
    rig.cut = true;
    for _ in 0..20 {
        rig.wait(200);
        rig.send(Msg::Act(crate::action::Action::PageDown));
    }
    assert!(rig.model.pictures.asked.keys().filter(|s| **s >= slot::GRID).count() <= 10);
    rig.mend();
    rig.wait(1_000);
    let shown = rig.model.views.page.shots(&rig.model);
    assert_eq!(shown.len(), 10);
    assert!(shown.iter().all(|shot| rig.model.pictures.get(shot.key).is_some()));
}

#[test]
fn compare_shows_both_and_goes_through_what_is_beside() {
    let mut rig = Rig::new(FakeEngine::new(100), 80, 24);
    rig.press("c");
    let other = |rig: &Rig| rig.model.views.page.compared(&rig.model).unwrap();
    assert_eq!(
        (rig.model.sample(), other(&rig)),
        (Some(SampleId(0)), SampleId(21)),
        "of the suggested class"
    );
    let shown: Vec<SampleId> =
        rig.model.views.page.shots(&rig.model).iter().map(|shot| shot.key.sample).collect();
    assert_eq!(shown, [SampleId(0), SampleId(21)]);
    assert!(rig.screen().contains("different label") && rig.screen().contains("similar 0.810"));
    rig.press("l");
    assert_eq!(other(&rig), SampleId(25));
    rig.press("hh");
    let all = rig.model.besides();
    assert_eq!(all.last().unwrap().kind, "medoid", "{all:?}");
    assert_eq!(other(&rig), all.last().unwrap().sample);
    // The next sample begins with its own first one.
    rig.press("j");
    assert_eq!((rig.model.sample(), other(&rig)), (Some(SampleId(1)), SampleId(4)));
    rig.press("x");
    assert_eq!(rig.choice(1), Some(Choice::Remove));
    rig.press("go");
    assert_eq!((rig.model.views.page.name(), rig.model.sample()), ("list", Some(SampleId(5))));
}

#[test]
fn blinking_changes_what_is_in_one_place() {
    let mut rig = Rig::new(FakeEngine::new(100), 120, 40);
    rig.send(Msg::Target(Some((Protocol::Kitty, (10, 20)))));
    rig.press("b");
    rig.wait(1_000);
    let wanted = |rig: &Rig| {
        let wanted = view::wanted(&rig.model);
        assert_eq!(wanted.len(), 1);
        (wanted[0].slot, wanted[0].area, wanted[0].graphics.last().unwrap().key)
    };
    let this = wanted(&rig);
    rig.press("b");
    let other = wanted(&rig);
    assert_eq!((this.0, this.1), (other.0, other.1), "the same place");
    assert_ne!(this.2, other.2);
    rig.press("b");
    assert_eq!(wanted(&rig).2, this.2);
    rig.press("c");
    assert_eq!(view::wanted(&rig.model).len(), 2, "side by side again");
    rig.press("c");
    assert_eq!(rig.model.views.page.name(), "list");
}

#[test]
fn pixel_by_pixel_the_arrow_keys_move_over_the_picture() {
    let mut rig = Rig::new(FakeEngine::new(100), 80, 24);
    rig.press("cz");
    let last = |rig: &Rig| {
        let parts = rig.engine.seen.iter().rev();
        let part = |command: &Command| match command {
            Command::View(ViewCommand::Part { sample, middle, width, height, .. }) => {
                Some((*sample, *middle, *width, *height))
            }
            _ => None,
        };
        parts.clone().find_map(part).unwrap()
    };
    let (_, middle, width, height) = last(&rig);
    assert_eq!((width, height), (39, 34), "as many pixels as there are in the pane");
    rig.press("ll");
    let (_, moved, ..) = last(&rig);
    assert!(moved.0 > middle.0 && moved.1 == middle.1);
    assert_eq!(rig.model.list.cursor, 0, "the cursor of the list stays");
    rig.press(">");
    let (_, _, width, height) = last(&rig);
    assert_eq!((width, height), (19, 17), "half as many, twice as large");
    // It stops at the border of the picture.
    for _ in 0..200 {
        rig.press("h");
    }
    let (_, edge, width, _) = last(&rig);
    let left = f64::from(edge.0) / f64::from(u16::MAX) * 500.0 - f64::from(width) / 2.0;
    assert!((-1.0..=2.0).contains(&left), "{left}");
    rig.press("J");
    assert_eq!((rig.model.list.cursor, rig.model.views.look.part.is_some()), (1, true));
    rig.press("<Esc>");
    assert_eq!((rig.model.views.look.part, rig.model.views.page.name()), (None, "compare"));
    rig.press("<Esc>Z");
    assert!(rig.model.views.look.zoom && rig.model.views.look.part.is_some(), "in the list too");
    rig.press("z");
    assert!(!rig.model.views.look.zoom);
}

#[test]
fn keeping_the_best_removes_the_others_and_one_undo_takes_it_back() {
    let mut rig = Rig::new(FakeEngine::new(100), 80, 24);
    rig.engine.groups.push(vec![SampleId(18), SampleId(30)]);
    rig.press("jjB");
    assert_eq!(rig.model.views.page.name(), "group", "first the group is shown");
    assert_eq!(rig.choice(2), None);
    assert!(rig.screen().contains("best: highest score of duplicate"), "{}", rig.screen());
    rig.press("B");
    let all = [2, 14, 26].map(|n| rig.choice(n));
    assert_eq!(all, [Some(Choice::Keep), Some(Choice::Remove), Some(Choice::Remove)]);
    assert_eq!(rig.model.views.groups.place, 1, "on to the next group");
    assert!(rig.model.review.journal.overlay.is_empty());
    rig.press("u");
    assert_eq!([2, 14, 26].map(|n| rig.choice(n)), [const { None }; 3]);
    assert_eq!(rig.model.views.groups.place, 0, "back at the group");
}

#[test]
fn a_marked_member_is_kept_instead() {
    let mut rig = Rig::new(FakeEngine::new(100), 80, 24);
    // The group below first: then what is above is still undecided.
    rig.engine.groups.push(vec![SampleId(18), SampleId(30)]);
    rig.press("jjp]B");
    assert_eq!(rig.model.views.groups.place, 0);
    rig.press("l<Space>B");
    let all = [2, 14, 26].map(|n| rig.choice(n));
    assert_eq!(all, [Some(Choice::Remove), Some(Choice::Keep), Some(Choice::Remove)]);
}

#[test]
fn an_order_is_seen_where_it_is_chosen_on_another_page() {
    for keys in [",c", ",n", ",l", ",,", "g~"] {
        let mut rig = Rig::new(FakeEngine::new(100), 80, 24);
        rig.engine.groups.push(vec![SampleId(18), SampleId(30)]);
        rig.press("p");
        assert_eq!(rig.model.views.page.name(), "group");
        rig.press(keys);
        assert!(rig.model.views.page.is_over_the_list(), "{keys}: {}", rig.screen());
    }
}

#[test]
fn large_groups_are_asked_about_first() {
    let mut rig = Rig::new(FakeEngine::new(200), 80, 24);
    rig.engine.groups = vec![(0..150).map(SampleId).collect()];
    rig.engine.samples.iter_mut().for_each(|row| row.label = Some(0));
    rig.press("pB");
    let Mode::Confirm(confirm) = &rig.model.mode else { panic!("{:?}", rig.model.mode) };
    assert_eq!(confirm.question, "keep the best and remove 149 samples?");
    rig.press("n");
    assert_eq!(rig.choice(1), None);
    rig.press("By");
    assert_eq!((rig.choice(0), rig.choice(149)), (Some(Choice::Keep), Some(Choice::Remove)));
    rig.press("u");
    assert_eq!(rig.choice(149), None);
}

#[test]
fn members_are_decided_one_by_one_too() {
    let mut rig = Rig::new(FakeEngine::new(100), 80, 24);
    rig.engine.groups.push(vec![SampleId(18), SampleId(30)]);
    rig.press("jjpax");
    assert_eq!([2, 14, 26].map(|n| rig.choice(n)), [Some(Choice::Keep), Some(Choice::Remove), None]);
    assert_eq!((rig.model.views.groups.place, rig.model.views.groups.cursor), (0, 2));
    rig.press("x");
    assert_eq!(rig.model.views.groups.place, 1, "the last member ends the group");
    rig.press("[");
    assert_eq!(rig.model.views.groups.place, 0);
    rig.press("}");
    assert_eq!(rig.model.views.groups.place, 1, "the next one with something undecided");
    rig.press("X");
    assert_eq!([18, 30].map(|n| rig.choice(n)), [const { Some(Choice::Remove) }; 2]);
    assert_eq!(rig.toast(), "removed train/dog/n00018.jpg   u undo   all groups are decided");
}

#[test]
fn a_refused_group_is_taken_back_on_the_screen() {
    let mut rig = Rig::new(FakeEngine::new(100), 80, 24);
    rig.engine.groups.push(vec![SampleId(18), SampleId(30)]);
    rig.engine.refuse = Some("the disk is full".to_owned());
    rig.press("jjpB");
    assert!(rig.screen().contains("the disk is full"));
    assert!(rig.model.review.journal.overlay.is_empty());
    assert_eq!(rig.model.views.groups.place, 0, "back at the group that was not decided");
    let shown = rig.model.views.groups.shown.as_ref().unwrap();
    assert!(shown.members.iter().all(|member| rig.model.choice(&member.row).is_none()));
}

#[test]
fn leaks_are_groups_across_splits() {
    let mut rig = Rig::new(FakeEngine::new(100), 80, 24);
    rig.engine.groups = vec![vec![SampleId(0), SampleId(1)], vec![SampleId(4), SampleId(8)]];
    rig.press("p");
    assert_eq!(rig.model.views.groups.total, Some(2));
    rig.press("T");
    assert_eq!(rig.model.views.groups.total, Some(1));
    assert!(rig.screen().contains("leak: train, test"), "{}", rig.screen());
}

#[test]
fn clusters_go_by_class_and_become_a_filter() {
    let mut rig = Rig::new(FakeEngine::new(100), 80, 24);
    rig.press("jC");
    assert!(rig.screen().contains("cat · class 2 of 4"), "{}", rig.screen());
    assert_eq!(rig.model.sample(), Some(SampleId(1)));
    rig.press("l]");
    assert_eq!(rig.model.sample(), Some(SampleId(2)), "the medoid of the next class");
    rig.press("lf<Enter>");
    assert_eq!(rig.model.list.query.filter, "cluster:\"dog/2\"");
}

#[test]
fn an_area_of_the_map_becomes_marks_or_a_filter() {
    let mut rig = Rig::new(FakeEngine::new(100), 80, 24);
    rig.press("m");
    assert!(rig.model.views.map.shown.is_some());
    // The upper left quarter: one class.
    rig.press("kkkkkkkkkkkkkk");
    for _ in 0..40 {
        rig.press("h");
    }
    rig.press("v");
    let place = map_area(rig.model.display.size);
    for _ in 0..place.width / 4 {
        rig.press("l");
    }
    for _ in 0..place.height / 2 {
        rig.press("j");
    }
    rig.press("v");
    let classes: BTreeSet<u32> = rig.model.review.marks.iter().map(|s| s.0 % 4).collect();
    assert_eq!((rig.model.review.marks.len(), classes), (25, BTreeSet::from([0])));
    rig.press("<Esc>f");
    assert!(matches!(rig.model.mode, Mode::Prompt(_)));
    rig.press("<Enter>");
    assert!(rig.model.list.query.filter.starts_with("map:0.0000,0.0000,"), "{}", rig.model.list.query.filter);
}

#[test]
fn the_map_opens_at_the_sample_and_a_held_key_goes_faster() {
    let mut rig = Rig::new(FakeEngine::new(100), 80, 24);
    for row in [0, 4, 99] {
        rig.press(&format!(":{}<Enter>", row + 1));
        let sample = rig.model.sample();
        rig.press("m");
        let map = &rig.model.views.map;
        let near = map.shown.as_ref().unwrap().points.iter().find(|point| Some(point.sample) == sample);
        let near = near.unwrap();
        let apart = (near.x / 2).abs_diff(map.cursor.0) + (near.y / 4).abs_diff(map.cursor.1);
        assert!(apart <= 2, "the cursor is {apart} cells from its sample");
        rig.press("m");
    }
    rig.press("m[[kkkk");
    assert_eq!(rig.model.views.map.cursor.0, 0, "two halves are all of it");
    for _ in 0..14 {
        rig.wait(30);
        rig.send(Msg::Key(crate::key::KeyChord::char('l').into()));
    }
    assert!(rig.model.views.map.cursor.0 >= 40, "{:?}", rig.model.views.map.cursor);
}

#[test]
fn the_map_of_neighborhoods_takes_the_place_of_the_other_when_it_is_made() {
    let mut rig = Rig::new(FakeEngine::new(100), 80, 24);
    rig.press("gt");
    assert!(rig.screen().contains("34%"), "{}", rig.screen());
    rig.press("f");
    assert!(rig.screen().contains("map:0.0000"), "{}", rig.screen());
    rig.press("<Esc>");
    for _ in 0..2 {
        assert!(rig.model.deadline().is_some());
        rig.wait(500);
    }
    assert!(!rig.screen().contains("34%"), "{}", rig.screen());
    assert_eq!(rig.model.views.map.again, None);
    rig.press("f<Enter>");
    assert!(rig.model.list.query.filter.starts_with("tsne:0.0000,"), "{}", rig.model.list.query.filter);
    for key in ["umap:0.0000,", " map:0.0000,"] {
        rig.press("gt");
        rig.wait(500);
        rig.press("f<Enter>");
        assert!(format!(" {}", rig.model.list.query.filter).contains(key), "{}", rig.model.list.query.filter);
    }
}

#[test]
fn the_map_is_asked_for_again_only_when_it_would_look_different() {
    let mut rig = Rig::new(FakeEngine::new(100), 80, 24);
    rig.press("m");
    let maps = |rig: &Rig| {
        let map = |command: &&Command| matches!(command, Command::View(ViewCommand::Map { .. }));
        rig.engine.seen.iter().filter(map).count()
    };
    assert_eq!(maps(&rig), 1);
    rig.press("hjkl<Space>");
    rig.wait(10_000);
    assert_eq!(maps(&rig), 1);
    rig.press(">");
    assert_eq!(maps(&rig), 2);
    rig.send(Msg::Resize(120, 40));
    assert_eq!(maps(&rig), 3);
}

#[test]
fn lost_answers_are_asked_for_again() {
    for key in ["p", "C", "m"] {
        let mut rig = Rig::new(FakeEngine::new(100), 80, 24);
        rig.cut = true;
        rig.press(key);
        rig.pull();
        rig.cut = false;
        assert!(rig.model.deadline().is_some(), "{key}: nothing would wake it");
        rig.wait(12_000);
        rig.wait(12_000);
        let there = match key {
            "p" => rig.model.views.groups.shown.is_some(),
            "C" => !rig.model.views.medoids.clusters.is_empty(),
            _ => rig.model.views.map.shown.is_some(),
        };
        assert!(there, "{key}");
    }
}

#[test]
fn clicks_choose_cells() {
    let mut rig = Rig::new(FakeEngine::new(100), 80, 24);
    rig.press("i");
    rig.mouse(MouseEventKind::Down(MouseButton::Left), 20, 3);
    assert_eq!(rig.model.list.cursor, 1);
    rig.mouse(MouseEventKind::ScrollDown, 20, 3);
    assert_eq!(rig.model.list.cursor, 16);
    rig.press("m");
    rig.mouse(MouseEventKind::Down(MouseButton::Left), 10, 8);
    assert_eq!(rig.model.views.map.cursor, (10, 7));
}

#[test]
fn told_in_lines_only_what_needs_no_picture_is_opened() {
    let mut rig = Rig::new(FakeEngine::new(100), 80, 24);
    rig.model.views.spoken = true;
    for key in ["i", "c", "b", "C", "m", "Z", ">"] {
        rig.press(key);
        assert_eq!((rig.model.views.page.name(), rig.model.views.look.zoom), ("list", false), "{key}");
        assert!(rig.toast().ends_with(" needs a screen: it is not in line mode"), "{key}: {}", rig.toast());
    }
    rig.press("jjp");
    assert_eq!(rig.model.views.page.name(), "group");
    rig.engine.groups.clear();
    rig.press("<Esc>p");
    assert_eq!(rig.model.views.page.name(), "list", "there is no group to be told of");
}

#[test]
fn the_map_holds_the_sample_that_it_was_opened_at() {
    let mut engine = FakeEngine::new(100);
    // Others lie in the same cell, and one of them nearer to its middle.
    engine.crowded = true;
    let mut rig = Rig::new(engine, 80, 24);
    for row in [0, 1, 2, 3, 50, 99] {
        rig.press(&format!(":{}<Enter>", row + 1));
        let sample = rig.model.sample();
        for keys in ["m", ">", ">", "<lt><lt>", "gt", "gt"] {
            rig.press(keys);
            rig.wait(600);
            rig.wait(600);
            assert_eq!(rig.model.sample(), sample, "{keys} from row {row}");
        }
        rig.press("m");
        assert_eq!(rig.model.sample(), sample);
    }
}

#[test]
fn the_footer_names_the_way_out_and_what_keys_mean_here() {
    for width in [60, 80, 120] {
        for keys in [
            "", "z", "zZ", "i", "c", "cz", "p", "C", "m", "mv", "<Space>", "p<Space>", "w", "H", "M", "P",
            "I",
        ] {
            let mut rig = Rig::new(FakeEngine::new(100), width, 24);
            if !keys.is_empty() {
                rig.press(keys);
            }
            let footer = rig.screen().lines().last().unwrap().to_owned();
            let out = ["q back", "q quit", "q close"].iter().any(|out| footer.contains(out));
            assert!(out, "{keys} at {width}: {footer}");
            assert!(!keys.starts_with('p') || !footer.contains("next class"), "{footer}");
        }
    }
    let mut rig = Rig::new(FakeEngine::new(100), 120, 24);
    rig.press("p");
    assert!(rig.screen().lines().last().unwrap().contains("] next group"), "{}", rig.screen());
    rig.press("?");
    assert!(rig.screen().contains("Go to the next group"), "{}", rig.screen());
}

#[test]
fn a_sample_that_is_not_listed_is_not_gone_to() {
    let mut rig = Rig::small();
    rig.press("fclass:cat<Enter>c");
    let other = rig.model.beside().unwrap();
    assert!(!other.path.contains("/cat/"), "{}", other.path);
    rig.press("go");
    assert!(rig.toast().starts_with(&format!("not in this list: {}", other.path)), "{}", rig.toast());
    assert!(rig.toast().contains("F clears the filter"), "{}", rig.toast());
    assert_eq!(rig.model.views.page.name(), "compare");
    rig.press("Fgo");
    assert_eq!((rig.model.views.page.name(), rig.model.sample()), ("list", Some(other.sample)));
}

#[test]
fn a_row_or_a_match_is_shown_in_the_list() {
    for view in ["p", "C", "m"] {
        let mut rig = Rig::small();
        rig.press(view).press(":30<Enter>");
        assert_eq!((rig.model.views.page.name(), rig.model.list.cursor), ("list", 29), "{view}");
        rig.press(view).press("/n00040<Enter>");
        assert_eq!((rig.model.views.page.name(), rig.model.list.cursor), ("list", 40), "{view}");
    }
    let mut rig = Rig::small();
    rig.press("m}");
    assert_eq!(rig.model.list.cursor, 0, "a cursor out of sight stays");
    assert!(rig.toast().contains("not used on this page"), "{}", rig.toast());
}

#[test]
fn keys_for_a_group_that_there_is_not_fall_on_no_other() {
    for keys in ["pB", "pX", "BB"] {
        let mut rig = Rig::small();
        rig.cut = true;
        rig.press(keys);
        rig.mend();
        assert_eq!(rig.model.views.page.name(), "group", "{keys}");
        assert!(rig.toast().contains("in no flagged group"), "{keys}: {}", rig.toast());
        rig.wait(500);
        assert_eq!([2, 14, 26].map(|n| rig.choice(n)), [const { None }; 3], "{keys}");
    }
    // From a member of it they do.
    let mut rig = Rig::small();
    rig.press("jj");
    rig.cut = true;
    rig.press("pB");
    rig.mend();
    assert_eq!(rig.choice(2), Some(Choice::Keep));
}

#[test]
fn a_question_says_what_answers_it() {
    let mut rig = Rig::small();
    rig.press("*x");
    assert!(matches!(rig.model.mode, Mode::Confirm(_)));
    rig.press("u");
    assert!(matches!(rig.model.mode, Mode::Confirm(_)));
    assert_eq!(rig.toast(), "u is not an answer: y or n");
}

#[test]
fn a_page_without_groups_does_not_stay_open() {
    let mut engine = FakeEngine::new(100);
    engine.groups.clear();
    let mut rig = Rig::new(engine, 80, 24);
    rig.press("p");
    assert_eq!(rig.model.views.page.name(), "list");
    assert_eq!(rig.toast(), "no detector flags any group of copies");
    rig.press("B");
    assert_eq!((rig.model.views.page.name(), rig.toast()), ("list", "no detector flags any group of copies"));
}

#[test]
fn decided_groups_are_counted_at_once() {
    let mut engine = FakeEngine::new(100);
    engine.groups.push(vec![SampleId(5), SampleId(17)]);
    let mut rig = Rig::new(engine, 100, 30);
    rig.press("p");
    assert!(
        !rig.screen().contains("decided ·") && !rig.screen().contains("group decided"),
        "{}",
        rig.screen()
    );
    rig.press("A");
    if matches!(rig.model.mode, Mode::Confirm(_)) {
        rig.press("y");
    }
    assert!(rig.screen().contains("1 group decided"), "{}", rig.screen());
    rig.press("A");
    if matches!(rig.model.mode, Mode::Confirm(_)) {
        rig.press("y");
    }
    assert!(rig.screen().contains("2 groups decided"), "{}", rig.screen());
    assert!(
        rig.toast().ends_with("all groups are decided") && rig.toast().contains("kept"),
        "{}",
        rig.toast()
    );
}
