//! Settings in layers, in real folders, with the real program.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_tests::artefacts::root;
use chaffinch_tests::sandbox::{Ran, Sandbox, report, table};
use std::fs;
use std::path::PathBuf;

fn user(sandbox: &Sandbox, name: &str, text: &str) -> PathBuf {
    let folder = sandbox.path().join("config/chaffinch");
    fs::create_dir_all(folder.join("themes")).unwrap();
    fs::write(folder.join(name), text).unwrap();
    folder.join(name)
}

fn project(sandbox: &Sandbox, name: &str, text: &str) {
    offered(sandbox, name, text);
    sandbox.ok(["config", "trust"]);
}

/// The same without the user's agreement.
fn offered(sandbox: &Sandbox, name: &str, text: &str) {
    let folder = sandbox.path().join(".chaffinch");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(name), text).unwrap();
}

fn check(sandbox: &Sandbox) -> Ran {
    sandbox.run(["config", "check"])
}

#[test]
fn the_defaults_check_and_can_be_written_back() {
    let sandbox = Sandbox::new();
    assert_eq!(check(&sandbox).code, 0);
    let defaults = sandbox.ok(["config", "--default"]).stdout;
    user(&sandbox, "config.toml", &defaults);
    let ran = check(&sandbox);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.starts_with("ok: ") && ran.stdout.contains("config.toml over the defaults"));
}

