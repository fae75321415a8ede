use super::*;

fn layers(user: &str, session: &str) -> Result<Config> {
    let place = tempfile::tempdir().unwrap();
    let (home, work) = (place.path().join("home"), place.path().join("work"));
    for (folder, file, text) in [(&home, USER_FILE, user), (&work, SESSION_FILE, session)] {
        fs::create_dir(folder).unwrap();
        if !text.is_empty() {
            fs::write(folder.join(file), text).unwrap();
        }
    }
    Config::load_from(Some(&home), Some(&work))
}

fn error(user: &str) -> String {
    layers(user, "").unwrap_err().to_string()
}

#[test]
fn the_defaults_are_whole() {
    let config = layers("", "").unwrap();
    assert_eq!(config, Config::built_in());
    assert_eq!((config.model(), config.device()), ("bundled", "auto"));
    assert_eq!(config.ensemble(), EnsembleRule::Or);
    assert_eq!(config.prompt_files(), [PathBuf::from("default")]);
    assert_eq!(config.ui().theme, "dark");
    assert!(config.detector_enabled("anything") && config.thresholds().is_empty());
}

#[test]
fn later_layers_go_before_earlier_ones() {
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
fn paths_start_from_the_file_that_names_them() {
    let place = tempfile::tempdir().unwrap();
    fs::write(
        place.path().join(USER_FILE),
        "[plugins]\nfolders = ['mine', '/abs']\n[prompts]\nfiles = ['cifar10', 'p.toml']\n",
    )
    .unwrap();
    let config = Config::load_from(Some(place.path()), None).unwrap();
    assert_eq!(config.plugin_folders(), [place.path().join("mine"), "/abs".into()]);
    assert_eq!(config.prompt_files(), [PathBuf::from("cifar10"), place.path().join("p.toml")]);
}

#[test]
fn mistakes_name_the_file_the_line_and_what_was_meant() {
    let text = error("model = 'a'\n\n[detecters]\n");
    assert!(
        text.contains("config.toml: line 3: unknown key 'detecters'; did you mean 'detectors'?"),
        "{text}"
    );
    assert!(error("[ui]\nthem = 'x'").contains("line 2: unknown key 'them' in [ui]; did you mean 'theme'?"));
    assert!(error("[detectors]\ndisable = []").contains("did you mean 'disabled'?"));
    assert!(error("model = 3").contains("line 1: 'model' must be a text in quotes"));
    assert!(error("[detectors.a]\nthreshold = 2").contains("line 2: the threshold 2 is not within 0..=1"));
    assert!(error("[detectors.a]\nmode = 'x'").contains("'mode' must be a number, or true or false"));
    assert!(error("[ensemble]\nrule = '0-of-n'").contains("there is no rule '0-of-n'"));
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
fn a_rule_by_flag_goes_before_one_chosen_in_the_session() {
    let config = Config::built_in();
    assert_eq!(config.ensemble_over(None), EnsembleRule::Or);
    assert_eq!(config.ensemble_over(Some(EnsembleRule::Majority)), EnsembleRule::Majority);
    let config = config.with_flags(Flags { ensemble: Some("2-of-n".into()), ..Flags::default() });
    assert_eq!(config.ensemble_over(Some(EnsembleRule::Majority)), EnsembleRule::AtLeast(2));
}
