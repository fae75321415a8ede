//! Reports, gates and differences through the program; the page also in a browser.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chaffinch_tests::browser::Browser;
use chaffinch_tests::pictures::dataset;
use chaffinch_tests::sandbox::{Sandbox, json};
use chaffinch_tests::schema;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;

/// Names that would break a page, a table or a script that took them as they are.
const HOSTILE: [&str; 3] =
    ["</script><b>x.png", "\"'><img src=q onerror=alert(1)>.png", "a\u{202e}gnp.|`*.png"];

/// A scanned dataset with a leak, a broken file and hostile names.
fn scanned() -> Sandbox {
    let sandbox = Sandbox::new();
    let (train, test) = (sandbox.data().join("train"), sandbox.data().join("test"));
    let pictures = dataset(&train, 3, 20, 32);
    dataset(&test, 3, 4, 48);
    let class = fs::read_dir(&train).unwrap().next().unwrap().unwrap().file_name();
    let first = pictures.iter().map(|path| train.join(path)).find(|path| path.is_file()).unwrap();
    for name in HOSTILE {
        // A slash is not a part of a name.
        fs::copy(&first, test.join(&class).join(name.replace('/', "\u{2215}"))).unwrap();
    }
    fs::write(train.join(&class).join("broken.png"), "no picture").unwrap();
    sandbox.scan();
    sandbox
}

fn report(sandbox: &Sandbox, format: &str, name: &str) -> String {
    let output = sandbox.path().join(name);
    let session = sandbox.session();
    let [session, path] = [session.to_str().unwrap(), output.to_str().unwrap()];
    sandbox.ok(["report", session, "--format", format, "--output", path, "--force"]);
    fs::read_to_string(output).unwrap()
}

#[test]
fn the_page_works_in_a_browser_without_a_network() {
    let Some(browser) = Browser::start() else { return };
    let sandbox = scanned();
    let text = report(&sandbox, "html", "report.html");
    assert_eq!(text, report(&sandbox, "html", "again.html"), "the same session gives the same bytes");
    browser.open(&sandbox.path().join("report.html"));
    browser.wait("return document.documentElement.dataset.ready !== undefined");
    let rows = "return document.querySelectorAll('#list tbody tr').length";
    let suspects = sandbox.rank(0).len();
    assert!(suspects > 4, "{suspects}");
    assert_eq!(browser.run(rows), suspects.min(60), "each suspect has a row");
    // Sorted by path, and again the other way.
    let click =
        |column: &str| browser.run(&format!("document.querySelector('#list th.{column} button').click()"));
    let first = "return document.querySelector('#list tbody .path').textContent";
    click("path");
    let one = browser.run(first);
    click("path");
    assert_ne!(browser.run(first), one);
    assert_eq!(browser.run("return document.querySelector('#list th.path').ariaSort"), "descending");
    browser.run(
        "const s = document.getElementById('words'); s.value = 'broken'; s.dispatchEvent(new Event('input'))",
    );
    browser.wait("return document.querySelectorAll('#list tbody tr').length === 1");
    assert_eq!(
        browser.run("return document.getElementById('shown').textContent"),
        format!("1 of {suspects} suspects")
    );
    browser.run("document.querySelector('#list tbody .path button').click()");
    assert_eq!(browser.run("return document.getElementById('detail').open"), true);
    let fetched =
        "return performance.getEntriesByType('resource').filter(e => !e.name.startsWith('data:')).length";
    assert_eq!(browser.run(fetched), 0, "nothing is fetched");
    assert_eq!(browser.run("return document.querySelectorAll('b, img[src=q]').length"), 0, "names are text");
    browser.run("document.getElementById('detail').close()");
    for (width, scheme) in [(1280, "light"), (1280, "dark"), (390, "light")] {
        browser.look(width, 900, scheme);
        let narrow = browser.run("return document.documentElement.scrollWidth <= innerWidth");
        assert_eq!(narrow, true, "the page is not wider than the window at {width}");
        let picture =
            image::load_from_memory(&STANDARD.decode(browser.picture()).unwrap()).unwrap().to_rgb8();
        let colors: BTreeSet<[u8; 3]> = picture.pixels().map(|pixel| pixel.0).collect();
        assert!(colors.len() > 20, "the picture at {width} in {scheme} is blank");
    }
    let console = browser.console();
    assert!(console.is_empty(), "{console:?}");
}

