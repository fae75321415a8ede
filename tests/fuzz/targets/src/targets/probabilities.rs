//! Class probabilities from elsewhere, and truths.

use super::pets::{PATHS, npy, numbers, samples};
use crate::Target;
use crate::fixtures::{Named, file, folder};
use crate::input;
use crate::stage::{Stage, play};
use chaffinch_data::row_order::RowOrders;
use chaffinch_data::uses::ProbabilityFiles;
use chaffinch_formats::probabilities::read_given;
use chaffinch_formats::truth;

/// The target.
pub const TARGET: Target = Target {
    name: "probabilities",
    reads: "class probabilities as npy, CSV and Parquet with names of classes and rows; tables of truth",
    run,
    seeds,
};

const STAGES: &[Stage] = &[
    Stage { files, varied: "p.npy" },
    Stage { files, varied: "classes.txt" },
    Stage { files, varied: "ids.txt" },
    Stage { files, varied: "p.csv" },
    Stage { files, varied: "p.parquet" },
    Stage { files, varied: "truth.csv" },
];

fn run(bytes: &[u8]) {
    play(TARGET.name, STAGES, bytes, |number, folder| {
        let (manifest, _) = samples();
        let at = |name: &str| folder.join(name);
        let files = match number {
            0..3 => ProbabilityFiles {
                files: vec![at("p.npy")],
                classes: Some(at("classes.txt")),
                ids: (number == 2).then(|| at("ids.txt")),
            },
            3 => ProbabilityFiles { files: vec![at("p.csv")], ..ProbabilityFiles::default() },
            4 => ProbabilityFiles { files: vec![at("p.parquet")], ..ProbabilityFiles::default() },
            _ => return drop(truth::read(&at("truth.csv"), &manifest)),
        };
        let _ = read_given(&files, &manifest, &RowOrders::default());
    });
}

fn files() -> Vec<Named> {
    vec![
        ("p.npy".into(), npy("<f4", "(4, 3)", &numbers())),
        ("classes.txt".into(), b"bird\ncat\ndog\n".to_vec()),
        ("ids.txt".into(), PATHS.join("\n").into_bytes()),
        ("p.csv".into(), b"path,bird,cat,dog\nbird/0.png,0.5,0.25,0.25\nbird/1.png,1,0,0\n".to_vec()),
        ("p.parquet".into(), file("formats/fixtures/parquet/wide-snappy.parquet")),
        ("truth.csv".into(), b"path,label,is_error\nbird/0.png,cat,True\ncat/0.png,cat,False\n".to_vec()),
    ]
}

fn seeds() -> Vec<Vec<u8>> {
    let mut all = crate::stage::seeds(STAGES);
    all.extend(folder("formats/fixtures/parquet").iter().map(|(_, bytes)| input(4, bytes)));
    all
}
