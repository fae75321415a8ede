use super::setting::Form;
use super::*;

fn layers(user: &str, session: &str) -> Result<Config> {
    let temp = tempfile::tempdir().unwrap();
    let (home, work) = (temp.path().join("home"), temp.path().join("work"));
    for (folder, file, text) in [(&home, USER_FILE, user), (&work, SESSION_FILE, session)] {
        fs::create_dir(folder).unwrap();
        if !text.is_empty() {
            fs::write(folder.join(file), text).unwrap();
        }
    }
    load_from(&home, Some(&work))
}

fn load_from(home: &Path, session: Option<&Path>) -> Result<Config> {
    Config::layered(read(&home.join(USER_FILE))?, None, session)
}

/// The warnings about the user's file.
fn warning(user: &str) -> String {
    layers(user, "").unwrap().warnings().join("\n")
}

fn error(user: &str) -> String {
    layers(user, "").unwrap_err().to_string()
}

#[test]
fn the_defaults_are_whole() {
    let config = layers("", "").unwrap();
    assert_eq!(config, Config::built_in());
    assert!(config.warnings().is_empty());
    assert_eq!((config.model(), config.device()), ("bundled", "auto"));
    assert_eq!(config.ensemble(), EnsembleRule::Or);
    assert_eq!(config.prompt_files(), [PathBuf::from("default")]);
    assert_eq!(config.ui().theme, "auto");
    assert!(config.detector_enabled("anything") && config.thresholds().is_empty());
}

#[test]
fn later_layers_override_earlier_ones() {
    let user = "model = 'a'\ndevice = 'cpu'\n[detectors]\ndisabled = ['x']\n[detectors.dup]\nthreshold = 0.3\nk = 4\nexact = true\n[ui]\ntheme = 'light'\n";
    let session = "model = 'b'\n[detectors.dup]\nthreshold = 0.4\n[ensemble]\nrule = 'weighted'\nweights = { dup = 2 }\n";
    let config = layers(user, session).unwrap();
    assert_eq!((config.model(), config.device()), ("b", "cpu"));
    assert_eq!(config.thresholds()["dup"], 0.4);
    assert_eq!(config.detector_params("dup"), [("k".to_owned(), 4.0), ("exact".to_owned(), 1.0)].into());
    assert_eq!(config.ensemble(), EnsembleRule::Weighted([("dup".to_owned(), 2.0)].into()));
    assert!(!config.detector_enabled("x") && config.detector_enabled("dup"));
    assert_eq!(config.named_detectors(), ["dup", "x"]);
    let flags = Flags {
        model: Some("c".into()),
        reviewer: Some("anna".into()),
        detectors: Some(vec!["x".into()]),
        ..Flags::default()
    };
    let config = config.with_flags(flags);
    assert_eq!((config.model(), config.reviewer().as_str()), ("c", "anna"));
    assert!(config.detector_enabled("x") && !config.detector_enabled("dup"));
}

#[test]
fn what_the_defaults_switch_off_runs_once_it_is_named() {
    let off = "clean-selection";
    let enabled = |user: &str, session: &str| layers(user, session).unwrap().detector_enabled(off);
    assert!(!Config::built_in().detector_enabled(off));
    let named = "[detectors]\nenabled = ['clean-selection', 'dup']";
    assert!(enabled(named, "") && enabled("", named));
    assert!(layers(named, "").unwrap().detector_enabled("dup"));
    assert!(!layers(named, "").unwrap().detector_enabled("anything"));
    // As in a file that started as a copy of the defaults.
    assert!(enabled("[detectors]\nenabled = ['clean-selection']\ndisabled = ['clean-selection']", ""));
    // A list replaces that of the defaults, and later layers override earlier ones.
    assert!(enabled("[detectors]\ndisabled = []", ""));
    assert!(!enabled(named, "[detectors]\ndisabled = ['clean-selection']"));
    assert!(!enabled("[detectors.clean-selection]\ntheta-cons = 0.9", ""));
    let flags = Flags { detectors: Some(vec![off.into()]), ..Flags::default() };
    assert!(Config::built_in().with_flags(flags).detector_enabled(off));
}

#[test]
fn paths_start_from_the_file_that_names_them() {
    let temp = tempfile::tempdir().unwrap();
    fs::write(
        temp.path().join(USER_FILE),
        "[plugins]\nfolders = ['mine', '/abs']\n[prompts]\nfiles = ['cifar10', 'p.toml']\n",
    )
    .unwrap();
    let config = load_from(temp.path(), None).unwrap();
    assert_eq!(config.plugin_folders(), [temp.path().join("mine"), "/abs".into()]);
    assert_eq!(config.prompt_files(), [PathBuf::from("cifar10"), temp.path().join("p.toml")]);
}

