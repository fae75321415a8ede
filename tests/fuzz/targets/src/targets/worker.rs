//! Detectors from outside: what a worker writes, what a `detector.toml` says, and files that call themselves libraries.

use crate::Target;
use crate::fixtures::{Named, below, named};
use crate::stage::{Stage, play};
use crate::{chosen, input};
use chaffinch_host::{Registry, Rehearsal};
use chaffinch_plugin::testing::{MemoryHost, Picture};
use std::path::Path;

/// The target.
pub const TARGET: Target = Target {
    name: "worker",
    reads: "the lines that a detector in a process of its own writes, detector.toml, and the head of a library",
    run,
    seeds,
};

const STAGES: &[Stage] = &[Stage { files: described, varied: "detector.toml" }];

fn run(bytes: &[u8]) {
    let Some((kind, bytes)) = chosen(bytes, 2) else { return };
    match kind {
        0 => {
            let error = host().run(&Rehearsal(bytes)).error.unwrap_or_default();
            assert!(!error.starts_with("is told what it cannot read"), "{error}");
            // It quotes what was sent.
            if error.starts_with("sent ") {
                assert!(!error.contains(char::is_control) && error.len() < 2_000, "{error}");
            }
        }
        _ => play(TARGET.name, STAGES, &input(0, bytes), |_, folder| {
            let mut registry = Registry::default();
            registry.add(&folder.join("detector.toml"));
            for detector in registry.detectors() {
                let info = detector.info();
                assert!(!info.name().is_empty());
                info.parameters().iter().for_each(|param| {
                    let (least, most) = param.bounds();
                    assert!(
                        least <= param.default() && param.default() <= most,
                        "{} is within its bounds",
                        param.name()
                    );
                });
            }
            registry.refused().iter().for_each(|refused| drop(refused.error.to_string()));
        }),
    }
}

/// A dataset with everything that may be asked for.
fn host() -> MemoryHost {
    let vectors: Vec<f32> = (1..=12_u8).map(|number| f32::from(number % 5) - 1.5).collect();
    MemoryHost::new()
        .classes(&["bird", "cat", "dog"])
        .labels(&[0, 0, 1, 2])
        .embeddings(&vectors, 3)
        .probabilities(&[0.5, 0.25, 0.25, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.1, 0.2, 0.7])
        .hashes(&[1, 2, 3, 4], &[5, 6, 7, 8])
        .pictures((0..4).map(|shade| Picture::from_fn(4, 3, |x, y| [x as u8, y as u8, shade])).collect())
        .texts(|text| Some(vec![text.len() as f32 + 1.0, 1.0, 0.0]))
        .logit_scale(100.0)
        .prompts(0, &["a bird"])
        .alternatives(&["a drawing"])
        .paths(&["bird/0.png", "bird/1.png", "cat/0.png", "dog/0.png"])
        .column("weight", &["1", "2.5", "", "x"])
        .column("other", &["bird", "cat", "cow", ""])
        .scores_of("before", &[0.1, 0.2, 0.3, f32::NAN])
        .kept("model", &[vec![1, 2, 3]])
}

/// The greeting of each revision, and of one that is not known yet.
const GREETINGS: [&str; 4] = ["", ",\"revision\":1", ",\"revision\":2", ",\"revision\":3"];

const ASKS: [&str; 21] = [
    r#""what":"embeddings""#,
    r#""what":"neighbors","k":2"#,
    r#""what":"block","rows":[0,1],"cols":[2]"#,
    r#""what":"model""#,
    r#""what":"embed-texts","texts":["a cat",""]"#,
    r#""what":"prompts","class":0"#,
    r#""what":"prompts""#,
    r#""what":"hashes","hash":"phash""#,
    r#""what":"hashes","hash":"dhash""#,
    r#""what":"near-hashes","hash":"dhash","radius":3"#,
    r#""what":"near-hashes","hash":"turned-phash","radius":0"#,
    r#""what":"probabilities""#,
    r#""what":"pixels","from":0,"count":3,"max_side":2"#,
    r#""what":"column","name":"weight""#,
    r#""what":"column-numbers","name":"weight""#,
    r#""what":"labels-of","name":"other""#,
    r#""what":"scores-of","detector":"before""#,
    r#""what":"kept","name":"model""#,
    r#""what":"kept","name":"model","version":1"#,
    r#""what":"keep","name":"m","bytes":{"offset":4,"length":8}"#,
    r#""what":"similarities","vectors":{"offset":0,"length":6},"count":2"#,
];

const TOLD: [&str; 13] = [
    r#""type":"alive""#,
    r#""type":"progress","done":1,"total":4"#,
    r#""type":"log","level":2,"text":"x""#,
    r#""type":"log","text":"x""#,
    r#""type":"note","name":"n","text":"t""#,
    r#""type":"scores","values":[0.5,null,1,0]"#,
    r#""type":"scores","out":{"offset":0,"length":4}"#,
    r#""type":"issues","items":[{"sample":1,"score":0.25,"suggested":2,"group":7,"related":[[2,0.5]],"reason":"r"}]"#,
    r#""type":"issues","items":[{"sample":1,"score":0.25,"suggested":null,"group":null}]"#,
    r#""type":"attribute","name":"a","unit":"px","values":[1,2,3,null]"#,
    r#""type":"attribute","name":"b","out":{"offset":16,"length":4}"#,
    r#""type":"finding","severity":"warning","text":"f","evidence":[0,3]"#,
    r#""type":"regions","items":[{"sample":0,"boxes":[{"edges":[0,0.1,0.5,1],"label":"l"}]}]"#,
];

