//! The book: every page is in it, what the guides type does what they say, and it can be read in a browser.
//!
//! Blocks of `sh` in `docs/guides` run one after another in a folder with the demo's pictures at `pets`. A comment after a block
//! says what must be in its output:
//!
//! ```text
//! <!-- see: 46 suspects -->
//! ```
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_tests::artefacts::{keep_dir, program, root};
use chaffinch_tests::browser::Browser;
use chaffinch_tests::folders;
use chaffinch_tests::sandbox::Sandbox;
use chaffinch_tests::tools::installed;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use walkdir::WalkDir;

fn pages() -> BTreeSet<PathBuf> {
    let all = WalkDir::new(root().join("docs")).into_iter().map(|entry| entry.unwrap().into_path());
    all.filter(|path| path.extension().is_some_and(|ending| ending == "md") && !path.ends_with("SUMMARY.md"))
        .collect()
}

/// The files that Markdown links to.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let after = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    after
        .filter(|link| !link.contains("://") && !link.starts_with('#'))
        .map(|link| link.split('#').next().unwrap())
}

#[test]
fn every_page_is_in_the_book_and_every_link_leads_to_a_file() {
    let docs = root().join("docs");
    let summary = fs::read_to_string(docs.join("SUMMARY.md")).unwrap();
    let listed: Vec<PathBuf> = links(&summary).map(|link| docs.join(link).canonicalize().unwrap()).collect();
    for page in pages() {
        assert!(listed.contains(&page.canonicalize().unwrap()), "{} is not in SUMMARY.md", page.display());
    }
    for page in &listed {
        let text = fs::read_to_string(page).unwrap();
        // Code may look like a link.
        let prose: Vec<&str> = text.split("```").step_by(2).collect();
        let prose: Vec<String> =
            prose.iter().map(|part| part.split('`').step_by(2).collect::<Vec<_>>().join("")).collect();
        for link in prose.iter().flat_map(|part| links(part)) {
            let goal = page.parent().unwrap().join(link.trim_matches(['<', '>']));
            assert!(goal.exists(), "{}: {link} leads nowhere", page.display());
        }
    }
}

/// A block of commands, and what must be in its output.
struct Block {
    commands: String,
    seen: Vec<String>,
}

fn blocks(text: &str) -> Vec<Block> {
    let mut all: Vec<Block> = Vec::new();
    let mut inside: Option<(bool, String)> = None;
    for line in text.lines() {
        match &mut inside {
            Some((runs, commands)) if line.trim() == "```" => {
                if *runs {
                    all.push(Block { commands: std::mem::take(commands), seen: Vec::new() });
                }
                inside = None;
            }
            Some((_, commands)) => *commands += &format!("{line}\n"),
            None => {
                if let Some(language) = line.trim().strip_prefix("```") {
                    inside = Some((language == "sh", String::new()));
                }
                if let Some(seen) = line.strip_prefix("<!-- see: ").and_then(|rest| rest.strip_suffix(" -->"))
                {
                    all.last_mut().expect("a block was run").seen.push(seen.to_owned());
                }
            }
        }
    }
    all
}

/// Runs the blocks of a page.
fn follow(page: &Path, pictures: &Path) {
    let sandbox = Sandbox::new();
    let place = sandbox.path().join("work");
    folders::copy(pictures, &place.join("pets"));
    let bin = program().parent().unwrap().to_owned();
    let blocks = blocks(&fs::read_to_string(page).unwrap());
    assert!(!blocks.is_empty(), "{} runs nothing", page.display());
    for Block { commands, seen } in blocks {
        let mut shell = Command::new("bash");
        shell.args(["-euo", "pipefail", "-c", &format!("exec 2>&1\n{commands}")]);
        shell.env_clear().envs(sandbox.environment()).env("USER", "you").env("LOGNAME", "you");
        let path = std::env::var("PATH").unwrap_or_default();
        shell.env("PATH", format!("{}:{path}", bin.display())).current_dir(&place).stdin(Stdio::null());
        let output = shell.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{}:\n{commands}\n{text}", page.display());
        for words in seen {
            assert!(text.contains(&words), "{}: no '{words}' from\n{commands}\n{text}", page.display());
        }
    }
}

#[test]
fn what_the_guides_type_does_what_they_say() {
    let (_sandbox, pictures) = Sandbox::with_demo();
    let guides: Vec<PathBuf> =
        pages().into_iter().filter(|page| page.parent().unwrap().ends_with("guides")).collect();
    assert!(guides.len() > 5, "{guides:?}");
    let left = Mutex::new(guides);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(page) = { left.lock().unwrap().pop() } {
                    follow(&page, &pictures);
                }
            });
        }
    });
}

#[test]
fn the_book_is_built_and_reads_well_in_light_and_dark() {
    if !installed(&["mdbook", "python3"], "mdbook with cargo install, python3") {
        return;
    }
    let book = keep_dir("book");
    let mut build = Command::new("python3");
    build.arg(root().join("scripts/book/build.py")).arg("--program").arg(program()).arg("--out").arg(&book);
    let built = build.arg("--check").output().unwrap();
    let said = String::from_utf8_lossy(&built.stdout);
    assert!(built.status.success(), "{said}{}", String::from_utf8_lossy(&built.stderr));
    assert!(said.contains("no link leads nowhere"), "{said}");
    let html = book.join("html");
    for page in ["docs/reference/commands/scan.html", "docs/reference/detectors/duplicates.html"] {
        assert!(html.join(page).is_file(), "{page}");
    }
    let Some(browser) = Browser::start() else { return };
    for page in ["README.html", "docs/tutorial.html", "docs/protocol.html"] {
        for scheme in ["light", "dark"] {
            browser.look(1200, 800, scheme);
            browser.open(&html.join(page));
            browser.wait(
                "return document.readyState === 'complete' && document.querySelector('main h1') !== null",
            );
            // The contrast of the text, by WCAG 2.2.
            let contrast = "const lum = color => { const [r, g, b] = color.match(/[\\d.]+/g).slice(0, 3).map(v => \
                (v = v / 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); \
                return 0.2126 * r + 0.7152 * g + 0.0722 * b; }; \
                const [ink, paper] = [getComputedStyle(document.querySelector('main p')).color, \
                getComputedStyle(document.documentElement).backgroundColor].map(lum); \
                return [(Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05), paper];";
            let seen = browser.run(contrast);
            let [contrast, paper] = [0, 1].map(|at| seen[at].as_f64().unwrap());
            assert!(contrast >= 4.5, "{page} {scheme}: {contrast}");
            assert_eq!(paper < 0.2, scheme == "dark", "{page} {scheme}: {paper}");
            let broken = "return [...document.images].filter(one => !one.complete || one.naturalWidth === 0).map(one => one.src)";
            browser.wait("return [...document.images].every(one => one.complete)");
            assert_eq!(browser.run(broken).as_array().unwrap().len(), 0, "{page}");
            let wide = "return document.documentElement.scrollWidth <= innerWidth";
            assert_eq!(browser.run(wide), true, "{page} is wider than the window");
        }
    }
}