#[test]
fn mistakes_name_the_file_the_line_and_what_was_meant() {
    let text = warning("model = 'a'\n\n[detecters]\n");
    assert!(
        text.contains("config.toml: line 3: unknown key 'detecters'; did you mean 'detectors'?"),
        "{text}"
    );
    assert!(
        warning("[ui]\nthem = 'x'").contains("line 2: unknown key 'them' in [ui]; did you mean 'theme'?")
    );
    assert!(warning("[detectors]\ndisable = []").contains("did you mean 'disabled'?"));
    assert!(error("model = 3").contains("line 1: 'model' must be a string"));
    assert!(error("[detectors.a]\nthreshold = 2").contains("line 2: threshold 2 is not between 0 and 1"));
    assert!(
        error("[detectors.a]\nmode = []").contains("'mode' must be a number, true or false, or the name")
    );
    assert!(
        error("[ui]\nmouse = 'of'").contains("line 2: 'of' is not one of auto, on, off; did you mean 'off'?")
    );
    assert!(error("[ui]\nlist-width = 90").contains("90 is not between 20 and 80"));
    assert!(error("[ensemble]\nrule = '0-of-n'").contains("unknown rule '0-of-n'"));
    assert!(error("[ensemble]\nrule = 'majorty'").contains("did you mean 'majority'?"));
    assert!(error("model = 'a'\nmodel = 'b'").contains("line 2"));
    assert!(error("[detectors").contains("line 1"));
}

#[test]
fn a_session_names_no_code() {
    let error = layers("", "[plugins]\nfolders = ['/tmp/x']").unwrap_err().to_string();
    assert!(error.contains("chaffinch.toml") && error.contains("detectors are code"), "{error}");
}

#[test]
fn a_rule_set_by_a_flag_overrides_one_chosen_in_the_session() {
    let config = Config::built_in();
    assert_eq!(config.ensemble_over(None), EnsembleRule::Or);
    assert_eq!(config.ensemble_over(Some(EnsembleRule::Majority)), EnsembleRule::Majority);
    let config = config.with_flags(Flags { ensemble: Some("2-of-n".into()), ..Flags::default() });
    assert_eq!(config.ensemble_over(Some(EnsembleRule::Majority)), EnsembleRule::AtLeast(2));
}

#[test]
fn unknown_keys_are_ignored_and_the_rest_applies() {
    let config = layers("modle = 'a'\ndevice = 'cpu'\n[ui]\ntheme = 'light'\nthem = 'x'\n", "").unwrap();
    assert_eq!((config.model(), config.device(), config.ui().theme.as_str()), ("bundled", "cpu", "light"));
    let warnings = config.warnings();
    assert_eq!(warnings.len(), 2);
    assert!(warnings.iter().any(|text| text.contains("line 1: unknown key 'modle'; did you mean 'model'?")));
}

#[test]
fn a_projects_settings_come_between_the_users_and_the_sessions() {
    let temp = tempfile::tempdir().unwrap();
    let (project, session) = (temp.path().join(".chaffinch"), temp.path().join("session"));
    fs::create_dir(&project).unwrap();
    fs::create_dir(&session).unwrap();
    fs::write(project.join(USER_FILE), "model = 'p'\ndevice = 'cuda:1'\n[ui]\nkeymap = 'mine/keys.toml'")
        .unwrap();
    fs::write(session.join(SESSION_FILE), "model = 's'").unwrap();
    let user = (temp.path().join("u.toml"), "model = 'u'\ndevice = 'cpu'\nreviewer = 'anna'".to_owned());
    let config = Config::layered(Some(user), Some(&project), Some(&session)).unwrap();
    assert_eq!((config.model(), config.device(), config.reviewer().as_str()), ("s", "cuda:1", "anna"));
    assert_eq!(config.ui().keymap, project.join("mine/keys.toml").to_str().unwrap());
    assert_eq!(config.files().len(), 3);

    fs::write(project.join(USER_FILE), "[plugins]\nfolders = ['here']").unwrap();
    let error = Config::layered(None, Some(&project), None).unwrap_err().to_string();
    assert!(error.contains("detectors are code"), "{error}");
}