/// Lines that are not messages, or not where they stand.
const WRONG: [&[u8]; 12] = [
    b"",
    b"\xff\xfe",
    b"\xef\xbb\xbf{\"type\":\"alive\"}",
    b"[\"alive\"]",
    b"{\"type\":\"scores\",\"values\":[0.5,",
    b"{\"type\":\"scores\",\"values\":[NaN]}",
    b"{'type':'alive'}",
    b"{\"type\":\"alive\"}{\"type\":\"alive\"}",
    b"{\"type\":\"log\",\"text\":\"\xc3\x28\"}",
    b"{\"type\":\"issues\",\"items\":[{\"sample\":-1,\"score\":0.5}]}",
    b"{\"type\":\"request\",\"id\":1,\"what\":\"modle\"}",
    b"{\"type\":\"unusable\",\"why\":\"no-symbol\"}",
];

fn greeting(revision: &str) -> String {
    format!("{{\"type\":\"hello\",\"protocol\":1{revision}}}\n")
}

/// What workers write: each thing that can be asked for alone and all of them, everything that can be told in each revision,
/// every end, and lines that are wrong.
fn written() -> Vec<Vec<u8>> {
    let hello = greeting(GREETINGS[2]);
    let done = "{\"type\":\"done\"}\n";
    let request = |(id, ask): (usize, &&str)| format!("{{\"type\":\"request\",\"id\":{id},{ask}}}\n");
    let requests: Vec<String> = ASKS.iter().enumerate().map(request).collect();
    let told: String = TOLD.iter().map(|message| format!("{{{message}}}\n")).collect();
    let mut all: Vec<String> = requests.iter().map(|one| format!("{hello}{one}{done}")).collect();
    all.push(format!("{hello}{}{done}", requests.concat()));
    // An answer that stays is given again, and one that does not stay is not.
    all.push(format!("{hello}{}{}{done}", requests.concat(), requests.concat()));
    all.extend(
        GREETINGS.iter().map(|revision| format!("{}{told}{}{done}", greeting(revision), requests[14])),
    );
    for end in ["", ",\"kind\":\"failed\"", ",\"kind\":\"missing\"", ",\"kind\":\"stopped\""] {
        all.push(format!("{hello}{{\"type\":\"failed\",\"message\":\"no\"{end}}}\n"));
    }
    let mut all: Vec<Vec<u8>> = all.into_iter().map(String::into_bytes).collect();
    all.extend(WRONG.iter().map(|line| [hello.as_bytes(), line, b"\n", done.as_bytes()].concat()));
    all
}

fn seeds() -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = written().iter().map(|lines| input(0, lines)).collect();
    all.extend(described().iter().map(|(_, bytes)| input(1, bytes)));
    let gallery = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../sdk/gallery");
    let projects = below(&gallery).into_iter().filter(|(name, _)| name.ends_with("detector.toml"));
    all.extend(projects.map(|(_, bytes)| input(1, &bytes)));
    all
}

fn described() -> Vec<Named> {
    let text = b"name = \"own\"\nversion = \"0.1.0\"\nsummary = \"s\"\ndocs = \"d\"\nthreshold = 0.4\nscope = \"group\"\n\
        needs = [\"embeddings\", \"labels\"]\nafter = [\"duplicates\"]\ncolumns = [\"weight\"]\n\
        [parameters.ratio]\nhelp = \"h\"\ndefault = 0.5\nmin = 0\nmax = 1\n[limits]\ntime = 60\nmemory = \"1GiB\"\n\
        [prompts]\nfind = [\"a watermark\"]\nagainst = [\"a photo\"]\n";
    named(&[("detector.toml", text)])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is added to the protocol is fuzzed.
    #[test]
    fn every_message_and_every_request_is_written() {
        let all: String = written().iter().map(|lines| String::from_utf8_lossy(lines)).collect();
        let (messages, requests) = chaffinch_host::message_names();
        let named = |key: &str, name: &&str| all.contains(&format!("\"{key}\":\"{name}\""));
        let left = messages.iter().filter(|name| !named("type", name));
        let left: Vec<&&str> = left.chain(requests.iter().filter(|name| !named("what", name))).collect();
        assert_eq!(left, Vec::<&&str>::new());
    }

    /// A request that is refused, or a message, reaches nothing of what is behind it.
    #[test]
    fn what_is_right_is_taken_and_what_is_wrong_is_not() {
        let said = |lines: &[u8]| host().run(&Rehearsal(lines)).error;
        let hello = greeting(GREETINGS[2]);
        let done = "{\"type\":\"done\"}\n";
        for message in TOLD {
            assert_eq!(said(format!("{hello}{{{message}}}\n{done}").as_bytes()), None, "{message}");
        }
        for line in WRONG {
            let lines = [hello.as_bytes(), line, b"\n", done.as_bytes()].concat();
            let error = said(&lines).unwrap_or_default();
            assert!(error.starts_with("sent "), "{}: {error}", String::from_utf8_lossy(line));
        }
        for (revision, new) in GREETINGS.iter().zip([false, false, true, true]) {
            let finding = format!("{}{{{}}}\n{done}", greeting(revision), TOLD[11]);
            assert_eq!(said(finding.as_bytes()).is_none(), new, "{revision}");
        }
    }
}
