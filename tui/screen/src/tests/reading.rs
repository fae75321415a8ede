//! What reading the dataset left out is shown before anything is called clean.

use super::engine::FakeEngine;
use super::rig::Rig;
use chaffinch_protocol::{Ledger, RemarkKind};

fn ledger() -> Ledger {
    let mut ledger = Ledger { found: 6, ..Ledger::default() };
    ledger.leave_out(
        RemarkKind::UnsupportedPictures,
        3,
        "3 .heic files were left out: HEIC pictures are not read",
    );
    ledger.leave_out(RemarkKind::MachineMade, 2, "2 files in @eaDir folders were left out");
    ledger
}

fn engine(samples: u32) -> FakeEngine {
    let mut engine = FakeEngine::new(samples);
    engine.summary.reading = ledger();
    engine
}

#[test]
fn the_first_screen_says_it_and_a_page_says_why() {
    for width in [80, 200] {
        let mut rig = Rig::new(engine(6), width, 24);
        assert!(rig.screen().lines().next().unwrap().contains("5 files left out: gd"), "{}", rig.screen());
        rig.press("gd");
        let screen = rig.screen();
        for said in ["11 found: 6 samples, 5 left out", "3 .heic files", "2 files in @eaDir folders"] {
            assert!(screen.contains(said), "{said}: {screen}");
        }
        let (warning, note) = (screen.find("Look at these first"), screen.find("For your information"));
        assert!(warning.is_some() && warning < note, "{screen}");
        rig.press("q");
        assert!(!rig.screen().contains("11 found"), "{}", rig.screen());
    }
}

#[test]
fn nothing_is_called_clean_that_was_not_looked_at() {
    // The words wrap in the list, which is left of the sample.
    let mut engine = engine(0);
    engine.summary.samples = 6;
    let screen = Rig::new(engine, 200, 24).screen();
    let list = |line: &str| line.split('│').next().unwrap_or_default().trim().to_owned();
    let screen = screen.lines().map(list).collect::<Vec<_>>().join(" ");
    assert!(!screen.contains("looks clean"), "{screen}");
    assert!(screen.contains("no suspects, but not checked: 3 pictures left out"), "{screen}");
    let mut plain = FakeEngine::new(0);
    plain.summary.samples = 6;
    plain.summary.reading.leave_out(RemarkKind::OtherFiles, 2, "2 files are not pictures");
    let screen = Rig::new(plain, 200, 24).screen();
    assert!(screen.contains("looks clean") && screen.contains("2 files left out"), "{screen}");
}
