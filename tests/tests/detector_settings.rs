//! What is set for a detector in a session stays true when its author changes the detector, and a run that did not see everything
//! as it began is repeated.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_tests::misbehavior::{GOOD, Programs};
use chaffinch_tests::process;
use chaffinch_tests::sandbox::Ran;
use chaffinch_tests::terminal::Terminal;
use std::fs;
use std::time::Duration;

/// A detector that logs the parameters that it gets.
fn telling() -> String {
    let said = r#"mode=$(printf '%s' "$run" | sed 's/.*"mode":"\([a-z]*\)".*/\1/')
echo "{\"type\":\"log\",\"level\":2,\"text\":\"mode is $mode\"}"
"#;
    let done = "echo '{\"type\":\"done\"}'";
    GOOD.replace(done, &format!("{said}{done}"))
}

fn choices(names: &str) -> String {
    format!("[parameters.mode]\nhelp = \"x\"\nchoices = [{names}]\ndefault = \"alpha\"\n")
}

fn set(programs: &Programs, settings: &str) {
    fs::write(programs.sandbox.session().join("settings.toml"), settings).unwrap();
}

/// Scans with the code as it is now.
fn scan(programs: &Programs) -> Ran {
    let ran = programs.scan(&["--allow-changed"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    ran
}

#[test]
fn a_choice_of_a_session_stays_itself_when_the_list_changes() {
    let programs = Programs::new();
    programs.put("pick", &telling(), &choices("\"alpha\", \"beta\", \"gamma\""));
    assert!(scan(&programs).stderr.contains("mode is alpha"));
    set(&programs, "[params.pick]\nmode = \"beta\"\n");
    assert!(scan(&programs).stderr.contains("mode is beta"));
    programs.put("pick", &telling(), &choices("\"alpha\", \"delta\", \"gamma\", \"beta\""));
    assert!(scan(&programs).stderr.contains("mode is beta"));
    programs.put("pick", &telling(), &choices("\"alpha\", \"delta\""));
    let ran = scan(&programs);
    assert!(ran.stderr.contains("mode is alpha"), "{}", ran.stderr);
    assert!(ran.stderr.contains("pick: mode = 'beta' is not one of alpha, delta"), "{}", ran.stderr);
    assert!(ran.stderr.contains("was set in this session, and is left out"), "{}", ran.stderr);
}

#[test]
fn what_was_set_and_is_gone_is_left_out_said_and_removed() {
    let programs = Programs::new();
    programs.put("pick", GOOD, "[parameters.k]\nhelp = \"x\"\ndefault = 5\nmin = 0\nmax = 30\n");
    scan(&programs);
    let session = programs.sandbox.session();
    for (setting, said) in [
        ("trees = 3.0", "pick: it has no parameter 'trees' (it has: k)"),
        ("k = 1000.0", "pick: k = 1000 is not from 0 to 30"),
    ] {
        set(&programs, &format!("[params.pick]\n{setting}\n"));
        let ran = scan(&programs);
        assert!(ran.stderr.contains(said), "no '{said}' in {}", ran.stderr);
        let folder = programs.folder();
        let reset = ["threshold", session.to_str().unwrap(), "pick", "--reset"];
        let reset = programs.sandbox.command(reset).arg("--config").arg(config(&programs, &folder)).output();
        let reset = Ran::from(reset.unwrap());
        assert!(reset.stderr.contains("removed from the settings of this session"), "{}", reset.stderr);
        assert!(!scan(&programs).stderr.contains(said));
    }
}

/// `threshold` takes no folders: what the last run took is known all the same.
#[test]
fn reset_of_a_detector_that_is_not_loaded_leaves_what_its_last_run_took() {
    let programs = Programs::new();
    let k = |name: &str| {
        format!(
            "[parameters.{name}]\nhelp = \"x\"\ndefault = 5\nmin = 0\nmax = 30\n{}",
            choices("\"alpha\", \"beta\"")
        )
    };
    programs.put("pick", GOOD, &k("k"));
    scan(&programs);
    set(&programs, "[params.pick]\nk = 9.0\nmode = \"beta\"\n");
    scan(&programs);
    let session = programs.sandbox.session();
    let reset = || programs.sandbox.ok(["threshold", session.to_str().unwrap(), "pick", "--reset"]).stderr;
    let stored = || fs::read_to_string(session.join("settings.toml")).unwrap();
    let ran = reset();
    assert!(!ran.contains("removed from") && ran.contains("k = 9, mode = \"beta\""), "{ran}");
    assert!(ran.contains("still set in this session for pick") && ran.contains("--plugins"), "{ran}");
    programs.put("pick", GOOD, &k("kk"));
    scan(&programs);
    let ran = reset();
    assert!(ran.contains("removed from the settings of this session for pick: k = 9\n"), "{ran}");
    assert!(stored().contains("mode = \"beta\"") && !stored().contains("k = 9"), "{}", stored());
    // What it ran with is kept by name, too.
    let report = session.with_file_name("report.json");
    let report = report.to_str().unwrap();
    programs.sandbox.ok(["report", session.to_str().unwrap(), "--format", "json", "--output", report]);
    let record = fs::read_to_string(report).unwrap().replace(' ', "");
    assert!(record.contains("\"mode\":\"beta\""), "{record}");
}

/// Whoever puts a threshold back to its default sets nothing: the author may change the default. And while the session is open,
/// nothing from outside lets code in.
#[test]
fn a_threshold_at_its_default_is_not_set_in_the_session() {
    let programs = Programs::new();
    let folder = programs.put("pick", GOOD, "threshold = 0.25");
    assert_eq!(programs.scan(&["--detectors", "pick"]).code, 0);
    let session = programs.sandbox.session();
    let plugins = programs.folder();
    let args = ["open", session.to_str().unwrap(), "--plugins", plugins.to_str().unwrap()];
    let terminal = Terminal::start(&programs.sandbox.command(args), 120, 40);
    terminal.wait_text("pick");
    terminal.keys("P");
    terminal.wait_text("default 0.250");
    let stored = || fs::read_to_string(session.join("settings.toml")).unwrap_or_default();
    let saved = |what: &str, is: bool| {
        process::wait_for(Duration::from_secs(20), || stored().contains(what) == is).unwrap();
    };
    terminal.keys("l");
    saved("pick = 0.26", true);
    terminal.keys("0");
    saved("pick = ", false);
    fs::write(folder.join("run.sh"), GOOD.replace("0.125", "0.0625")).unwrap();
    let ran = programs.scan(&["--allow-changed"]);
    assert!(ran.code == 2 && ran.stderr.contains("in use"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("let in"), "{}", ran.stderr);
    terminal.quit();
    let ran = programs.scan(&["--detectors", "default"]);
    assert!(ran.stderr.contains("has changed since"), "{}", ran.stderr);
    assert!(!stored().contains("pick = "), "{}", stored());
}

/// A configuration that names the folder of detectors.
fn config(programs: &Programs, folder: &std::path::Path) -> std::path::PathBuf {
    let file = programs.sandbox.session().with_file_name("named.toml");
    fs::write(&file, format!("[plugins]\nfolders = [{:?}]\n", folder.to_str().unwrap())).unwrap();
    file
}

#[test]
fn code_that_changes_while_it_runs_is_said_and_run_again() {
    let programs = Programs::new();
    // What a program writes into its own folder is code of it.
    let touching = format!("echo '# later' > helper.sh\n{GOOD}");
    let folder = programs.put("moving", &touching, "");
    fs::write(folder.join("helper.sh"), "# first\n").unwrap();
    let told = "its code changed while it ran";
    let ran = scan(&programs);
    assert!(ran.stderr.contains(told), "{}", ran.stderr);
    let session = programs.sandbox.session();
    let rank = || programs.sandbox.ok(["rank", session.to_str().unwrap(), "--format", "csv"]);
    assert!(rank().stderr.contains("moving has no results since its code changed"), "{}", rank().stderr);
    // It is the same again, and is run for all that.
    fs::write(folder.join("helper.sh"), "# first\n").unwrap();
    fs::write(folder.join("run.sh"), &touching).unwrap();
    let ran = scan(&programs);
    assert!(ran.stderr.contains("] moving"), "it runs again: {}", ran.stderr);
}
