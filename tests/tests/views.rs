//! Grid, compare, groups, clusters and map of the real program in real terminals.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_tests::answers::Manner;
use chaffinch_tests::graphics::{self, Kitty};
use chaffinch_tests::pictures;
use chaffinch_tests::process;
use chaffinch_tests::sandbox::{Sandbox, table};
use chaffinch_tests::terminal::{PATIENCE, Terminal};
use std::time::Duration;

/// A scanned session of three classes in which one picture occurs three times and another twice.
fn scanned() -> Sandbox {
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 3, 16, 240);
    let at = |name: &str| sandbox.data().join(name);
    for (from, to) in [
        ("airplane/0002.png", "airplane/copy-a.png"),
        ("airplane/0002.png", "airplane/copy-b.png"),
        ("bird/0004.png", "bird/copy-c.png"),
    ] {
        std::fs::copy(at(from), at(to)).unwrap();
    }
    // The order of the groups is that of this model's ranking.
    sandbox.ok([sandbox.scan_args(), vec!["--model".into(), "bundled-small".into()]].concat());
    sandbox
}

fn start(sandbox: &Sandbox, size: (u16, u16), manner: Manner, variables: &[(&str, &str)]) -> Terminal {
    let mut command = sandbox.command(["open", sandbox.session().to_str().unwrap()]);
    command.env("TERM", "xterm-256color").env("COLORTERM", "truecolor").envs(variables.iter().copied());
    let terminal = Terminal::start_as(&command, size.0, size.1, manner);
    terminal.wait("a list", |screen| screen.contains(".png") || screen.contains("no suspects"));
    terminal.settle(Duration::from_millis(300));
    terminal
}

/// The same with all samples listed, by path.
fn opened(sandbox: &Sandbox, size: (u16, u16), manner: Manner, variables: &[(&str, &str)]) -> Terminal {
    let terminal = start(sandbox, size, manner, variables);
    if !terminal.line(0).contains(" 51 samples") {
        terminal.keys("T");
    }
    all_listed(&terminal);
    terminal.keys(",n");
    terminal.wait_text("by path");
    terminal.keys("gg");
    terminal.settle(Duration::from_millis(400));
    terminal
}

fn all_listed(terminal: &Terminal) {
    let first = |screen: &str| screen.lines().next().unwrap_or_default().contains(" 51 samples");
    terminal.wait("the list of all samples", first);
}

/// Grid positions where a terminal shows a picture; the first cell is number 101.
fn cells(kitty: &Kitty) -> usize {
    kitty.placed.keys().filter(|(place, _)| *place > 100).count()
}

#[test]
fn the_grid_shows_what_is_on_the_screen_by_every_protocol() {
    let sandbox = scanned();
    let terminal = opened(&sandbox, (80, 24), Manner::kitty(), &[]);
    terminal.keys("i");
    let kitty =
        terminal.wait_tap("ten pictures", |tap| Some(Kitty::read(tap)).filter(|kitty| cells(kitty) == 10));
    assert_eq!(kitty.placed.len(), 10, "and no other");
    terminal.settle(Duration::from_millis(1_500));
    let sent = Kitty::read(&terminal.tap()).sent.len();
    // The cursor moves among pictures that are already shown.
    terminal.keys("ljhk");
    terminal.settle(Duration::from_millis(800));
    assert_eq!(Kitty::read(&terminal.tap()).sent.len(), sent, "pictures were sent again");
    // A mark and a decision are visible in their cells.
    terminal.keys(" x");
    terminal.wait_text("saved");
    assert!(terminal.screen().contains('✗'), "{}", terminal.screen());
    terminal.keys("u");
    terminal.wait("the decision taken back", |screen| !screen.contains('✗'));
    terminal.keys("\x1b[6~");
    terminal.wait_tap("the next ten", |tap| {
        Some(Kitty::read(tap)).filter(|kitty| cells(kitty) == 10 && kitty.sent.len() >= sent + 5)
    });
    // Half as many columns, and a page over it.
    terminal.keys(">>");
    terminal.wait_text("3 columns");
    terminal.keys("?");
    terminal.wait_tap("nothing under the window", |tap| Kitty::read(tap).placed.is_empty().then_some(()));
    terminal.keys("\x1b");
    terminal.wait_tap("pictures again", |tap| (cells(&Kitty::read(tap)) > 2).then_some(()));
    // Grid and columns are remembered, and the next run begins with the list.
    terminal.keys("<<i");
    terminal.settle(Duration::from_millis(400));
    let end = Kitty::read(&terminal.quit());
    assert!(end.images.is_empty() && end.placed.is_empty());
    assert_eq!(end.wrong, Vec::<String>::new());

    let terminal = opened(&sandbox, (80, 24), Manner::sixel(), &[]);
    let before = graphics::sixels(&terminal.tap()).len();
    terminal.keys("i");
    terminal.wait_tap("sixels", |tap| (graphics::sixels(tap).len() >= before + 10).then_some(()));
    terminal.keys("i");
    terminal.quit();

    let manner = Manner { cell: Some((10, 20)), version: Some("iTerm2 3.5.0"), ..Manner::default() };
    let terminal = opened(&sandbox, (80, 24), manner, &[("LC_TERMINAL", "iTerm2")]);
    let before = graphics::iterm(&terminal.tap()).len();
    terminal.keys("i");
    terminal.wait_tap("files", |tap| (graphics::iterm(tap).len() >= before + 10).then_some(()));
    terminal.keys("i");
    terminal.quit();

    let terminal = opened(&sandbox, (80, 24), Manner::default(), &[]);
    terminal.keys("i");
    // Two rows of five pictures: half blocks stand at the left of the first and of the last.
    terminal.wait("half blocks", |screen| {
        let line = |row: usize| screen.lines().nth(row).unwrap_or_default().matches('▀').count();
        line(5) > 30 && line(14) > 30
    });
    terminal.quit();
}

