use super::*;
use crate::arrays::testing::{f32s, npy_bytes, npy_ordered, parquet, safetensors};
use ::safetensors::tensor::{Dtype, TensorView};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chaffinch_compute::content::ContentHash;
use chaffinch_data::manifest::{ExtraColumn, NewSample};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use std::fs;
use std::io::Write;

const PATHS: [&str; 3] = ["cat/a.png", "cat/b.png", "dog/c.png"];
/// Directions of three samples, none of unit length.
const NUMBERS: [f32; 6] = [3.0, 4.0, 0.0, 2.0, -5.0, 0.0];
const UNIT: [f32; 6] = [0.6, 0.8, 0.0, 1.0, -1.0, 0.0];

fn dataset() -> (Manifest, FileMetadata) {
    dataset_with(Vec::new())
}

/// The three samples with other columns.
fn dataset_with(extra: Vec<ExtraColumn>) -> (Manifest, FileMetadata) {
    let sample = |path: &str| NewSample { path: path.into(), label: None, split: Default::default() };
    let manifest = Manifest::new("/data", PATHS.iter().map(|path| sample(path))).with_extra(extra);
    let hashes = PATHS.iter().map(|path| ContentHash::of(path.as_bytes())).collect();
    (manifest, FileMetadata { hashes, ..FileMetadata::default() })
}

/// A folder of files.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Files {
        Files(tempfile::tempdir().unwrap())
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        fs::create_dir_all(self.at(name).parent().unwrap()).unwrap();
        fs::write(self.at(name), bytes).unwrap();
        self.at(name)
    }

    /// The vectors of the three samples; `None` for one without a row, zeros for one that is unusable.
    fn read(&self, name: &str, ids: Option<&str>) -> std::result::Result<Vec<Option<Vec<f32>>>, String> {
        self.read_for(&dataset(), name, ids)
    }

    fn read_for(
        &self,
        (manifest, file_metadata): &(Manifest, FileMetadata),
        name: &str,
        ids: Option<&str>,
    ) -> std::result::Result<Vec<Option<Vec<f32>>>, String> {
        let files = EmbeddingFiles { file: self.at(name), ids: ids.map(|ids| self.at(ids)), texts: None };
        let vectors =
            read(&files, manifest, &[], &RowOrders::default()).map_err(|error| error.to_string())?;
        let rows = vectors.bind(manifest, file_metadata).map_err(|error| error.to_string())?;
        let unit = |id| {
            rows.of(id).map(|row| {
                let mut unit = Vec::new();
                let usable = vectors.push_unit(row, &mut unit);
                assert_eq!(usable, unit.iter().any(|&x| x != 0.0));
                unit
            })
        };
        Ok(manifest.ids().map(unit).collect())
    }

    fn error(&self, name: &str, ids: Option<&str>) -> String {
        self.read(name, ids).map_or_else(|error| error, |found| panic!("{name} was read: {found:?}"))
    }
}

fn all() -> Vec<Option<Vec<f32>>> {
    UNIT.chunks(2).map(|row| Some(row.to_vec())).collect()
}

#[test]
fn arrays_of_every_width_and_order_are_rows_of_the_dataset() {
    let files = Files::new();
    files.write("f4.npy", npy_bytes("<f4", "(3, 2)", &f32s(&NUMBERS)));
    let wide: Vec<u8> = NUMBERS.iter().flat_map(|&x| f64::from(x).to_le_bytes()).collect();
    files.write("f8.npy", npy_bytes("<f8", "(3, 2)", &wide));
    let big: Vec<u8> = NUMBERS.iter().flat_map(|&x| x.to_be_bytes()).collect();
    files.write("big.npy", npy_bytes(">f4", "(3, 2)", &big));
    let columns: Vec<f32> = [0, 2, 4, 1, 3, 5].iter().map(|&at| NUMBERS[at]).collect();
    files.write("fortran.npy", npy_ordered("<f4", "(3, 2)", true, &f32s(&columns)));
    // 3, 4, 0, 2, -5 and 0 in half precision.
    let half: Vec<u8> =
        [0x4200_u16, 0x4400, 0, 0x4000, 0xc500, 0].iter().flat_map(|bits| bits.to_le_bytes()).collect();
    files.write("f2.npy", npy_bytes("<f2", "(3, 2)", &half));
    // Neither too large nor too small for their squares.
    let huge: Vec<u8> = NUMBERS.iter().flat_map(|&x| (f64::from(x) * 1e200).to_le_bytes()).collect();
    files.write("huge.npy", npy_bytes("<f8", "(3, 2)", &huge));
    let tiny: Vec<u8> = NUMBERS.iter().flat_map(|&x| (f64::from(x) * 1e-200).to_le_bytes()).collect();
    files.write("tiny.npy", npy_bytes("<f8", "(3, 2)", &tiny));
    for name in ["f4.npy", "f8.npy", "big.npy", "fortran.npy", "f2.npy", "huge.npy", "tiny.npy"] {
        assert_eq!(files.read(name, None), Ok(all()), "{name}");
    }
}

