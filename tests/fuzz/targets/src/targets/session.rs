//! The files of a session that are not journals and no results.

use super::pets::samples;
use crate::Target;
use crate::fixtures::Named;
use crate::stage::{Stage, play, seeds};
use chaffinch_compute::embedding::ModelFingerprint;
use chaffinch_data::config::Config;
use chaffinch_data::dataset::DatasetOptions;
use chaffinch_data::map_places;
use chaffinch_data::probabilities::GivenProbabilities;
use chaffinch_data::session::{Session, Settings};
use chaffinch_data::store::EmbeddingStore;
use chaffinch_data::uses::{LoadedModel, Uses};
use chaffinch_protocol::{EnsembleRule, Ledger, RemarkKind};
use chaffinch_review::repair::Plan;
use std::fs;
use std::path::Path;

/// The target.
pub const TARGET: Target = Target {
    name: "session",
    reads: "a session's head, samples, ledger, settings, reading, probabilities, vectors, maps and earlier results; plans",
    run,
    seeds: || seeds(STAGES),
};

const STAGES: &[Stage] = &[
    Stage { files, varied: "session.toml" },
    Stage { files, varied: "samples.arrow" },
    Stage { files, varied: "ledger.json" },
    Stage { files, varied: "settings.toml" },
    Stage { files, varied: "reading.json" },
    Stage { files, varied: "probabilities.safetensors" },
    Stage { files, varied: "chaffinch.toml" },
    Stage { files, varied: CHUNK },
    Stage { files, varied: "earlier/f-v/uses.toml" },
    Stage { files, varied: "plan.json" },
    Stage { files, varied: "maps/umap.safetensors" },
];

const CHUNK: &str = "embeddings/f-v/chunk-000000.safetensors";

fn run(bytes: &[u8]) {
    play(TARGET.name, STAGES, bytes, |number, folder| match number {
        7 => drop(EmbeddingStore::open(&folder.join("embeddings"), &fingerprint(), 3)),
        9 => drop(Plan::load(&folder.join("plan.json"))),
        10 => drop(map_places::load(&folder.join("maps/umap.safetensors"), "what it is of")),
        _ => look(folder),
    });
}

fn look(folder: &Path) {
    let Ok(session) = Session::open_to_read(folder) else { return };
    let _ = (session.dataset(), session.model_name(), session.created(), session.outline(), session.uses());
    let _ =
        (session.load_ledger(), session.load_settings(), session.load_reading(), session.load_view("anna"));
    let _ = (Config::load(Some(folder)), GivenProbabilities::load(&session.probabilities_path()));
    for uses in session.earlier() {
        let fingerprint = uses.loaded.map(|loaded| loaded.fingerprint).unwrap_or_default();
        let _ = session.load_earlier(&fingerprint, 4, &[]);
    }
    let Ok(Some((manifest, metadata))) = session.load_samples() else { return };
    let _ = session.ledger_of(&manifest, &metadata);
    if let Ok(Some(given)) = GivenProbabilities::load(&session.probabilities_path()) {
        let _ = given.bind(&manifest, &metadata);
    }
    // Columns are only checked where they are read.
    for id in manifest.ids().take(64) {
        let _ = (manifest.path(id), manifest.label_name(id), manifest.split(id), manifest.source(id).shown());
        let _ = (
            manifest.label_as_written(id),
            manifest.split_as_written(id),
            metadata.dimensions.get(id.index()),
        );
    }
    let _ = (manifest.extra().len(), manifest.rendering().folders(), metadata.dimensions.joined().len());
}

fn fingerprint() -> ModelFingerprint {
    ModelFingerprint::stored("f-v")
}

fn files() -> Vec<Named> {
    let scratch = tempfile::tempdir().unwrap();
    let (dataset, folder) = (scratch.path().join("data"), scratch.path().join("session"));
    fs::create_dir(&dataset).unwrap();
    let session = Session::open_or_create(&folder, &dataset).unwrap();
    let (manifest, metadata) = samples();
    session.save_samples(&manifest, &metadata).unwrap();
    let mut ledger = Ledger::default();
    ledger.add(RemarkKind::LayoutGuessed, 3, "something");
    session.save_ledger(&ledger).unwrap();
    let settings = Settings {
        ensemble: Some(EnsembleRule::Or),
        thresholds: [("a".to_owned(), 0.25)].into(),
        ..Settings::default()
    };
    session.save_settings(&settings).unwrap();
    session
        .save_reading(&DatasetOptions { label_column: Some("label".into()), ..DatasetOptions::default() })
        .unwrap();
    let loaded = LoadedModel { fingerprint: "f-v".into(), ..LoadedModel::default() };
    let uses = Uses { model: Some("bundled".into()), loaded: Some(loaded), ..Uses::default() };
    session.keep_uses("bundled", &uses).unwrap();
    session.set_aside(&uses, &[]).unwrap();
    let mut given = GivenProbabilities::new(&["bird".into(), "cat".into()], "p.npy".into());
    manifest
        .ids()
        .for_each(|id| given.push(manifest.path(id), metadata.hashes[id.index()], Some(&[0.25, 0.75])));
    given.save(&session.probabilities_path()).unwrap();
    fs::create_dir(session.maps_dir()).unwrap();
    map_places::save(&session.maps_dir().join("umap.safetensors"), "what it is of", &[0.0, 1.0, 0.5, 0.25])
        .unwrap();
    let mut store = EmbeddingStore::open(&session.embeddings_dir(), &fingerprint(), 3).unwrap();
    store
        .append(&metadata.hashes[..3], &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0], &[true, true, false])
        .unwrap();
    drop((store, session));
    let mut files = crate::fixtures::below(&folder);
    files.retain(|(name, _)| name != "lock");
    files.push((
        "chaffinch.toml".into(),
        b"[detectors]\nduplicates = false\n[thresholds]\nleaks = 0.5\n".to_vec(),
    ));
    let plan = r#"{"version":1,"dataset":"/here","reading":READING,"samples":4,"policies":{},"changes":[{"path":"bird/0.png",
"row":0,"hash":"0000000000000000000000000000000000000000000000000000000000000000","label":"bird","split":"train","remove":true,
"why":"anna"}],"conflicts":[{"path":"a\\xff","text":"x"}],"counts":[]}"#;
    let reading = files.iter().find(|(name, _)| name == "reading.json").unwrap();
    let plan = plan.replace("READING", std::str::from_utf8(&reading.1).unwrap());
    files.push(("plan.json".into(), plan.into_bytes()));
    files
}