#[test]
fn json_is_as_its_schema_says() {
    let sandbox = scanned();
    let found: Value = serde_json::from_str(&report(&sandbox, "json", "report.json")).unwrap();
    schema::check(&found, "report");
    let leaks = found["counts"].as_array().unwrap().iter().find(|one| one["name"] == "leaks").unwrap();
    assert!(leaks["value"].as_u64().unwrap() >= 4, "{leaks}");
}

#[test]
fn gates_compare_counts_and_never_pass_without_a_result() {
    let sandbox = scanned();
    let session = sandbox.session();
    let ask = |gate: &str| sandbox.run(["rank", session.to_str().unwrap(), "--fail-on", gate]);
    for (gate, code) in
        [("leaks>0", 1), ("leaks>90%", 0), ("unreadable", 1), ("suspects>=1", 1), ("damaged", 0)]
    {
        let ran = ask(gate);
        assert_eq!(ran.code, code, "{gate}: {}", ran.stderr);
        assert_eq!(ran.stderr.contains("gate failed: "), code == 1, "{}", ran.stderr);
    }
    // A picture in a format that is not read was not looked at, though in a folder it is not a sample.
    let other = Sandbox::new();
    dataset(&other.data(), 2, 3, 24);
    fs::write(other.data().join("one.heic"), b"\0\0\0\x18ftypheic").unwrap();
    let mut words = other.scan_args();
    words.extend(["--fail-on".to_owned(), "unreadable".to_owned()]);
    let ran = other.run(words);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let unknown = ask("leeks>0");
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains("did you mean 'leaks'") && unknown.stderr.contains("duplicates"));
    assert_eq!(ask("leaks>>0").code, 2);
    fs::remove_file(session.join("detectors/duplicates.arrow")).unwrap();
    let without = ask("duplicates<1000");
    assert_eq!(without.code, 1, "{}", without.stderr);
    assert!(without.stderr.contains("has no results"), "{}", without.stderr);
}

#[test]
fn a_difference_knows_samples_by_their_content() {
    let before = Sandbox::new();
    let pictures = dataset(&before.data(), 2, 10, 32);
    let name = |index: usize| {
        let path = &pictures[index];
        path.strip_prefix(before.data()).unwrap_or(path).to_path_buf()
    };
    before.scan();
    let after = Sandbox::new();
    let (gone, relabeled, renamed) = (name(0), name(1), name(2));
    let other = name(pictures.len() - 1);
    let copied =
        std::process::Command::new("cp").arg("-a").arg(before.data().join(".")).arg(after.data()).status();
    assert!(copied.unwrap().success());
    fs::remove_file(after.data().join(&gone)).unwrap();
    let moved = other.parent().unwrap().join("other.png");
    fs::rename(after.data().join(&relabeled), after.data().join(&moved)).unwrap();
    fs::rename(after.data().join(&renamed), after.data().join(renamed.with_file_name("name.png"))).unwrap();
    dataset(&after.data().join("new"), 1, 1, 40);
    after.scan();
    let [old, new] = [before.session(), after.session()];
    let found = json(&after.ok(["diff", old.to_str().unwrap(), new.to_str().unwrap(), "--format", "json"]));
    let paths = |list: &str, field: &str| -> Vec<String> {
        let lines = found[list].as_array().unwrap().iter();
        lines.map(|line| line[field].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(paths("removed", "path"), [gone.to_str().unwrap()]);
    assert_eq!(paths("relabeled", "path"), [relabeled.to_str().unwrap()]);
    assert_eq!(paths("renamed", "path"), [renamed.to_str().unwrap()]);
    assert_eq!(found["added"].as_array().unwrap().len(), 1, "{found}");
}