#[test]
fn rows_are_named_by_the_file_or_by_another() {
    let files = Files::new();
    let turned: Vec<f32> = NUMBERS.chunks(2).rev().flatten().copied().collect();
    files.write("turned.npy", npy_bytes("<f4", "(3, 2)", &f32s(&turned)));
    files.write("ids.txt", "dog/c.png\ncat/b.png\ncat/a.png\n");
    files.write("stems.txt", "c\r\nb\r\na\r\n\r\n");
    let hashes: Vec<String> =
        PATHS.iter().rev().map(|path| ContentHash::of(path.as_bytes()).to_string()).collect();
    files.write("hashes.txt", hashes.join("\n"));
    for ids in ["ids.txt", "stems.txt", "hashes.txt"] {
        assert_eq!(files.read("turned.npy", Some(ids)), Ok(all()), "{ids}");
    }
    let paths = r#"["/old/data/dog/c.png", "cat/b.png", "cat/a.png"]"#;
    safetensors(&files.at("named.safetensors"), "embeddings", &turned, 2, &[("paths", paths)]);
    safetensors(&files.at("plain.safetensors"), "anything", &NUMBERS, 2, &[]);
    // Lists of names are known by what is in them, whatever they are called.
    let nested = format!(r#"{{"model": "x", "samples": {paths}}}"#);
    for said in
        [("filenames", paths), ("uuid", "c\nb\na"), ("info", nested.as_str()), ("ids", r#"["c", "b", "a"]"#)]
    {
        safetensors(&files.at("said.safetensors"), "anything", &turned, 2, &[("framework", "torch"), said]);
        assert_eq!(files.read("said.safetensors", None), Ok(all()), "{said:?}");
    }
    let rows: Vec<Option<&[f32]>> = turned.chunks(2).map(Some).collect();
    let paths = ["dog/c.png", "cat/b.png", "cat/a.png"];
    parquet(&files.at("named.parquet"), &[("label", &["x"; 3]), ("path", &paths)], ("embedding", &rows));
    let rows: Vec<Option<&[f32]>> = NUMBERS.chunks(2).map(Some).collect();
    parquet(&files.at("plain.parquet"), &[], ("embedding", &rows));
    for name in ["named.safetensors", "plain.safetensors", "named.parquet", "plain.parquet"] {
        assert_eq!(files.read(name, None), Ok(all()), "{name}");
    }
    // What the command line names comes before what the file says.
    parquet(&files.at("misled.parquet"), &[("path", &["x", "y", "z"])], ("embedding", &rows));
    files.write("right.txt", PATHS.join("\n"));
    assert_eq!(files.read("misled.parquet", Some("right.txt")), Ok(all()));
}

#[test]
fn an_index_tells_which_samples_the_rows_are() {
    let files = Files::new();
    let turned: Vec<Option<&[f32]>> = NUMBERS.chunks(2).rev().map(Some).collect();
    let mut paths = PATHS;
    paths.reverse();
    for heading in ["__index_level_0__", "id", "key"] {
        parquet(&files.at("index.parquet"), &[(heading, &paths)], ("embedding", &turned));
        assert_eq!(files.read("index.parquet", None), Ok(all()), "{heading}");
        parquet(&files.at("numbers.parquet"), &[(heading, &["2", "1", "0"])], ("embedding", &turned));
        assert!(files.read("numbers.parquet", None).is_err(), "{heading}");
    }
    parquet(&files.at("numbers.parquet"), &[("id", &["2", "1", "0"])], ("embedding", &turned));
    let error = files.error("numbers.parquet", None);
    assert!(error.contains("'id' has numbers of rows") && error.contains("--embedding-ids"), "{error}");
    files.write("turned.txt", paths.join("\n"));
    assert_eq!(files.read("numbers.parquet", Some("turned.txt")), Ok(all()));
    let rows: Vec<Option<&[f32]>> = NUMBERS.chunks(2).map(Some).collect();
    for counts in [["0", "1", "2"], ["1", "2", "3"]] {
        parquet(&files.at("counts.parquet"), &[("id", &counts)], ("embedding", &rows));
        assert_eq!(files.read("counts.parquet", None), Ok(all()), "{counts:?}");
    }
}

#[test]
fn the_folder_of_clip_retrieval_is_read_in_the_order_of_its_parts() {
    let files = Files::new();
    let part = |number: &str, numbers: &[f32], paths: &[&str]| {
        let shape = format!("({}, 2)", paths.len());
        files.write(&format!("out/img_emb/img_emb_{number}.npy"), npy_bytes("<f4", &shape, &f32s(numbers)));
        fs::create_dir_all(files.at("out/metadata")).unwrap();
        let none: Vec<Option<&[f32]>> = vec![None; paths.len()];
        let name = format!("out/metadata/metadata_{number}.parquet");
        parquet(&files.at(&name), &[("caption", paths), ("image_path", paths)], ("unused", &none));
    };
    part("10", &NUMBERS[..2], &["/abs/cat/a.png"]);
    part("9", &NUMBERS[2..], &["/abs/cat/b.png", "/abs/dog/c.png"]);
    files.write("out/text_emb/text_emb_9.npy", b"ignored");
    assert_eq!(files.read("out", None), Ok(all()));
    part("9", &NUMBERS, &["/abs/cat/b.png", "/abs/dog/c.png", "/abs/dog/d.png"]);
    files.write("out/img_emb/img_emb_9.npy", npy_bytes("<f4", "(2, 2)", &f32s(&NUMBERS[2..])));
    let error = files.error("out", None);
    assert!(
        error.contains("metadata_9.parquet: it has 3 rows, but") && error.contains("has 2 rows"),
        "{error}"
    );
    fs::remove_file(files.at("out/metadata/metadata_9.parquet")).unwrap();
    assert!(files.error("out", None).contains("metadata_9.parquet"));
    files.write("empty/img_emb/readme.txt", b"");
    assert!(files.error("empty", None).contains("img_emb_0.npy"));
    files.write("other/x.npy", b"");
    assert!(files.error("other", None).contains("no folder img_emb"));
}

#[test]
fn fiftyones_vectors_are_lists_or_compressed_arrays() {
    let files = Files::new();
    let packed = |numbers: &[f64]| {
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(&npy_bytes("<f8", &format!("({},)", numbers.len()), &bytes)).unwrap();
        STANDARD.encode(zlib.finish().unwrap())
    };
    let (new, old) = (packed(&[-5.0, 0.0]), packed(&[0.0, 2.0]));
    files.write(
        "samples.json",
        format!(
            r#"{{"samples": [
                {{"filepath": "data/dog/c.png", "clip": {{"$binary": {{"base64": "{new}", "subType": "00"}}}}, "tags": []}},
                {{"filepath": "data/cat/b.png", "clip": {{"$binary": "{old}", "$type": "00"}}}},
                {{"filepath": "data/cat/a.png", "clip": [3, 4.0]}}]}}"#
        ),
    );
    assert_eq!(files.read("samples.json", None), Ok(all()));
    // Of several fields, the one called embedding is meant.
    files.write(
        "two.json",
        r#"{"samples": [{"filepath": "cat/a.png", "embedding": null, "box": [1, 2, 3, 4]},
            {"filepath": "cat/b.png", "embedding": [0, 2], "box": [1, 2, 3, 4]}]}"#,
    );
    assert_eq!(files.read("two.json", None), Ok(vec![Some(vec![0.0; 2]), Some(vec![0.0, 1.0]), None]));
    for (text, words) in [
        ("{\"samples\": [", "it is not JSON"),
        ("{\"labels\": {}}", "no 'samples'"),
        (r#"{"samples": [{"filepath": "a.png", "tags": []}]}"#, "no sample has a field with a vector"),
        (
            r#"{"samples": [{"filepath": "a.png", "x": [1, 2], "y": [1, 2]}]}"#,
            "several fields have vectors ('x', 'y')",
        ),
        (
            r#"{"samples": [{"filepath": "cat/a.png", "e": [1, 2]}, {"filepath": "cat/b.png", "e": [1, 2, 3]}]}"#,
            "sample 2: 'e' is not a vector: it has 3 numbers instead of 2",
        ),
        (
            r#"{"samples": [{"filepath": "cat/a.png", "e": {"$binary": {"base64": "AAAA"}}}]}"#,
            "not compressed by zlib",
        ),
        (
            r#"{"samples": [{"filepath": "cat/a.png", "e": {"$binary": {"base64": "?"}}}]}"#,
            "base64 is broken",
        ),
    ] {
        files.write("bad.json", text);
        let error = files.error("bad.json", None);
        assert!(error.contains("bad.json: ") && error.contains(words), "{error}");
    }
}

