//! Detectors in Python, C, C++ and without code are made, checked and used with nothing but the program, and the SDKs do what
//! the contract says.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a failed step fails the test; figures are its result"
)]

use chaffinch_plugin::abi;
use chaffinch_tests::artefacts::root;
use chaffinch_tests::python::numpy;
use chaffinch_tests::sandbox::{Ran, Sandbox, json, report, table};
use chaffinch_tests::{pictures, tools};
use serde_json::Value;
use std::fs;
use std::mem::offset_of;
use std::path::PathBuf;
use std::process::Command;

struct Place {
    sandbox: Sandbox,
}

impl Place {
    fn new() -> Place {
        let place = Place { sandbox: Sandbox::new() };
        pictures::dataset(&place.sandbox.data(), 4, 6, 32);
        place
    }

    fn make(&self, name: &str, language: &str) -> PathBuf {
        let parent = self.sandbox.path().to_str().unwrap();
        self.sandbox.ok(["plugins", "new", name, "--language", language, "--path", parent]);
        self.sandbox.path().join(name)
    }

    fn check(&self, folder: &std::path::Path) -> Ran {
        self.sandbox.run(["plugins", "check", folder.to_str().unwrap()])
    }

    fn scan(&self, folder: &std::path::Path, name: &str) -> Value {
        let mut args = self.sandbox.scan_args();
        args.extend(["--plugins".into(), folder.to_str().unwrap().to_owned()]);
        // A detector is written again and scanned again, as by its author.
        args.extend(["--allow-changed".into(), "--detectors".into(), name.to_owned()]);
        let report = report(&self.sandbox.ok(args));
        let all = report["detectors"].as_array().unwrap();
        all.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("{report}")).clone()
    }
}

/// Builds a project as its description says.
fn build(folder: &std::path::Path) {
    let text = fs::read_to_string(folder.join("detector.toml")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("build = \"")?.strip_suffix('"')).unwrap();
    let built =
        Command::new("sh").args(["-c", &format!("{line} -Werror")]).current_dir(folder).output().unwrap();
    assert!(built.status.success(), "{line}: {}", String::from_utf8_lossy(&built.stderr));
}

fn python() -> bool {
    tools::installed(&["python3"], "python3")
}

#[test]
fn a_detector_in_python_is_made_checked_and_used() {
    if !python() {
        return;
    }
    let place = Place::new();
    let folder = place.make("odd-shapes", "python");
    let ran = place.check(&folder);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("a second run gives the same result"), "{}", ran.stdout);
    assert_eq!(place.scan(&folder, "odd-shapes")["scored"], 24);
    let list = json(&place.sandbox.ok(["plugins", "list", "--json", "--plugins", folder.to_str().unwrap()]));
    let entry = list["detectors"].as_array().unwrap().iter().find(|one| one["name"] == "odd-shapes").unwrap();
    assert_eq!(entry["params"][0]["name"], "ratio");
    let file = folder.join("detector.toml");
    assert_eq!(place.check(&file).code, 0, "a file can be checked like its folder");
}

#[test]
fn detectors_without_code_are_made_and_checked() {
    let place = Place::new();
    for (name, language) in [("screens", "prompt"), ("tiny", "rule")] {
        let folder = place.make(name, language);
        let ran = place.check(&folder);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        assert_eq!(place.scan(&folder, name)["scored"], 24);
    }
}

#[test]
fn detectors_in_c_and_cpp_are_built_checked_and_used() {
    if !tools::installed(&["cc", "c++"], "gcc g++") {
        return;
    }
    let place = Place::new();
    for language in ["c", "cpp"] {
        let name = format!("too-dark-{language}");
        let folder = place.make(&name, language);
        let unbuilt = place.check(&folder);
        assert_eq!(unbuilt.code, 2);
        assert!(unbuilt.stderr.contains("does not exist; build it with: c"), "{}", unbuilt.stderr);
        build(&folder);
        let ran = place.check(&folder);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        assert_eq!(place.scan(&folder, &name)["scored"], 24);
    }
}