#[test]
fn the_environment_overrides_files() {
    let set = |pairs: &'static [(&str, &str)]| {
        move |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
    };
    let mut config = layers("[ui]\ntheme = 'light'\nmouse = 'on'", "").unwrap();
    let values = set(&[("CHAFFINCH_THEME", "mono"), ("CHAFFINCH_MOUSE", ""), ("CHAFFINCH_MODEL", "m")]);
    config.read_variables(values).unwrap();
    assert_eq!((config.ui().theme.as_str(), config.ui().mouse.as_str(), config.model()), ("mono", "on", "m"));
    let wrong = set(&[("CHAFFINCH_GLYPHS", "asci")]);
    let error = config.read_variables(wrong).unwrap_err().to_string();
    assert!(
        error.contains("CHAFFINCH_GLYPHS: 'asci' is not one of auto, unicode, ascii; did you mean 'ascii'?")
    );
}

#[test]
fn choices_have_names() {
    let config =
        layers("[detectors.a]\nmode = 'strict'\nk = 3", "[detectors.a]\nk = 'many'\nmode = 1").unwrap();
    assert_eq!(config.detector_choices("a"), [("k".to_owned(), "many".to_owned())].into());
    assert_eq!(config.detector_params("a"), [("mode".to_owned(), 1.0)].into());
    assert_eq!(config.named_detectors(), ["a"]);
}

/// What `configs/default.toml` must contain according to the declarations.
fn default_toml() -> String {
    const HEAD: &str = "All settings with their defaults. Settings are read from here, then from config.toml in the configuration folder
($XDG_CONFIG_HOME/chaffinch, or $CHAFFINCH_CONFIG_HOME), then from .chaffinch/config.toml in the working directory or a
directory above it, then from chaffinch.toml in the session's folder, then from the environment (CHAFFINCH_THEME and
others), then from command-line options; later layers override earlier ones. Unknown keys are ignored with a warning;
`chaffinch config check` reports the line of each. See docs/configuration.md.";
    let comment = |lines: &[&str]| -> String {
        lines.iter().map(|line| format!("# {}", line.trim_start()).trim_end().to_owned() + "\n").collect()
    };
    let mut text = comment(&HEAD.lines().collect::<Vec<&str>>());
    let mut section = "";
    for setting in SETTINGS {
        if setting.section != section {
            section = setting.section;
            text += &format!("\n[{section}]\n");
        } else if section.is_empty() || setting.form == Form::Numbers {
            text += "\n";
        }
        text += &comment(setting.doc);
        text += &match (setting.form, setting.default) {
            (Form::Numbers, _) => format!("[{section}.{}]\n", setting.key),
            (_, "") => format!("# {} = {}\n", setting.key, setting.example),
            (_, default) => format!("{} = {default}\n", setting.key),
        };
        if !setting.aside.is_empty() {
            text += "\n";
            text += &comment(setting.aside);
        }
    }
    text
}

/// The table in `docs/configuration.md`.
fn table() -> String {
    let mut text = "| setting | default | environment | |\n|---|---|---|---|\n".to_owned();
    for setting in SETTINGS {
        let name = match setting.section {
            "" => setting.key.to_owned(),
            section => format!("{section}.{}", setting.key),
        };
        let code = |text: &str| if text.is_empty() { String::new() } else { format!("`{text}`") };
        let about = schema::prose(setting.doc).replace('|', "\\|");
        let variable = setting.variable.unwrap_or_default();
        text += &format!("| `{name}` | {} | {} | {about} |\n", code(setting.default), code(variable));
    }
    text
}

#[test]
fn documentation_of_settings_matches_their_declarations() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let manual = root.join("docs/configuration.md");
    let mut text = fs::read_to_string(&manual).unwrap();
    let begin = "<!-- settings -->\n";
    let from = text.find(begin).unwrap() + begin.len();
    let to = from + text[from..].find("<!-- end -->\n").unwrap();
    text.replace_range(from..to, &table());
    let schema = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    for (file, expected) in [
        (root.join("configs/default.toml"), default_toml()),
        (root.join("configs/schema/config.schema.json"), schema),
        (manual, text),
    ] {
        if std::env::var_os("CHAFFINCH_UPDATE").is_some() {
            fs::write(&file, &expected).unwrap();
        }
        let found = fs::read_to_string(&file).unwrap();
        let file = file.display();
        assert!(
            found == expected,
            "{file} is out of date; run this test with CHAFFINCH_UPDATE=1 to update it"
        );
    }
}

#[test]
fn every_setting_can_be_set_to_its_example() {
    for setting in SETTINGS {
        let section =
            if setting.section.is_empty() { String::new() } else { format!("[{}]\n", setting.section) };
        let config = layers(&format!("{section}{} = {}\n", setting.key, setting.example), "").unwrap();
        assert_eq!(config.warnings(), [""; 0], "{}", setting.key);
    }
    let config = layers("[ui]\nstrip = false\nlist-width = 40\ntags = ['night']", "").unwrap();
    assert_eq!((config.ui().strip, config.ui().list_width), (false, Some(40)));
    assert_eq!(config.ui().tags, ["night"]);
}