#[test]
fn rows_that_are_no_direction_are_findings_and_no_end() {
    let files = Files::new();
    let odd = [f32::NAN, 1.0, 0.0, 0.0, -5.0, 0.0];
    files.write("odd.npy", npy_bytes("<f4", "(3, 2)", &f32s(&odd)));
    let expected = Ok(vec![Some(vec![0.0; 2]), Some(vec![0.0; 2]), Some(vec![-1.0, 0.0])]);
    assert_eq!(files.read("odd.npy", None), expected);
    parquet(&files.at("odd.parquet"), &[], ("embedding", &[None, Some(&[]), Some(&[-5.0, 0.0])]));
    assert_eq!(files.read("odd.parquet", None), expected);
}

#[test]
fn files_that_do_not_fit_are_refused_with_both_numbers() {
    let files = Files::new();
    files.write("four.npy", npy_bytes("<f4", "(4, 2)", &f32s(&[1.0; 8])));
    let error = files.error("four.npy", None);
    assert!(error.contains("it has 4 rows, but the dataset has 3 samples"), "{error}");
    files.write("ids.txt", "cat/a.png\ncat/b.png\n");
    let error = files.error("four.npy", Some("ids.txt"));
    assert!(error.contains("ids.txt: it has 2 lines, but") && error.contains("has 4 rows"), "{error}");
    files.write("twice.txt", "cat/a.png\ncat/b.png\ncat/a.png\nx\n");
    let error = files.error("four.npy", Some("twice.txt"));
    assert!(error.contains("rows 1 and 3 are both about cat/a.png"), "{error}");
    files.write("none.txt", "w\nx\ny\nz\n");
    let error = files.error("four.npy", Some("none.txt"));
    assert!(error.contains("none of its 4 rows names a sample") && error.contains("'w'"), "{error}");
    safetensors(&files.at("others.safetensors"), "embeddings", &NUMBERS, 2, &[("filenames", "[\"a\"]")]);
    let error = files.error("others.safetensors", None);
    assert!(error.contains("'filenames' in its metadata has 1 entries instead of"), "{error}");
    safetensors(&files.at("short.safetensors"), "embeddings", &NUMBERS, 2, &[("paths", "[\"a\"]")]);
    let error = files.error("short.safetensors", None);
    assert!(error.contains("'paths' in its metadata has 1 entries instead of 3"), "{error}");
    files.write("x.pt", b"PK");
    assert!(files.error("x.pt", None).contains("unsupported file type"));
    files.write("one.npy", npy_bytes("<f4", "(6,)", &f32s(&NUMBERS)));
    assert!(files.error("one.npy", None).contains("it has 1 dimension;"));
    files.write("none.npy", npy_bytes("<f4", "(3, 0)", b""));
    assert!(files.error("none.npy", None).contains("its vectors have 0 numbers"));
    files.write("words.npy", npy_bytes("<U1", "(3, 2)", &[0; 24]));
    assert!(files.error("words.npy", None).contains("save numbers as float16"));
}

