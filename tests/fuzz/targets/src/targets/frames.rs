//! Messages between the screen and its engine, as bytes of a socket, and what the screen does with them.

use super::terminal::Rig;
use crate::Target;
use crate::{chosen, input};
use chaffinch_engine::remote::{read_command, read_event, write_event};
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::sample::{SampleId, Split};
use chaffinch_protocol::{
    Elsewhere, Event, ListCounts, Overviewed, Picture, Progress, Row, Saved, SavedKind, ScanReport,
    SessionSummary,
};
use chaffinch_screen::update::Msg;

/// The target.
pub const TARGET: Target = Target {
    name: "frames",
    reads: "messages of an engine, which the screen shows, and messages of a terminal",
    run,
    seeds,
};

/// Messages of one input.
const MOST: usize = 64;

fn run(bytes: &[u8]) {
    let Some((kind, mut bytes)) = chosen(bytes, 2) else { return };
    if kind == 0 {
        while read_command(&mut bytes).is_ok() {}
        return;
    }
    let mut rig = Rig::new(80, 24);
    for _ in 0..MOST {
        let Ok(event) = read_event(&mut bytes) else { break };
        let mut written = Vec::new();
        write_event(&mut written, event.clone()).unwrap();
        let again = read_event(&mut written.as_slice()).expect("what was written is read");
        // A number that is none is not equal to itself.
        assert_eq!(format!("{again:?}"), format!("{event:?}"));
        rig.send(Msg::Engine(event));
    }
    rig.draw();
    rig.type_all("jjGgg?");
    rig.draw();
}

fn framed(text: &[u8], raw: &[u8]) -> Vec<u8> {
    let mut bytes = (text.len() as u32).to_le_bytes().to_vec();
    bytes.extend_from_slice(&(raw.len() as u32).to_le_bytes());
    bytes.extend_from_slice(text);
    bytes.extend_from_slice(raw);
    bytes
}

fn seeds() -> Vec<Vec<u8>> {
    let row = Row {
        sample: SampleId(0),
        path: "a.png".into(),
        label: Some(0),
        suggested: Some(1),
        score: Some(0.25),
        flags: vec![0],
        split: Split::Train,
        decision: Some(Choice::Keep.into()),
        value: None,
        content: String::new(),
    };
    let summary = SessionSummary {
        protocol: chaffinch_protocol::PROTOCOL_VERSION,
        samples: 1,
        classes: vec!["cat".into(), "dog".into()],
        suspects: 1,
        ..SessionSummary::default()
    };
    let saved = Saved {
        kind: SavedKind::Decision,
        samples: vec![SampleId(0)],
        decision: Some(Choice::Remove.into()),
        text: "removed".into(),
        undoable: 1,
        redoable: 0,
        decided: 1,
        disputed: 0,
        listed: Some(ListCounts { ticket: 1, by_choice: [0, 1, 0, 0] }),
    };
    let elsewhere = Elsewhere {
        by: "anna".into(),
        samples: vec![(SampleId(0), Some(Choice::Unsure.into()))],
        text: "unsure about a.png".into(),
        decided: 1,
        disputed: 1,
        opened: 1,
        listed: Some(ListCounts { ticket: 1, by_choice: [0, 0, 0, 1] }),
    };
    let picture = Picture {
        ticket: 1,
        slot: 0,
        sample: SampleId(0),
        width: 2,
        height: 1,
        rgb: vec![1, 2, 3, 4, 5, 6],
        whole: (2, 1),
        error: None,
    };
    let events = [
        Event::Session(Box::new(summary)),
        Event::Progress(Progress::default()),
        Event::ScanDone(Box::<ScanReport>::default()),
        Event::Listed { ticket: 1, total: 1, decided: 1, by_choice: [1, 0, 0, 0], note: String::new() },
        Event::NotListed { ticket: 1, message: "no".into(), at: Some((0, 1)) },
        Event::Delayed { ticket: 1, why: "loading".into() },
        Event::Rows { ticket: 1, start: 0, rows: vec![row] },
        Event::Located { ticket: 1, sample: SampleId(0), row: Some(0) },
        Event::Found { ticket: 1, row: None },
        Event::Picture(picture),
        Event::Overview { ticket: 2, overview: Overviewed::Statistics(Default::default()) },
        Event::Saved(saved),
        Event::NotSaved { message: "disk".into() },
        Event::Trouble { about: "scan".into(), message: "x".into() },
        Event::Log { line: "l".into() },
        Event::Elsewhere(elsewhere),
        Event::Notice { message: "anna is there".into() },
        Event::Dismissed { why: "taken over".into() },
    ];
    let mut all = Vec::new();
    let mut together = Vec::new();
    for event in events {
        let mut bytes = Vec::new();
        write_event(&mut bytes, event).unwrap();
        all.push(input(1, &bytes));
        together.extend(bytes);
    }
    all.push(input(1, &together));
    let commands: [&[u8]; 4] = [
        b"{\"command\":\"decide\",\"samples\":[0,1],\"decision\":{\"choice\":\"keep\",\"tags\":[],\"note\":\"\"}}",
        b"{\"command\":\"rows\",\"ticket\":1,\"start\":0,\"len\":64}",
        b"{\"command\":\"set_threshold\",\"detector\":\"a\",\"threshold\":0.5}",
        b"{\"command\":\"undo\"}",
    ];
    all.extend(commands.map(|text| input(0, &framed(text, b""))));
    all
}
