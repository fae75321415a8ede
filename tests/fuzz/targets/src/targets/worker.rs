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
        0 => drop(host().run(&Rehearsal(bytes))),
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

fn seeds() -> Vec<Vec<u8>> {
    let hello = "{\"type\":\"hello\",\"protocol\":1,\"revision\":2}\n";
    let asks = [
        "{\"what\":\"embeddings\"}",
        "{\"what\":\"neighbors\",\"k\":2}",
        "{\"what\":\"block\",\"rows\":[0,1],\"cols\":[2]}",
        "{\"what\":\"model\"}",
        "{\"what\":\"embed-texts\",\"texts\":[\"a cat\",\"\"]}",
        "{\"what\":\"prompts\",\"class\":0}",
        "{\"what\":\"prompts\"}",
        "{\"what\":\"hashes\",\"hash\":\"phash\"}",
        "{\"what\":\"near-hashes\",\"hash\":\"dhash\",\"radius\":3}",
        "{\"what\":\"probabilities\"}",
        "{\"what\":\"pixels\",\"from\":0,\"count\":3,\"max_side\":2}",
        "{\"what\":\"column\",\"name\":\"weight\"}",
        "{\"what\":\"column-numbers\",\"name\":\"weight\"}",
        "{\"what\":\"labels-of\",\"name\":\"other\"}",
        "{\"what\":\"scores-of\",\"detector\":\"before\"}",
        "{\"what\":\"kept\",\"name\":\"model\"}",
        "{\"what\":\"keep\",\"name\":\"m\",\"bytes\":{\"offset\":0,\"length\":0}}",
        "{\"what\":\"similarities\",\"vectors\":{\"offset\":0,\"length\":3},\"count\":1}",
    ];
    let mut all = Vec::new();
    for (id, ask) in asks.iter().enumerate() {
        let request =
            format!("{hello}{{\"type\":\"request\",\"id\":{id},{}\n{{\"type\":\"done\"}}\n", &ask[1..]);
        all.push(input(0, request.as_bytes()));
    }
    let told = "{\"type\":\"alive\"}\n{\"type\":\"progress\",\"done\":1,\"total\":4}\n{\"type\":\"log\",\"level\":2,\"text\":\"x\"}\n\
        {\"type\":\"note\",\"name\":\"n\",\"text\":\"t\"}\n{\"type\":\"scores\",\"values\":[0.5,null,1,0]}\n\
        {\"type\":\"issues\",\"items\":[{\"sample\":1,\"score\":0.25,\"suggested\":2,\"group\":7,\"related\":[[2,0.5]],\"reason\":\"r\"}]}\n\
        {\"type\":\"attribute\",\"name\":\"a\",\"unit\":\"px\",\"values\":[1,2,3,null]}\n\
        {\"type\":\"finding\",\"severity\":\"warning\",\"text\":\"f\",\"evidence\":[0,3]}\n\
        {\"type\":\"regions\",\"items\":[{\"sample\":0,\"boxes\":[{\"edges\":[0,0.1,0.5,1],\"label\":\"l\"}]}]}\n";
    all.push(input(0, format!("{hello}{told}{{\"type\":\"done\"}}\n").as_bytes()));
    all.push(input(
        0,
        format!("{hello}{{\"type\":\"failed\",\"message\":\"no\",\"kind\":\"missing\"}}\n").as_bytes(),
    ));
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