#[test]
fn broken_files_are_refused_with_their_names() {
    let files = Files::new();
    let npy = npy_bytes("<f4", "(3, 2)", &f32s(&NUMBERS));
    files.write("object.npy", npy_bytes("|O", "(3,)", b"\x80\x04]."));
    assert!(files.error("object.npy", None).contains("object.npy: it contains pickled objects"));
    let rows: Vec<Option<&[f32]>> = NUMBERS.chunks(2).map(Some).collect();
    parquet(&files.at("x.parquet"), &[("path", &PATHS)], ("embedding", &rows));
    safetensors(&files.at("x.safetensors"), "embeddings", &NUMBERS, 2, &[]);
    let (parquet, safetensors) =
        (fs::read(files.at("x.parquet")).unwrap(), fs::read(files.at("x.safetensors")).unwrap());
    for (name, whole) in [("cut.npy", npy), ("cut.parquet", parquet), ("cut.safetensors", safetensors)] {
        for cut in [0, 5, whole.len() / 2, whole.len() - 1] {
            files.write(name, &whole[..cut]);
            let error = files.error(name, None);
            assert!(error.contains(name) && !error.contains("panicked"), "{name} of {cut} bytes: {error}");
        }
    }
    assert!(files.error("gone.npy", None).contains("gone.npy"));
}

