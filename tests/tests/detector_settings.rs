//! What is set for a detector in a session stays true when its author changes the detector, and a run that did not see everything
//! as it began is repeated.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_tests::misbehavior::{GOOD, Programs};
use chaffinch_tests::sandbox::Ran;
use std::fs;

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
    assert!(rank().stderr.contains("moving has not run since its code changed"), "{}", rank().stderr);
    // It is the same again, and is run for all that.
    fs::write(folder.join("helper.sh"), "# first\n").unwrap();
    fs::write(folder.join("run.sh"), &touching).unwrap();
    let ran = scan(&programs);
    assert!(ran.stderr.contains("] moving"), "it runs again: {}", ran.stderr);
}
