//! Embeddings from elsewhere: npy, safetensors, Parquet, clip-retrieval's folder, FiftyOne's JSON, and vectors of texts.

use super::pets::{PATHS, npy, numbers, safetensors, samples};
use crate::Target;
use crate::fixtures::{Named, file};
use crate::input;
use crate::stage::{Stage, play};
use chaffinch_data::row_order::RowOrders;
use chaffinch_data::uses::EmbeddingFiles;
use chaffinch_formats::embeddings::{read, read_texts};

/// The target.
pub const TARGET: Target = Target {
    name: "arrays",
    reads: "embeddings as npy, safetensors, Parquet, clip-retrieval's folder and FiftyOne's JSON; vectors of texts",
    run,
    seeds,
};

const STAGES: &[Stage] = &[
    Stage { files, varied: "a.npy" },
    Stage { files, varied: "ids.txt" },
    Stage { files, varied: "a.safetensors" },
    Stage { files, varied: "a.parquet" },
    Stage { files, varied: "clip/img_emb/img_emb_0.npy" },
    Stage { files, varied: "clip/metadata/metadata_0.parquet" },
    Stage { files, varied: "f.json" },
    Stage { files, varied: "texts.safetensors" },
];

fn run(bytes: &[u8]) {
    play(TARGET.name, STAGES, bytes, |number, folder| {
        let (manifest, metadata) = samples();
        let name = match number {
            0 | 1 => "a.npy",
            4 | 5 => "clip",
            7 => return drop(read_texts(&folder.join("texts.safetensors"))),
            other => STAGES[other].varied,
        };
        for ids in [None, Some(folder.join("ids.txt"))] {
            let files = EmbeddingFiles { file: folder.join(name), ids, texts: None };
            if let Ok(vectors) = read(&files, &manifest, &[], &RowOrders::default())
                && let Ok(rows) = vectors.bind(&manifest, &metadata)
            {
                let mut all = Vec::new();
                for row in manifest.ids().filter_map(|id| rows.of(id)) {
                    vectors.push_unit(row, &mut all);
                }
                assert!(all.iter().all(|number| number.is_finite()), "{all:?}");
            }
        }
    });
}

fn files() -> Vec<Named> {
    let paths = PATHS.map(|path| format!("\\\"{path}\\\"")).join(",");
    let tensors = format!(
        "{{\"__metadata__\":{{\"paths\":\"[{paths}]\"}},\"embeddings\":{{\"dtype\":\"F32\",\"shape\":[4,3],\"data_offsets\":[0,48]}}}}"
    );
    let texts = "{\"__metadata__\":{\"texts\":\"[\\\"a cat\\\",\\\"a dog\\\",\\\"x\\\",\\\"y\\\"]\",\"logit_scale\":\"100\"},\
                 \"embeddings\":{\"dtype\":\"F32\",\"shape\":[4,3],\"data_offsets\":[0,48]}}";
    let json = br#"{"samples":[{"filepath":"bird/0.png","embedding":[1,2,3]},{"filepath":"cat/0.png","embedding":[1,0,0.5]}]}"#;
    let mut files: Vec<Named> = vec![
        ("a.npy".into(), npy("<f4", "(4, 3)", &numbers())),
        ("ids.txt".into(), PATHS.join("\n").into_bytes()),
        ("a.safetensors".into(), safetensors(&tensors, &numbers())),
        ("clip/img_emb/img_emb_0.npy".into(), npy("<f4", "(4, 3)", &numbers())),
        ("f.json".into(), json.to_vec()),
        ("texts.safetensors".into(), safetensors(texts, &numbers())),
    ];
    for name in ["a.parquet", "clip/metadata/metadata_0.parquet"] {
        files.push((name.into(), file("formats/fixtures/parquet/lists-zstd.parquet")));
    }
    files
}

fn seeds() -> Vec<Vec<u8>> {
    let mut all = crate::stage::seeds(STAGES);
    all.push(input(0, &npy("<f2", "(4, 6)", &numbers())));
    all.push(input(0, &npy("<f8", "(4, 2)", &[numbers(), numbers()].concat()[..64])));
    all.push(input(0, &npy(">f4", "(4, 3)", &numbers())));
    all
}