#[test]
fn settings_that_came_with_data_count_once_they_are_agreed_to_and_only_as_they_were() {
    let sandbox = Sandbox::new();
    let model = |sandbox: &Sandbox| {
        let ran = sandbox.ok(["config", "show", "--json"]);
        let all: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        let found = all.as_array().unwrap().iter().find(|one| one["name"] == "model").unwrap().clone();
        (found["value"].as_str().unwrap().to_owned(), ran.stderr)
    };
    let no_project = sandbox.run(["config", "trust"]);
    assert!(
        no_project.code == 2 && no_project.stderr.contains("has a .chaffinch folder"),
        "{}",
        no_project.stderr
    );
    offered(&sandbox, "config.toml", "model = 'someones/model'\n");
    offered(&sandbox, "keymap.toml", "[list]\nx = 'keep'\na = 'remove'\n");
    // A script is not asked; a person is, once.
    let (value, said) = model(&sandbox);
    assert_eq!(value, "\"bundled\"");
    assert!(said.contains(".chaffinch (config.toml, keymap.toml) is ignored"), "{said}");
    assert_eq!(said.matches("is ignored").count(), 1, "{said}");
    let keys = sandbox.ok(["keys"]).stdout;
    sandbox.ok(["config", "trust"]);
    let (value, said) = model(&sandbox);
    assert_eq!((value.as_str(), said.as_str()), ("\"someones/model\"", ""));
    assert_ne!(sandbox.ok(["keys"]).stdout, keys, "the keys are the project's");
    // What changes is asked about again.
    offered(&sandbox, "config.toml", "model = 'another/model'\n");
    assert_eq!(model(&sandbox).0, "\"bundled\"");
    assert_eq!(sandbox.ok(["keys"]).stdout, keys);
    // A device in place of a file is refused, not read.
    fs::remove_file(sandbox.path().join(".chaffinch/config.toml")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", sandbox.path().join(".chaffinch/config.toml")).unwrap();
    let ran = sandbox.run(["config", "show"]);
    assert!(
        ran.code == 2 && ran.stderr.contains("config.toml: settings are a regular file"),
        "{}",
        ran.stderr
    );
}

#[test]
fn everything_wrong_is_named_with_its_line_and_nothing_is_refused() {
    let sandbox = Sandbox::new();
    user(
        &sandbox,
        "config.toml",
        "modle = 'x'\n[ui]\nthem = 'dark'\n[detectors.clip-prompt]\nmode = 'zero-shoot'\n[detectors.duplicates]\nradius = 99\n",
    );
    user(&sandbox, "keymap.toml", "[list]\nx = 'remov'\n[nowhere]\n");
    project(&sandbox, "theme.toml", "keep = { fg = '#00ff00' }\nkeeep = { fg = 'red' }\n");
    let ran = check(&sandbox);
    assert_eq!(ran.code, 2, "{}{}", ran.stdout, ran.stderr);
    for expected in [
        "line 1: unknown key 'modle'; did you mean 'model'?",
        "line 3: unknown key 'them' in [ui]; did you mean 'theme'?",
        "mode = 'zero-shoot' is not one of combined, zero-shot, alternative; did you mean 'zero-shot'?",
        "radius = 99 is not from 0 to 16",
        "keymap.toml:2: there is no action 'remov': did you mean 'remove'?",
        "keymap.toml:3: [nowhere] is not a keymap table",
        "theme.toml:2: there is no role 'keeep': did you mean 'keep'?",
        "7 problems",
    ] {
        assert!(ran.stderr.contains(expected), "'{expected}' is not in\n{}", ran.stderr);
    }
    let ran = sandbox.run(["keys"]);
    assert_eq!(
        ran.code, 0,
        "a mistake in the configuration must not keep the program from starting\n{}",
        ran.stderr
    );
}

#[test]
fn a_project_goes_before_the_user_and_the_environment_before_both() {
    let sandbox = Sandbox::new();
    user(&sandbox, "config.toml", "[ui]\nkeymap = 'vim'\n");
    let keys = |args: &[&str], environment: Option<&str>| {
        let mut command = sandbox.command(["keys"]);
        command.args(args);
        if let Some(name) = environment {
            command.env("CHAFFINCH_KEYMAP", name);
        }
        Ran::from(command.output().unwrap()).stdout
    };
    assert!(
        keys(&[], None).contains("| `d d` `x` | `remove`") || keys(&[], None).contains("`dd`"),
        "{}",
        keys(&[], None)
    );
    project(&sandbox, "config.toml", "[ui]\nkeymap = 'prodigy'\n");
    assert!(keys(&[], None).contains("| `m` `f` | `mark`") || keys(&[], None).contains("| `f` `m` | `mark`"));
    assert!(keys(&[], Some("lightroom")).contains("| `a` `p` | `keep` |"));
    assert!(keys(&["--keymap", "default"], Some("lightroom")).contains("| `a` | `keep` |"));
    user(&sandbox, "keymap.toml", "[list]\n\"<C-x>\" = \"remove\"\n");
    assert!(keys(&[], None).contains("`C-x`"), "keymap.toml overrides the preset");
}

#[test]
fn a_choice_of_a_detector_goes_by_its_name_and_is_used() {
    let sandbox = Sandbox::new();
    chaffinch_tests::pictures::dataset(&sandbox.data(), 4, 12, 32);
    let scan = |sandbox: &Sandbox| {
        sandbox.scan();
        let session = sandbox.session();
        let args = [
            "rank",
            session.to_str().unwrap(),
            "--by",
            "clip-prompt",
            "--all",
            "--top",
            "0",
            "--format",
            "csv",
        ];
        sandbox.ok(args).stdout
    };
    let combined = scan(&sandbox);
    user(&sandbox, "config.toml", "[detectors.clip-prompt]\nmode = 'zero-shot'\n");
    let by_name = scan(&sandbox);
    assert_ne!(combined, by_name, "the other question gives other scores");
    user(&sandbox, "config.toml", "[detectors.clip-prompt]\nmode = 1\n");
    assert_eq!(scan(&sandbox), by_name, "the name and the number are the same choice");
}

#[test]
fn a_detector_that_is_switched_off_runs_when_it_is_named() {
    let off = "clean-selection";
    let ran = |sandbox: &Sandbox, args: &[&str]| -> Vec<String> {
        let all = sandbox.scan_args().into_iter().chain(args.iter().map(|arg| (*arg).to_owned()));
        let found = report(&sandbox.ok(all));
        assert_eq!(found["failed"].as_array().unwrap().len(), 0, "{found}");
        let names = found["detectors"].as_array().unwrap().iter();
        names.map(|detector| detector["name"].as_str().unwrap().to_owned()).collect()
    };
    let dataset = || {
        let sandbox = Sandbox::new();
        chaffinch_tests::pictures::dataset(&sandbox.data(), 4, 12, 32);
        sandbox
    };
    let by_flag = dataset();
    assert!(!ran(&by_flag, &[]).contains(&off.to_owned()), "it does not run by default");
    assert!(ran(&by_flag, &["--detectors", off]).contains(&off.to_owned()));
    let session = by_flag.session();
    let rank = ["rank", session.to_str().unwrap(), "--by", off, "--all", "--top", "0", "--format", "csv"];
    let rows = table(&by_flag.ok(rank).stdout);
    assert_eq!(rows.iter().filter(|row| !row["score"].is_empty()).count(), 48);

    let by_file = dataset();
    user(&by_file, "config.toml", "[detectors]\nenabled = ['clean-selection']\n");
    let names = ran(&by_file, &[]);
    assert!(names.contains(&off.to_owned()) && !names.contains(&"duplicates".to_owned()), "{names:?}");
    assert_eq!(check(&by_file).code, 0);
}

#[test]
fn a_project_names_no_code() {
    let sandbox = Sandbox::new();
    project(&sandbox, "config.toml", "[plugins]\nfolders = ['here']\n");
    let ran = check(&sandbox);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("detectors are code"), "{}", ran.stderr);
}