#[test]
fn editors_know_every_rule() {
    let rule = SETTINGS.iter().find(|setting| setting.key == "rule").unwrap();
    let Limits::Pattern(pattern, check) = rule.limits else { panic!("the rule has no pattern") };
    for name in chaffinch_protocol::ensemble::RULES {
        assert!(pattern.split(['(', '|', ')']).any(|known| known == name), "{name} is not in {pattern}");
        assert_eq!(check(name), None);
    }
}

#[test]
fn what_a_session_was_scanned_with_overrides_everything_but_its_own_file_and_flags() {
    let temp = tempfile::tempdir().unwrap();
    let uses = Uses {
        model: Some("a/scanned".into()),
        detectors: vec!["clean-selection".into()],
        ..Uses::default()
    };
    let read = || {
        let user = Some((PathBuf::from("config.toml"), "model = \"a/user\"\ndevice = \"cpu\"\n".to_owned()));
        Config::layered(user, None, Some(temp.path())).unwrap().with_uses(&uses)
    };
    assert_eq!((read().model(), read().device()), ("a/scanned", "cpu"));
    assert!(read().detector_enabled("clean-selection") && !read().detector_enabled("duplicates"));
    fs::write(temp.path().join(SESSION_FILE), "model = \"an/own\"\n").unwrap();
    assert_eq!(read().model(), "an/own");
    let flags = Flags { model: Some("a/flag".into()), ..Flags::default() };
    assert_eq!(read().with_flags(flags).model(), "a/flag");
}

#[test]
fn a_reviewer_without_variables_has_the_name_of_the_list_of_users() {
    let name = login_name(Uid::current());
    assert!(!name.trim().is_empty() && name != "reviewer");
    assert_eq!(login_name(Uid::from_raw(4_000_000_123)), "user-4000000123");
    assert_eq!(login_name(Uid::from_raw(0)), "root");
}

#[test]
fn every_value_says_where_it_comes_from() {
    let user =
        "model = \"a/b\"\nreviewer = \"anna\"\n[ui]\nstrip = false\n[detectors.duplicates]\nradius = 4\n";
    let mut config = layers(user, "[detectors.duplicates]\nthreshold = 0.25\n").unwrap();
    config.read_variables(|name| (name == "CHAFFINCH_DEVICE").then(|| "cpu".to_owned())).unwrap();
    let config = config.with_flags(Flags { theme: Some("light".into()), ..Flags::default() });
    let all = config.effective();
    assert!(SETTINGS.iter().zip(&all).all(|(setting, shown)| shown.name.ends_with(setting.key)));
    let of = |name: &str| {
        let found = all.iter().find(|one| one.name == name).unwrap();
        let origin = match &found.origin {
            Origin::File(path) => path.file_name().unwrap().to_str().unwrap().to_owned(),
            other => other.to_string(),
        };
        (found.value.clone().unwrap_or_default(), origin)
    };
    let expected = |value: &str, origin: &str| (value.to_owned(), origin.to_owned());
    assert_eq!(of("model"), expected("\"a/b\"", USER_FILE));
    assert_eq!(of("device"), expected("\"cpu\"", "$CHAFFINCH_DEVICE"));
    assert_eq!(of("reviewer"), expected("\"anna\"", USER_FILE));
    assert_eq!(of("ui.theme"), expected("\"light\"", "command line"));
    assert_eq!(of("ui.strip"), expected("false", USER_FILE));
    assert_eq!(of("ui.mouse"), expected("\"auto\"", "default"));
    assert_eq!(of("detectors.duplicates.radius"), expected("4", USER_FILE));
    assert_eq!(of("detectors.duplicates.threshold"), expected("0.25", SESSION_FILE));
    assert_eq!(of("vram-budget"), expected("", "default"));
}

#[test]
fn parameters_are_accepted_under_their_earlier_names() {
    let config = layers("[detectors.image-quality]\nno-colour = 0.5\n", "").unwrap();
    assert_eq!(config.detector_params("image-quality"), [("no-color".to_owned(), 0.5)].into());
    assert!(config.warnings().is_empty());
    let [outdated] = config.outdated() else { panic!("{:?}", config.outdated()) };
    assert!(
        outdated.ends_with(
            "'no-colour' in [detectors.image-quality] is called 'no-color' now; write that instead"
        ),
        "{outdated}"
    );
}