#[test]
fn two_pictures_are_compared_side_by_side_by_turns_and_pixel_by_pixel() {
    let sandbox = scanned();
    let terminal = opened(&sandbox, (120, 40), Manner::kitty(), &[]);
    terminal.keys("c");
    // This one at place 1, the other one at place 3.
    let both = terminal.wait_tap("two pictures", |tap| {
        let kitty = Kitty::read(tap);
        (kitty.at(1).is_some() && kitty.at(3).is_some() && kitty.placed.len() == 2).then_some(kitty)
    });
    assert!(terminal.screen().contains("this") && terminal.screen().contains("other 1/"));
    assert_eq!(both.at(1).unwrap().1, both.at(3).unwrap().1, "as large as each other");
    terminal.keys("h");
    terminal.wait("medoids among those beside", |screen| screen.contains("medoid"));

    terminal.keys("z");
    terminal.settle(Duration::from_millis(500));
    terminal.keys("b");
    // Pixel by pixel: 240 pixels are 24 cells of 10 across and 12 of 20 down.
    let this = terminal.wait_tap("the picture pixel by pixel", |tap| {
        let kitty = Kitty::read(tap);
        let (image, cells) = kitty.at(1)?;
        (cells == (24, 12) && image.dimensions() == (240, 240)).then(|| image.clone())
    });
    terminal.keys("b");
    let other = terminal.wait_tap("the other one in the same place", |tap| {
        let kitty = Kitty::read(tap);
        let (image, cells) = kitty.at(1)?;
        (cells == (24, 12) && *image != this && kitty.placed.len() == 1).then(|| image.clone())
    });
    // Pictures of other rows may still be on their way.
    terminal.settle(Duration::from_millis(500));
    let sent = Kitty::read(&terminal.tap()).sent.len();
    terminal.keys("b");
    terminal.wait_tap("this one again", |tap| {
        let kitty = Kitty::read(tap);
        let (image, _) = kitty.at(1)?;
        (*image != other).then_some(())
    });
    assert!(
        Kitty::read(&terminal.tap()).sent.len() <= sent + 1,
        "a picture that is already there is not sent again"
    );
    // Enlarged: a quarter of its pixels, each a square.
    terminal.keys(">>>");
    let large = terminal.wait_tap("squares", |tap| {
        let kitty = Kitty::read(tap);
        let (image, _) = kitty.at(1)?;
        let square = (0..8).all(|x| image.get_pixel(x, 0) == image.get_pixel(0, 0));
        (square && image.width() > 240).then(|| image.clone())
    });
    assert_eq!(large.width() % 8, 0);
    terminal.keys("\x1b");
    terminal.settle(Duration::from_millis(300));
    terminal.keys("\x1b");
    terminal.wait_text("most similar");
    let end = Kitty::read(&terminal.quit());
    assert!(end.images.is_empty());
    assert_eq!(end.wrong, Vec::<String>::new());
}