/// A detector in C passes on the status of what it was refused, and no more: what was refused is said, with the flag that it lacks.
#[test]
fn what_a_detector_in_c_does_not_declare_is_named() {
    if !tools::installed(&["cc"], "gcc") {
        return;
    }
    let place = Place::new();
    let folder = place.make("too-dark", "c");
    let source = folder.join("too_dark.c");
    let text = fs::read_to_string(&source).unwrap();
    assert!(text.contains("CHAFFINCH_PIXELS"));
    fs::write(&source, text.replace("CHAFFINCH_PIXELS", "0")).unwrap();
    build(&folder);
    let ran = place.check(&folder);
    assert_eq!(ran.code, 2);
    for words in ["requests pixels but does not declare the need", "CHAFFINCH_PIXELS in C"] {
        assert!(ran.stdout.contains(words), "no '{words}' in: {}", ran.stdout);
    }
}

/// Sizes and offsets of everything in the header, as a C compiler sees them and as the contract has them.
#[test]
fn the_header_is_the_contract() {
    if !tools::installed(&["cc"], "gcc") {
        return;
    }
    let mut lines = Vec::new();
    macro_rules! same {
        ($c:literal, $rust:ty $(, $field:literal = $name:ident)*) => {
            lines.push(format!("_Static_assert(sizeof({}) == {}, \"{}\");", $c, size_of::<$rust>(), $c));
            $(lines.push(format!(
                "_Static_assert(offsetof({}, {}) == {}, \"{} {}\");",
                $c, $field, offset_of!($rust, $name), $c, $field
            ));)*
        };
    }
    same!("chaffinch_str", abi::Str, "ptr" = ptr, "len" = len);
    same!("chaffinch_info", abi::Info);
    same!("chaffinch_param", abi::Param);
    same!(
        "chaffinch_plugin",
        abi::PluginTable,
        "abi" = abi,
        "size" = size,
        "build" = build,
        "detectors" = detectors
    );
    same!(
        "chaffinch_detector",
        abi::DetectorTable,
        "info" = info,
        "run" = run,
        "measure" = measure,
        "measure_bytes" = measure_bytes,
        "measure_side" = measure_side
    );
    same!(
        "chaffinch_dataset",
        abi::DatasetTable,
        "count" = count,
        "labels" = labels,
        "splits" = splits,
        "decodable" = decodable,
        "hashes" = hashes,
        "dimensions" = dimensions,
        "classes" = classes,
        "decisions" = decisions,
        "relabels" = relabels
    );
    same!("chaffinch_dimensions", abi::DimensionsRecord, "width" = width, "height" = height, "bytes" = bytes);
    same!("chaffinch_matrix", abi::MatrixTable, "data" = data, "rows" = rows, "cols" = cols);
    same!(
        "chaffinch_neighbors",
        abi::NeighborsTable,
        "indices" = indices,
        "similarities" = similarities,
        "k" = k
    );
    same!(
        "chaffinch_hash_pair",
        abi::HashPairRecord,
        "first" = first,
        "second" = second,
        "distance" = distance
    );
    same!(
        "chaffinch_probabilities",
        abi::ProbabilitiesTable,
        "matrix" = matrix,
        "folds" = folds,
        "inverse_temperature" = inverse_temperature
    );
    same!("chaffinch_kept", abi::KeptRecord, "bytes" = bytes, "version" = version);
    same!(
        "chaffinch_pixels",
        abi::PixelsTable,
        "rgb" = rgb,
        "width" = width,
        "height" = height,
        "full_width" = full_width,
        "full_height" = full_height,
        "source" = source
    );
    same!(
        "chaffinch_source",
        abi::SourceRecord,
        "format" = format,
        "named" = named,
        "channels" = channels,
        "orientation" = orientation,
        "frames" = frames
    );
    same!("chaffinch_related", abi::RelatedRecord, "sample" = sample, "similarity" = similarity);
    same!(
        "chaffinch_issue",
        abi::IssueRecord,
        "sample" = sample,
        "score" = score,
        "suggested" = suggested,
        "group" = group,
        "related" = related,
        "reason" = reason
    );
    same!(
        "chaffinch_host",
        abi::HostTable,
        "abi" = abi,
        "size" = size,
        "ctx" = ctx,
        "log" = log,
        "fail" = fail,
        "message" = message,
        "progress" = progress,
        "stopped" = stopped,
        "number" = number,
        "dataset" = dataset,
        "embeddings" = embeddings,
        "neighbors" = neighbors,
        "similarities" = similarities,
        "block" = block,
        "embed_texts" = embed_texts,
        "model" = model,
        "prompts" = prompts,
        "hashes" = hashes,
        "near_hashes" = near_hashes,
        "pixels" = pixels,
        "each_pixels" = each_pixels,
        "issue" = issue,
        "scores" = scores,
        "note" = note,
        "probabilities" = probabilities,
        "kept" = kept,
        "keep" = keep,
        "measures" = measures,
        "column" = column,
        "column_numbers" = column_numbers,
        "labels_of" = labels_of,
        "scores_of" = scores_of,
        "attribute" = attribute,
        "finding" = finding,
        "regions" = regions
    );
    same!(
        "chaffinch_region",
        abi::RegionRecord,
        "left" = left,
        "top" = top,
        "right" = right,
        "bottom" = bottom,
        "label" = label
    );
    same!(
        "chaffinch_finding",
        abi::FindingRecord,
        "text" = text,
        "severity" = severity,
        "evidence" = evidence
    );
    lines.push(format!("_Static_assert(CHAFFINCH_ABI == {}, \"version\");", abi::ABI_VERSION));
    let temp = tempfile::tempdir().unwrap();
    let source = temp.path().join("layout.c");
    fs::write(&source, format!("#include \"chaffinch_plugin.h\"\n{}\n", lines.join("\n"))).unwrap();
    let header = root().join("sdk/c");
    let mut command = Command::new("cc");
    command.args(["-std=c11", "-fsyntax-only", "-I"]).arg(&header).arg(&source);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Every field in C has its counterpart, so that none is added on one side only.
#[test]
fn the_header_has_as_many_services_as_the_contract() {
    let header = fs::read_to_string(root().join("sdk/c/chaffinch_plugin.h")).unwrap();
    let table = header.split("/* What Chaffinch does for a detector.").nth(1).unwrap();
    let table = table.split("} chaffinch_host;").next().unwrap();
    // abi and size share a word, and ctx has one.
    assert_eq!(table.matches("(*").count() + 2, size_of::<abi::HostTable>() / 8);
}

/// A detector in C that was built with the header of version 6 runs as it did; others are refused with advice.
#[test]
fn a_detector_of_the_version_before_goes_on_working() {
    if !tools::installed(&["cc"], "gcc") {
        return;
    }
    let place = Place::new();
    let frozen = root().join("tests/abi-6");
    let compile = |name: &str, abi: u32| {
        let folder = place.sandbox.path().join(name);
        fs::create_dir(&folder).unwrap();
        let header = fs::read_to_string(frozen.join("chaffinch_plugin.h")).unwrap();
        assert!(header.contains("#define CHAFFINCH_ABI 6\n"));
        let header = header.replace("#define CHAFFINCH_ABI 6\n", &format!("#define CHAFFINCH_ABI {abi}\n"));
        fs::write(folder.join("chaffinch_plugin.h"), header).unwrap();
        fs::copy(frozen.join("detector.c"), folder.join("detector.c")).unwrap();
        let build = "cc -std=c11 -O2 -Wall -Werror -fPIC -shared -o libold.so detector.c -lm";
        let built = Command::new("sh").args(["-c", build]).current_dir(&folder).output().unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        folder
    };
    let old = compile("old", 6);
    let ran = place.check(&old);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let scanned = place.scan(&old, "old-c");
    assert_eq!((&scanned["scored"], &scanned["flagged"]), (&24.into(), &1.into()), "{scanned}");
    for (abi, advice) in [
        (5, "rebuild the detector with the chaffinch-plugin or the header of this version"),
        (8, "update chaffinch, or rebuild"),
    ] {
        let folder = compile(&format!("abi-{abi}"), abi);
        let ran = place.check(&folder);
        assert_eq!(ran.code, 2);
        let named = format!("was built for plugin ABI {abi}");
        assert!(
            ran.stderr.contains(&named)
                && ran.stderr.contains("loads ABI 6 to ABI 7")
                && ran.stderr.contains(advice),
            "{}",
            ran.stderr
        );
    }
}

/// Asks for everything that there is, compares what can be compared, and says what it saw in a note.
const EVERYTHING: &str = r#"
import sys
if "plain" in sys.argv:
    sys.modules["numpy"] = None
import chaffinch_detector as sdk

def close(a, b):
    return abs(float(a) - float(b)) < 1e-4

def detect(data):
    assert (sdk.np is None) == ("plain" in sys.argv)
    n = data.count
    assert n == len(data) == len(data.labels) == len(data.sizes) == len(data.decodable) == len(data.file_sizes)
    assert len(data.contents[0]) == 32 and len(data.classes) == 4
    assert data.parameters == {"share": 0.5, "trees": 7, "deep": True, "mode": "slow"}, data.parameters
    assert list(data.sizes[0]) == [32, 32]
    rows = data.embeddings
    assert len(rows) == n and close(sum(float(x) * float(x) for x in rows[0]), 1)
    assert data.embeddings is rows
    indices, cosines = data.neighbors(3)
    assert len(indices) == n and len(indices[0]) == 3
    first = int(indices[0][0])
    dot = sum(float(a) * float(b) for a, b in zip(rows[0], rows[first]))
    assert close(dot, cosines[0][0]), (dot, cosines[0][0])
    cos = data.similarities([rows[0], rows[first]])
    assert len(cos) == n and close(cos[0][0], 1) and close(cos[0][1], dot)
    assert close(data.block([0], [first])[0][0], dot)
    prob = data.probabilities
    assert len(prob) == n and len(prob[0]) == 4 and close(sum(float(p) for p in prob[0]), 1)
    assert len(data.hashes("phash")) == n and len(data.hashes("dhash")) == n
    for pair in data.near_hashes(4):
        assert int(pair[0]) < int(pair[1]) and int(pair[2]) <= 4
    texts = data.prompts(0)
    assert texts and data.prompts()
    vectors = data.embed_texts(texts[:2])
    assert len(vectors) == len(texts[:2]) and close(sum(float(x) ** 2 for x in vectors[0]), 1)
    assert data.logit_scale > 0
    seen = list(data.pictures(16))
    assert [one.sample for one in seen] == list(range(n))
    assert all((one.width, one.height, one.full_width) == (16, 16, 32) for one in seen)
    one = seen[0]
    size = one.rgb.size if sdk.np is not None else len(one.rgb)
    assert size == 16 * 16 * 3
    assert data.column("height") == ["32"] * n and data.column("path")[0].endswith(".png"), data.column("path")[0]
    for ask, words in [(lambda: data.column("width"), "does not declare"), (lambda: data.neighbors(10 ** 9), "too many")]:
        try:
            ask()
            assert False
        except sdk.Failure as error:
            assert words in str(error), error
    try:
        data.neighbors(10 ** 9)
        assert False
    except sdk.Failure as error:
        assert "too many" in str(error)
    try:
        rows[0][0] = 3
        assert False, "what is lent can be written"
    except (TypeError, ValueError):
        pass
    assert list(data.column_numbers("height")) == [32.0] * n
    assert list(data.labels_of("label")) == list(data.labels)
    other = data.scores_of("image-quality")
    assert len(other) == n and all(0 <= float(s) <= 1 for s in other)
    for ask, words in [(lambda: data.scores_of("duplicates"), "does not declare"), (lambda: data.labels_of("width"), "does not declare")]:
        try:
            ask()
            assert False
        except sdk.Failure as error:
            assert words in str(error), error
    data.attribute("tone", [None if sample == 3 else sample - 2.5 for sample in range(n)], unit="px")
    data.finding("two of them are odd", "serious", [0, 1])
    data.regions(1, [(0, 0.25, 0.5, 1, "left"), (0.5, 0, 1, 0.5)])
    print("this goes nowhere")
    known = data.kept("memory")
    version = data.keep("memory", b"x" * 1000)
    for step in range(20):
        data.progress(step, 20)
    data.log("a line")
    data.note("saw", "%d pictures, kept %s, version %d" % (len(seen), known and len(known), version))
    data.issue(1, 0.125, "is the second", suggested=2, group=0, related=[(0, 0.5)])
    return [None if sample == 2 else 0.75 for sample in range(n)]

sdk.run(detect)
"#;

const DESCRIPTION: &str = r#"
summary = "Asks for everything"
columns = ["path", "height", "label"]
after = ["image-quality"]
needs = ["pixels", "embeddings", "neighbors", "texts", "hashes", "labels", "probabilities", "decisions"]
[parameters.share]
default = 0.5
min = 0
max = 1
[parameters.trees]
kind = "integer"
default = 7
min = 1
max = 9
[parameters.deep]
default = true
[parameters.mode]
choices = ["fast", "slow"]
default = "slow"
"#;

fn everything(word: &str) {
    let place = Place::new();
    let folder = place.sandbox.path().join("everything");
    fs::create_dir(&folder).unwrap();
    fs::copy(root().join("sdk/python/chaffinch_detector.py"), folder.join("chaffinch_detector.py")).unwrap();
    fs::write(folder.join("everything.py"), EVERYTHING).unwrap();
    let command = format!("name = \"everything\"\ncommand = [\"python3\", \"everything.py\", \"{word}\"]");
    fs::write(folder.join("detector.toml"), command + DESCRIPTION).unwrap();
    let note = |one: &Value| -> String {
        let notes: Vec<(String, String)> = serde_json::from_value(one["notes"].clone()).unwrap();
        notes.into_iter().find(|(name, _)| name == "saw").unwrap().1
    };
    // It reads the scores of this one.
    place.scan(&folder, "image-quality");
    let first = place.scan(&folder, "everything");
    assert_eq!(first["scored"], 23);
    assert_eq!(note(&first), "24 pictures, kept None, version 1");
    // A change of its code runs it again; it finds what it kept.
    fs::write(folder.join("everything.py"), format!("{EVERYTHING}\n")).unwrap();
    assert_eq!(note(&place.scan(&folder, "everything")), "24 pictures, kept 1000, version 1");
    let rows = place.sandbox.ok([
        "rank",
        place.sandbox.session().to_str().unwrap(),
        "--by",
        "everything",
        "--format",
        "csv",
    ]);
    assert!(rows.stdout.contains("is the second"), "{}", rows.stdout);
    // What it said of samples is sorted by and filtered, and what it said of the dataset is reported.
    let session = place.sandbox.session();
    let rank = |more: &[&str]| {
        let all = ["rank", session.to_str().unwrap(), "--all", "--format", "csv"];
        table(&place.sandbox.ok(all.iter().chain(more)).stdout)
    };
    let values: Vec<String> = rank(&["--by", "attr.tone"]).iter().map(|row| row["score"].clone()).collect();
    assert_eq!(values[..3], ["-2.5000", "-1.5000", "-0.5000"], "{values:?}");
    assert_eq!((values.len(), values[23].as_str()), (24, ""), "the one without a value is last: {values:?}");
    assert_eq!(rank(&["--filter", "attr.tone<0"]).len(), 3);
    assert_eq!(rank(&["--filter", "attr.everything.tone>=20"]).len(), 1);
    let odd = place.sandbox.run(["rank", session.to_str().unwrap(), "--filter", "attr.ton<1"]);
    assert!(
        odd.code == 2 && odd.stderr.contains("no detector gives the attribute 'ton' (there are tone)"),
        "{}",
        odd.stderr
    );
    let file = place.sandbox.path().join("report.json");
    let file = file.to_str().unwrap();
    place.sandbox.ok(["report", session.to_str().unwrap(), "--format", "json", "--output", file]);
    let report: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let found = &report["findings"][0];
    assert_eq!(
        (&found["detector"], &found["severity"]),
        (&"everything".into(), &"serious".into()),
        "{report}"
    );
    assert_eq!(found["evidence"].as_array().unwrap().len(), 2);
}

#[test]
fn python_can_ask_for_everything_without_numpy() {
    if python() {
        everything("plain");
    }
}

#[test]
fn python_can_ask_for_everything_with_numpy() {
    if python() && numpy() {
        everything("numpy");
    }
}

/// An exception is said with its line, and a wrong score with its sample.
#[test]
fn mistakes_in_python_say_where() {
    if !python() {
        return;
    }
    let place = Place::new();
    let folder = place.make("odd-shapes", "python");
    let script = folder.join("odd_shapes.py");
    for (body, words) in [
        ("    return [1 / 0 for _ in data.sizes]", "raised ZeroDivisionError at odd_shapes.py:4"),
        ("    data.issue(0, float('nan'))", "gives sample 0 the score nan, which is not between 0 and 1"),
        ("    return [0.5]", "wrote 1 scores for"),
        // What the protocol cannot say is a mistake of the detector, and no reason to set it aside.
        ("    data.issue(-1, 0.5)", "gave -1 as a sample, which is not between 0 and 4294967295"),
        ("    data.finding('odd', evidence=[-1])", "gave -1 as a sample"),
        ("    data.issue(3.7, 0.5)", "gave 3.7 as a sample, which is not a whole number"),
        (
            "    data.issue(3, 0.5, suggested=0.9)",
            "gave 0.9 as a suggested label, which is not a whole number",
        ),
        ("    data.issue('3', 0.5)", "gave '3' as a sample, which is not a whole number"),
        ("    data.attribute('a', [1e300] * len(data))", "beyond what four bytes hold"),
        (
            "    [data.attribute('a', [n] * len(data)) for n in (1, 2)]",
            "writes the attribute a twice; the second would replace the first",
        ),
        ("    data.neighbors(-1)", "gave -1 as the number of neighbors"),
        ("    data.hashes('md5')", "asked for the hash 'md5'; there are phash, dhash, turned-phash"),
        (
            "    return data.embeddings",
            "does not declare the need: needs = [\"embeddings\"] in detector.toml",
        ),
        ("    return = 1", "(odd_shapes.py:4)"),
        ("    pass\n\nimport no_such_module", "No module named 'no_such_module' (odd_shapes.py:6)"),
        ("    import os; os._exit(7)", "exited with status 7"),
    ] {
        fs::write(
            &script,
            format!("from chaffinch_detector import run\n\ndef detect(data):\n{body}\n\nrun(detect)\n"),
        )
        .unwrap();
        let ran = place.check(&folder);
        assert_eq!(ran.code, 2, "{body}: {}", ran.stdout);
        assert!(ran.stdout.contains(words), "{body}: no '{words}' in: {}", ran.stdout);
    }
}
