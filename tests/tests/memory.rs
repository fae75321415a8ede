//! One budget of memory: who sets it, what refuses it, and that pictures stay within it.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_tests::hostile;
use chaffinch_tests::sandbox::{Ran, Sandbox, json, number, report};
use std::fs;

/// What `doctor` says of the budget: whether it is fine, and the sentence.
fn told(sandbox: &Sandbox, args: &[&str], variables: &[(&str, &str)]) -> (String, String) {
    let mut command = sandbox.command([&["doctor", "--json"], args].concat());
    command.envs(variables.iter().copied());
    let found = json(&Ran::from(command.output().unwrap()));
    let memory = found.as_array().unwrap().iter().find(|one| one["about"] == "memory").unwrap();
    (memory["state"].as_str().unwrap().to_owned(), memory["text"].as_str().unwrap().to_owned())
}

#[test]
fn a_budget_says_where_it_comes_from() {
    let sandbox = Sandbox::new();
    let (state, text) = told(&sandbox, &[], &[]);
    assert_eq!(state, "ok");
    assert!(text.contains(" three quarters of the "), "{text}");
    let config = sandbox.path().join("config/chaffinch");
    fs::create_dir_all(&config).unwrap();
    fs::write(config.join("config.toml"), "memory = \"3GiB\"\n").unwrap();
    let (_, text) = told(&sandbox, &[], &[]);
    assert!(text.starts_with("3.0 GiB, as memory in /") && text.ends_with("config.toml says"), "{text}");
    let variable = [("CHAFFINCH_MEMORY", "2GiB")];
    assert_eq!(told(&sandbox, &[], &variable).1, "2.0 GiB, as $CHAFFINCH_MEMORY says");
    assert_eq!(told(&sandbox, &["--memory", "1GiB"], &variable).1, "1.0 GiB, as --memory says");
    // A limit of the address space counts as one of the machine's.
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", "ulimit -v 8000000; exec \"$0\" \"$@\""]);
    shell.arg(chaffinch_tests::artefacts::program()).args(["doctor", "--json"]);
    fs::remove_file(config.join("config.toml")).unwrap();
    shell.env_clear().envs(sandbox.environment());
    let found = json(&Ran::from(shell.output().unwrap())).to_string();
    assert!(found.contains("that ulimit -v allows"), "{found}");
}

#[test]
fn what_is_too_little_or_no_amount_is_refused_in_a_sentence() {
    let sandbox = Sandbox::new();
    hostile::dataset(&sandbox.data(), 4, 0, 16);
    for (amount, words) in
        [("100MiB", "Chaffinch needs at least 512.0 MiB"), ("lots", "is not an amount of memory")]
    {
        let mut args = sandbox.scan_args();
        args.extend(["--memory".to_owned(), amount.to_owned()]);
        let ran = sandbox.run(args);
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(ran.stderr.starts_with("error: --memory: ") && ran.stderr.contains(words), "{}", ran.stderr);
    }
    assert!(!sandbox.session().exists(), "refused before anything was made");
}

#[test]
fn hostile_pictures_are_read_one_after_the_other_within_the_budget() {
    let sandbox = Sandbox::new();
    // 90 MiB of pixels each, of which eight threads would hold eight; and one that never fits.
    hostile::dataset(&sandbox.data(), 40, 10, 5_600);
    fs::write(sandbox.data().join("cat/huge.webp"), hostile::webp(12_000)).unwrap();
    let scan = |memory: &str| {
        let mut args = sandbox.scan_args();
        args.extend(["--memory", memory, "--detectors", "duplicates"].map(str::to_owned));
        let mut command = sandbox.command(args);
        command.env("RAYON_NUM_THREADS", "8");
        let ran = Ran::from(command.output().unwrap());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran
    };
    let first = scan("768MiB");
    let peak = number(&report(&first), "peak_memory");
    assert!(peak <= 768 << 20, "{} MiB", peak >> 20);
    let said = format!("{}{}", first.stdout, first.stderr);
    assert!(said.contains("huge.webp") && said.contains("too little memory"), "{said}");
    let unreadable = |ran: &Ran| number(&report(ran), "unreadable");
    assert_eq!(unreadable(&first), 1, "{}", first.stdout);
    // It was not called broken: with more memory it is a picture like all others.
    assert_eq!(unreadable(&scan("3GiB")), 0);
}