#[test]
fn schemas_are_printed() {
    let sandbox = Sandbox::new();
    for (name, inside) in [("config", "list-width"), ("keymap", "remove-group"), ("theme", "heat-high")] {
        let text = sandbox.ok(["config", "schema", name]).stdout;
        let schema: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(schema["properties"].is_object() && text.contains(inside), "{name}");
    }
    // Those of the output are in the repository as well.
    for name in ["dataset", "report", "progress"] {
        let file = root().join(format!("configs/schema/{name}.schema.json"));
        assert_eq!(
            sandbox.ok(["config", "schema", name]).stdout,
            fs::read_to_string(file).unwrap(),
            "{name}"
        );
    }
}

#[test]
fn what_is_in_force_is_shown_with_its_origin() {
    let sandbox = Sandbox::new();
    let file =
        user(&sandbox, "config.toml", "[ui]\ntheme = 'light'\n[detectors.image-quality]\nno-colour = 0.5\n");
    let mut command = sandbox.command(["config", "show", "--json", "--device", "cpu"]);
    command.env("CHAFFINCH_KEYMAP", "vim");
    let ran = Ran::from(command.output().unwrap());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("'no-colour' in [detectors.image-quality] is called 'no-color' now"),
        "{}",
        ran.stderr
    );
    let all: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let of = |name: &str| {
        let found = all.as_array().unwrap().iter().find(|one| one["name"] == name).unwrap();
        (found["value"].as_str().unwrap_or_default().to_owned(), found["from"].as_str().unwrap().to_owned())
    };
    let file = file.to_str().unwrap().to_owned();
    assert_eq!(of("ui.theme"), ("\"light\"".into(), file.clone()));
    assert_eq!(of("detectors.image-quality.no-color"), ("0.5".into(), file));
    assert_eq!(of("ui.keymap"), ("\"vim\"".into(), "$CHAFFINCH_KEYMAP".into()));
    assert_eq!(of("device"), ("\"cpu\"".into(), "command line".into()));
    assert_eq!(of("model"), ("\"bundled\"".into(), "default".into()));
    assert_eq!(of("reviewer"), ("\"tester\"".into(), "your login name".into()));
    assert_eq!(check(&sandbox).code, 0, "an earlier name is accepted");
}