#[test]
fn headers_that_promise_too_much_are_refused() {
    let files = Files::new();
    for (descr, shape) in [
        ("<f4", "(4611686018427387904, 2)"),
        ("<f4", "(9223372036854775807, 9223372036854775807)"),
        (">f4", "(1000000000000, 2)"),
        ("<f2", "(1000000000000, 2)"),
        (">f8", "(3, 65536)"),
    ] {
        files.write("much.npy", npy_bytes(descr, shape, &f32s(&NUMBERS)));
        let error = files.error("much.npy", None);
        assert!(error.contains("much.npy: "), "{shape}: {error}");
    }
}

proptest::proptest! {
    #[test]
    fn damaged_files_never_end_the_program(kind in 0..4_usize, at in proptest::num::usize::ANY, byte: u8, cut in 0..3_usize) {
        let files = Files::new();
        let rows: Vec<Option<&[f32]>> = NUMBERS.chunks(2).map(Some).collect();
        let name = ["x.npy", "x.parquet", "x.safetensors", "x.json"][kind];
        match kind {
            0 => drop(files.write(name, npy_bytes("<f4", "(3, 2)", &f32s(&NUMBERS)))),
            1 => parquet(&files.at(name), &[("path", &PATHS)], ("embedding", &rows)),
            2 => safetensors(&files.at(name), "embeddings", &NUMBERS, 2, &[("paths", r#"["a", "b", "c"]"#)]),
            _ => drop(files.write(name, r#"{"samples": [{"filepath": "cat/a.png", "e": [1, 2]}]}"#)),
        }
        let mut bytes = fs::read(files.at(name)).unwrap();
        let at = at % bytes.len();
        bytes[at] = byte;
        if cut == 0 {
            bytes.truncate(at);
        }
        files.write(name, bytes);
        if let Err(error) = files.read(name, None) {
            proptest::prop_assert!(!error.contains("panicked"), "{}", error);
        }
    }
}

#[test]
fn equal_bytes_have_one_fingerprint_and_another_order_has_another() {
    let files = Files::new();
    let bytes = npy_bytes("<f4", "(3, 2)", &f32s(&NUMBERS));
    files.write("a.npy", &bytes);
    files.write("b.npy", &bytes);
    let mut other = bytes.clone();
    *other.last_mut().unwrap() ^= 1;
    files.write("c.npy", &other);
    let (manifest, _) = dataset();
    let of = |name: &str, manifest: &Manifest| {
        let named = EmbeddingFiles { file: files.at(name), ..EmbeddingFiles::default() };
        read(&named, manifest, &[], &RowOrders::default()).unwrap().fingerprint().clone()
    };
    assert_eq!(of("a.npy", &manifest), of("b.npy", &manifest));
    assert_ne!(of("a.npy", &manifest), of("c.npy", &manifest));
    let turned = manifest.clone().with_paths(|path| path.with_extension("jpg"));
    assert_ne!(of("a.npy", &manifest), of("a.npy", &turned));
}

#[test]
fn vectors_of_texts_come_back_as_they_were() {
    let files = Files::new();
    let numbers = [3.0, 4.0, 0.0, 2.0];
    let metadata = [("texts", r#"["a photo of a cat", "dog"]"#), ("logit_scale", "50.5")];
    safetensors(&files.at("t.safetensors"), "embeddings", &numbers, 2, &metadata);
    files.write("t.npy", npy_bytes("<f4", "(2, 2)", &f32s(&numbers)));
    files.write("t.txt", "a photo of a cat\ndog\n");
    let rows: Vec<Option<&[f32]>> = numbers.chunks(2).map(Some).collect();
    parquet(&files.at("t.parquet"), &[("text", &["a photo of a cat", "dog"])], ("embedding", &rows));
    for (name, scale) in [("t.safetensors", 50.5), ("t.npy", 100.0), ("t.parquet", 100.0)] {
        let texts = read_texts(&files.at(name)).unwrap();
        assert_eq!(texts.get("a photo of a cat"), Some(&[0.6, 0.8][..]), "{name}");
        assert_eq!((texts.get("dog"), texts.get("cat")), (Some(&[0.0, 1.0][..]), None), "{name}");
        assert_eq!((texts.dim(), texts.logit_scale()), (2, scale), "{name}");
        texts.save(&files.at("kept.safetensors")).unwrap();
        assert_eq!(read_texts(&files.at("kept.safetensors")).unwrap(), texts, "{name}");
    }
    let error = |name: &str| read_texts(&files.at(name)).unwrap_err().to_string();
    fs::remove_file(files.at("t.txt")).unwrap();
    assert!(error("t.npy").contains("it does not say which texts"), "{}", error("t.npy"));
    files.write("t.txt", "cat\n");
    assert!(error("t.npy").contains("it has 2 rows, but there are 1 text"), "{}", error("t.npy"));
    files.write("t.txt", "cat\ncat\n");
    assert!(error("t.npy").contains("the text 'cat' has two vectors"));
    files.write("t.npy", npy_bytes("<f4", "(2, 2)", &f32s(&[0.0; 4])));
    assert!(error("t.npy").contains("is not a direction"));
    let texts = read_texts(&files.at("t.parquet")).unwrap();
    let error = texts.fit(Path::new("t.parquet"), Path::new("x.npy"), 3).unwrap_err().to_string();
    assert!(error.contains("its vectors have 2 numbers, but those of x.npy have 3"), "{error}");
}

/// Ids of the dataset's table, which has its rows in another order.
#[test]
fn vectors_are_joined_by_a_column_that_the_dataset_has_too() {
    let files = Files::new();
    let ids = |values: [&str; 3]| {
        dataset_with(vec![ExtraColumn { name: "id".into(), values: values.map(str::to_owned).to_vec() }])
    };
    let turned: Vec<f32> = NUMBERS.chunks(2).rev().flatten().copied().collect();
    let rows: Vec<Option<&[f32]>> = turned.chunks(2).map(Some).collect();
    parquet(&files.at("v.parquet"), &[("id", &["0", "1", "2"])], ("embedding", &rows));
    files.write("v.npy", npy_bytes("<f4", "(3, 2)", &f32s(&turned)));
    files.write("ids.txt", "0\n1\n2\n");
    safetensors(&files.at("v.safetensors"), "embeddings", &turned, 2, &[("ids", r#"["0", "1", "2"]"#)]);
    let samples: Vec<String> = (0..)
        .zip(turned.chunks(2))
        .map(|(id, row)| format!("{{\"id\": {id}, \"embedding\": [{}, {}]}}", row[0], row[1]))
        .collect();
    files.write("v.json", format!("[{}]", samples.join(",")));
    for (name, lines) in
        [("v.parquet", None), ("v.npy", Some("ids.txt")), ("v.safetensors", None), ("v.json", None)]
    {
        assert_eq!(files.read_for(&ids(["2", "1", "0"]), name, lines), Ok(all()), "{name}");
        // The same file for the same paths with other ids has other vectors, so it is another model.
        let read = |ids: &(Manifest, FileMetadata)| {
            let lines = lines.map(|lines| files.at(lines));
            let given = EmbeddingFiles { file: files.at(name), ids: lines, texts: None };
            read(&given, &ids.0, &[], &RowOrders::default()).unwrap()
        };
        let (one, other) = (read(&ids(["2", "1", "0"])), read(&ids(["0", "1", "2"])));
        assert_ne!(one.fingerprint(), other.fingerprint(), "{name}");
        assert!(one.said().unwrap().contains("column 'id'"), "{name}");
    }
}

/// Writes the three vectors in reverse with a tensor beside them.
fn beside(path: &Path, heading: &str, dtype: Dtype, shape: &[usize], data: &[u8]) {
    let turned: Vec<f32> = NUMBERS.chunks(2).rev().flatten().copied().collect();
    let vectors = f32s(&turned);
    let vectors = TensorView::new(Dtype::F32, vec![3, 2], &vectors).unwrap();
    let other = TensorView::new(dtype, shape.to_vec(), data).unwrap();
    let bytes = ::safetensors::serialize([("vectors", vectors), (heading, other)], None).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Whatever the list of ids is called and however its numbers are kept.
#[test]
fn tensors_of_ids_name_the_rows_like_columns_of_a_table() {
    let files = Files::new();
    let values = ["1370", "2295", "1037"].map(str::to_owned).to_vec();
    let own = dataset_with(vec![ExtraColumn { name: "id".into(), values }]);
    let ids = [1037_u16, 2295, 1370];
    let bytes = |number: &dyn Fn(u16) -> Vec<u8>| ids.iter().flat_map(|&id| number(id)).collect::<Vec<u8>>();
    let kinds = [
        (Dtype::U16, bytes(&|id| id.to_le_bytes().to_vec())),
        (Dtype::U32, bytes(&|id| u32::from(id).to_le_bytes().to_vec())),
        (Dtype::U64, bytes(&|id| u64::from(id).to_le_bytes().to_vec())),
        (Dtype::I16, bytes(&|id| id.to_le_bytes().to_vec())),
        (Dtype::I64, bytes(&|id| i64::from(id).to_le_bytes().to_vec())),
        (Dtype::F32, bytes(&|id| f32::from(id).to_le_bytes().to_vec())),
        (Dtype::F64, bytes(&|id| f64::from(id).to_le_bytes().to_vec())),
    ];
    let path = files.at("v.safetensors");
    for heading in ["id", "ids", "IDs", "image_id", "image_ids", "sample_ids", "uids", "photoIds"] {
        for (dtype, data) in &kinds {
            for shape in [&[3][..], &[3, 1], &[1, 3]] {
                beside(&path, heading, *dtype, shape, data);
                let found = files.read_for(&own, "v.safetensors", None);
                assert_eq!(found, Ok(all()), "{heading} {dtype:?} {shape:?}");
            }
        }
    }
    // Numbers of rows in another order, halves, and too few.
    let shuffled: Vec<u8> = [2_i64, 0, 1].iter().flat_map(|id| id.to_le_bytes()).collect();
    for heading in ["id", "ids", "image_ids", "sample_ids", "indices"] {
        beside(&path, heading, Dtype::I64, &[3], &shuffled);
        let error = files.error("v.safetensors", None);
        assert!(error.contains("numbers of rows that do not count up"), "{heading}: {error}");
    }
    beside(&path, "ids", Dtype::F32, &[3], &f32s(&[0.5, 1.0, 2.0]));
    assert!(files.error("v.safetensors", None).contains("not a whole number for each of 3 rows"));
    beside(&path, "ids", Dtype::I64, &[2], &shuffled[..16]);
    assert!(files.error("v.safetensors", None).contains("tensor 'ids' is called like the ids of samples"));
}

#[test]
fn paths_come_first_and_ids_that_contradict_them_are_said() {
    let files = Files::new();
    let values = ["1370", "2295", "1037"].map(str::to_owned).to_vec();
    let own = dataset_with(vec![ExtraColumn { name: "id".into(), values }]);
    let turned: Vec<f32> = NUMBERS.chunks(2).rev().flatten().copied().collect();
    let numbers = f32s(&turned);
    let paths: Vec<&str> = PATHS.iter().rev().copied().collect();
    let metadata = Some([("paths".to_owned(), serde_json::to_string(&paths).unwrap())].into());
    let path = files.at("v.safetensors");
    for (ids, said) in [([1037_i64, 2295, 1370], false), ([1370, 2295, 1037], true)] {
        let ids: Vec<u8> = ids.iter().flat_map(|id| id.to_le_bytes()).collect();
        let vectors = TensorView::new(Dtype::F32, vec![3, 2], &numbers).unwrap();
        let ids = TensorView::new(Dtype::I64, vec![3], &ids).unwrap();
        let bytes = ::safetensors::serialize([("embeddings", vectors), ("id", ids)], metadata.clone());
        fs::write(&path, bytes.unwrap()).unwrap();
        assert_eq!(files.read_for(&own, "v.safetensors", None), Ok(all()));
        let vectors = read(
            &EmbeddingFiles { file: path.clone(), ids: None, texts: None },
            &own.0,
            &[],
            &RowOrders::default(),
        )
        .unwrap();
        let words = vectors.names.said.unwrap_or_default();
        assert_eq!(words.contains("the column 'id' says otherwise: row 1 is"), said, "{words}");
    }
}

#[test]
fn lists_in_metadata_are_known_in_other_forms_or_refused() {
    let files = Files::new();
    let turned: Vec<f32> = NUMBERS.chunks(2).rev().flatten().copied().collect();
    let write = |key: &str, text: &str| {
        safetensors(&files.at("v.safetensors"), "vectors", &turned, 2, &[("format", "pt"), (key, text)]);
    };
    for key in ["names", "sample_ids", "image_ids", "filenames"] {
        for text in [
            r#"["c.png", "b.png", "a.png"]"#,
            "['c.png', 'b.png', 'a.png']",
            "('c.png', 'b.png', 'a.png')",
            "c.png,b.png,a.png",
            "c.png, b.png, a.png",
            "c.png b.png a.png",
            "c.png;b.png;a.png",
            "c.png\nb.png\na.png\n",
        ] {
            write(key, text);
            assert_eq!(files.read("v.safetensors", None), Ok(all()), "{key}: {text}");
        }
        for text in ["c.png,b.png", "c.png b.png"] {
            write(key, text);
            let error = files.error("v.safetensors", None);
            assert!(error.contains(&format!("'{key}' in its metadata")), "{key}: {error}");
        }
    }
    for (key, text) in
        [("sample_ids", "[[1], [2], [3]]"), ("image_ids", r#"{"c.png": 0}"#), ("sample_ids", "[1]")]
    {
        write(key, text);
        assert!(files.error("v.safetensors", None).contains(key), "{text}");
    }
    let values = ["1370", "2295", "1037"].map(str::to_owned).to_vec();
    let own = dataset_with(vec![ExtraColumn { name: "id".into(), values }]);
    for (key, text) in [
        ("sample_ids", "1037 2295 1370"),
        ("ids", "[\"1037\", \"2295\", \"1370\"]"),
        ("image_ids", "[1037, 2295, 1370]"),
    ] {
        write(key, text);
        assert_eq!(files.read_for(&own, "v.safetensors", None), Ok(all()), "{key}");
    }
    // What is said of the whole file is not a list.
    for (key, text) in [("model_id", "openai/clip"), ("name", "pets, May"), ("description", "cat, dog, cow")]
    {
        write(key, text);
        assert!(files.read("v.safetensors", None).is_ok(), "{key}");
    }
}

#[test]
fn rows_without_names_stay_with_the_vectors_that_are_kept() {
    let files = Files::new();
    files.write("v.npy", npy_bytes("<f4", "(3, 2)", &f32s(&NUMBERS)));
    let named = EmbeddingFiles { file: files.at("v.npy"), ids: None, texts: None };
    let sample = |path: &str| NewSample { path: path.into(), label: None, split: Default::default() };
    let of = |paths: &[&str]| Manifest::new("/data", paths.iter().map(|path| sample(path)));
    let before = read(&named, &of(&["a.png", "b.png", "c.png"]), &[], &RowOrders::default()).unwrap();
    let kept = [ModelFingerprint::stored("0123-other"), before.fingerprint().clone()];
    for (paths, stay) in [
        (&["a.png", "b.png", "c.png"][..], false),
        (&["b.png", "c.png", "d.png"], true),
        (&["a.png", "b.png"], true),
    ] {
        let now = read(&named, &of(paths), &kept, &RowOrders::default()).unwrap();
        assert_eq!(
            (now.stays().is_some(), now.fingerprint() == before.fingerprint()),
            (stay, true),
            "{paths:?}"
        );
    }
    // Other bytes, or another session.
    let others = of(&["b.png", "c.png", "d.png"]);
    assert!(read(&named, &others, &kept[..1], &RowOrders::default()).unwrap().stays().is_none());
    files.write("v.npy", npy_bytes("<f4", "(3, 2)", &f32s(&NUMBERS.map(|number| number + 1.0))));
    let now = read(&named, &others, &kept, &RowOrders::default()).unwrap();
    assert!(now.stays().is_none() && now.fingerprint() != before.fingerprint());
}

/// A row that says another split than that of the only sample which it names by a part of its path is about one that is gone.
#[test]
fn a_row_of_another_split_means_no_sample_in_every_format() {
    let files = Files::new();
    let split = chaffinch_protocol::sample::Split::Test;
    let sample = |path: &str| NewSample { path: format!("test/{path}").into(), label: None, split };
    let manifest = Manifest::new("/data", PATHS.iter().map(|path| sample(path)));
    let dataset = (manifest, dataset().1);
    let rows: Vec<Option<&[f32]>> = NUMBERS.chunks(2).map(Some).collect();
    for (split, is_read) in [("test", true), ("train", false)] {
        for heading in ["split", "Split", "subset", "partition"] {
            let side = [("path", &PATHS[..]), (heading, &[split; 3])];
            parquet(&files.at("e.parquet"), &side, ("embedding", &rows));
            let samples: Vec<_> = (PATHS.iter().zip(NUMBERS.chunks(2)))
                .map(|(path, row)| serde_json::json!({"filepath": path, heading: split, "embedding": row}))
                .collect();
            files.write("e.json", serde_json::to_vec(&samples).unwrap());
            for name in ["e.parquet", "e.json"] {
                let found = files.read_for(&dataset, name, None);
                assert_eq!(found.is_ok(), is_read, "{name}, {heading}: {found:?}");
                assert!(found.map_or_else(|why| why.contains("in train"), |found| found == all()));
            }
        }
    }
}