#[test]
fn a_group_is_decided_as_a_whole_and_undone_as_a_whole() {
    let sandbox = scanned();
    let terminal = start(&sandbox, (80, 24), Manner::default(), &[]);
    terminal.keys("p");
    terminal.wait_text("group ");
    terminal.keys("[");
    terminal.wait_text("best: not damaged, best score, train before test");
    terminal.wait("a group", |screen| screen.contains("group ") && screen.contains("3 pictures"));
    assert!(terminal.screen().contains("group 1 of 2"), "{}", terminal.screen());
    let decide = |terminal: &Terminal, entries: usize| {
        terminal.keys("B");
        let saved = process::wait_for(PATIENCE, || sandbox.journal().len() == entries);
        assert!(saved.is_ok(), "{:?}\n{}", sandbox.journal(), terminal.screen());
    };
    decide(&terminal, 1);
    let entry = sandbox.journal().pop().unwrap();
    assert_eq!((entry["samples"].as_array().unwrap().len(), &entry["decision"]), (3, &"remove".into()));
    assert_eq!(entry["kept"], serde_json::json!([0]));
    // Advances to the other group.
    terminal.wait_text("2 pictures");
    terminal.keys("u");
    terminal.wait_text("3 pictures");
    assert_eq!(sandbox.journal()[1]["undo"], 1);
    decide(&terminal, 3);
    terminal.quit();

    let export = |name: &str| -> Vec<(String, String)> {
        let path = sandbox.path().join(name);
        let (session, output) = (sandbox.session(), path.to_str().unwrap().to_owned());
        sandbox.ok([
            "export",
            session.to_str().unwrap(),
            "--format",
            "manifest",
            "--all",
            "--output",
            &output,
        ]);
        let rows = table(&std::fs::read_to_string(&path).unwrap());
        let decided = rows.into_iter().filter(|row| !row["user_action"].is_empty());
        decided.map(|row| (row["image_path"].clone(), row["user_action"].clone())).collect()
    };
    let mut decided = export("one.csv");
    decided.sort_unstable();
    let actions: Vec<&str> = decided.iter().map(|(_, action)| action.as_str()).collect();
    assert_eq!(actions.iter().filter(|action| **action == "keep").count(), 1, "{decided:?}");
    assert_eq!(actions.iter().filter(|action| **action == "remove").count(), 2, "{decided:?}");

    // One undo takes all of it back, in another run too.
    let terminal = start(&sandbox, (80, 24), Manner::default(), &[]);
    terminal.keys("u");
    let undone = process::wait_for(PATIENCE, || sandbox.journal().len() == 4);
    assert!(undone.is_ok(), "{}", terminal.screen());
    terminal.quit();
    assert_eq!(export("two.csv"), []);
}

#[test]
fn clusters_and_map_show_the_embeddings_and_choose_from_them() {
    let sandbox = scanned();
    let terminal = opened(&sandbox, (120, 40), Manner::default(), &[]);
    terminal.keys("C");
    terminal.wait("clusters", |screen| screen.contains("spherical k-means") && screen.contains("farthest"));
    terminal.keys("f");
    terminal.wait_text("cluster:\"airplane/1\"");
    terminal.keys("\r");
    terminal
        .wait("fewer samples", |screen| !screen.lines().next().unwrap_or_default().contains(" 51 samples"));
    terminal.keys("F");
    all_listed(&terminal);
    terminal.keys("m");
    let braille = |screen: &str| screen.chars().filter(|c| ('\u{2801}'..='\u{28ff}').contains(c)).count();
    terminal.wait("a map", |screen| screen.contains("principal") && braille(screen) > 5);
    terminal.wait_text("51 of 51");
    // All of it, from corner to corner.
    terminal.keys("gg");
    terminal.keys(&"h".repeat(100));
    terminal.keys("v");
    terminal.keys(&"l".repeat(120));
    terminal.keys("Gv");
    terminal.wait_text("51 marked");
    terminal.quit();
}

#[test]
fn the_map_opens_at_a_sample_whose_point_others_share() {
    let sandbox = scanned();
    let terminal = opened(&sandbox, (120, 40), Manner::default(), &[]);
    for name in ["copy-b.png", "0002.png", "copy-a.png"] {
        terminal.keys(&format!("/airplane/{name}\r"));
        terminal.wait_text("1 of 1");
        terminal.keys("m");
        terminal.wait("the map at the sample", |screen| {
            screen.contains("principal") && screen.contains(&format!("airplane/{name}"))
        });
        // Nearer to it and farther away it stays the same one.
        terminal.keys(">><");
        terminal.settle(Duration::from_millis(400));
        assert!(terminal.screen().contains(&format!("airplane/{name}")), "{}", terminal.screen());
        terminal.keys("q");
        terminal.settle(Duration::from_millis(300));
    }
    terminal.quit();
}
