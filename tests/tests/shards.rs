//! A dataset that several machines scan, each a shard of it: merged, the session is that of one machine.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_tests::artefacts::program;
use chaffinch_tests::pictures;
use chaffinch_tests::sandbox::{Sandbox, number, report};
use chaffinch_tests::slurm::{self, Slurm};
use chaffinch_tests::tools::installed;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Pictures, copies of some in other classes, and files that are not pictures.
fn dataset(sandbox: &Sandbox) -> usize {
    let files = pictures::dataset(&sandbox.data(), 4, 12, 32);
    let files: Vec<PathBuf> = files.iter().map(|file| sandbox.data().join(file)).collect();
    let class = |number: usize| files[number * 12].parent().unwrap().to_path_buf();
    fs::copy(&files[0], class(2).join("copy.png")).unwrap();
    fs::copy(&files[40], class(0).join("copy.png")).unwrap();
    fs::write(class(1).join("broken.png"), b"\x89PNG\r\n\x1a\nno").unwrap();
    fs::write(class(3).join("empty.png"), b"").unwrap();
    files.len() + 4
}

fn scan(sandbox: &Sandbox, data: &Path, session: &str, more: &[&str]) -> serde_json::Value {
    let session = sandbox.path().join(session);
    let mut args =
        vec!["scan", text(data), "--session", text(&session), "--json", "--model", "bundled-small"];
    args.extend(more);
    report(&sandbox.ok(args))
}

fn merge(sandbox: &Sandbox, session: &str, shards: &[&str], more: &[&str]) -> serde_json::Value {
    let (session, shards): (PathBuf, Vec<PathBuf>) =
        (sandbox.path().join(session), shards.iter().map(|shard| sandbox.path().join(shard)).collect());
    let mut args = vec!["merge", "--json", "--session", text(&session)];
    args.extend(shards.iter().map(|shard| text(shard)));
    args.extend(more);
    report(&sandbox.ok(args))
}

fn rank(sandbox: &Sandbox, session: &str) -> String {
    let session = sandbox.path().join(session);
    let ran = sandbox.ok(["rank", text(&session), "--all", "--top", "0", "--format", "json"]);
    ran.stdout.replace(text(&session), "SESSION")
}

/// The chunks of embeddings, by their name.
fn chunks(sandbox: &Sandbox, session: &str) -> BTreeMap<String, Vec<u8>> {
    let walk = walkdir::WalkDir::new(sandbox.path().join(session).join("embeddings"));
    let files = walk.into_iter().map(|entry| entry.unwrap()).filter(|entry| entry.file_type().is_file());
    let chunk = |entry: &walkdir::DirEntry| entry.file_name().to_str().unwrap().starts_with("chunk-");
    files
        .filter(chunk)
        .map(|entry| (entry.file_name().to_str().unwrap().to_owned(), fs::read(entry.path()).unwrap()))
        .collect()
}

#[test]
fn merged_shards_are_what_one_machine_would_have_found() {
    let sandbox = Sandbox::new();
    let samples = dataset(&sandbox);
    let one = scan(&sandbox, &sandbox.data(), "one", &[]);
    assert_eq!(number(&one, "samples"), samples as u64);
    let mut read = 0;
    for shard in ["3/4", "1/4", "4/4", "2/4"] {
        let name = format!("shard-{}", &shard[..1]);
        let found = scan(&sandbox, &sandbox.data(), &name, &["--shard", shard]);
        assert_eq!((&found["shard"], found["detectors"].as_array().unwrap().len()), (&shard.into(), 0));
        read += number(&found, "samples");
    }
    assert_eq!(read, samples as u64);
    let merged = merge(&sandbox, "merged", &["shard-4", "shard-1", "shard-2", "shard-3"], &[]);
    for field in ["samples", "unreadable", "suspects"] {
        assert_eq!(merged[field], one[field], "{field}");
    }
    // The one empty file has no content that a shard could have kept.
    assert!(number(&merged, "decoded") <= 1 && number(&merged, "embedded") == 0, "{merged}");
    assert_eq!(rank(&sandbox, "merged"), rank(&sandbox, "one"));
    let (found, expected) = (chunks(&sandbox, "merged"), chunks(&sandbox, "one"));
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    assert!(!expected.is_empty() && found == expected, "the embeddings are the same to the byte");
    // Nothing is left to do for either.
    let again = scan(&sandbox, &sandbox.data(), "merged", &[]);
    assert_eq!((number(&again, "decoded"), number(&again, "embedded")), (0, 0));
}

#[test]
fn a_shard_that_is_killed_resumes_and_may_read_a_copy_of_the_dataset() {
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 4, 40, 64);
    scan(&sandbox, &sandbox.data(), "one", &[]);
    // Another machine's own disk, as staged with the times of files.
    let staged = sandbox.path().join("staged");
    assert!(Command::new("cp").arg("-a").arg(sandbox.data()).arg(&staged).status().unwrap().success());
    let session = sandbox.path().join("b");
    let args =
        ["scan", text(&staged), "--session", text(&session), "--shard", "2/2", "--model", "bundled-small"];
    let mut child = sandbox.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(700));
    child.kill().unwrap();
    child.wait().unwrap();
    let killed = !session.join("shard.toml").is_file();
    scan(&sandbox, &sandbox.data(), "a", &["--shard", "1/2"]);
    if killed {
        let (a, b, merged) = (sandbox.path().join("a"), &session, sandbox.path().join("merged"));
        let ran = sandbox.run(["merge", text(&a), text(b), "--session", text(&merged)]);
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(!merged.exists(), "what cannot be merged leaves nothing behind");
    }
    scan(&sandbox, &staged, "b", &["--shard", "2/2"]);
    let data = sandbox.data();
    let merged = merge(&sandbox, "merged", &["a", "b"], &["--dataset", text(&data)]);
    assert_eq!((number(&merged, "decoded"), number(&merged, "embedded")), (0, 0), "{merged}");
    assert_eq!(rank(&sandbox, "merged"), rank(&sandbox, "one"));
}

#[test]
fn what_was_changed_or_not_read_is_read_by_the_merge() {
    let sandbox = Sandbox::new();
    dataset(&sandbox);
    for shard in ["1/2", "2/2"] {
        scan(&sandbox, &sandbox.data(), &shard[..1], &["--shard", shard]);
    }
    let changed = walkdir::WalkDir::new(sandbox.data()).sort_by_file_name().into_iter();
    let changed = changed.map(|entry| entry.unwrap()).find(|entry| entry.file_type().is_file()).unwrap();
    pictures::picture(3, 77, 48).save(changed.path()).unwrap();
    let merged = merge(&sandbox, "merged", &["1", "2"], &[]);
    assert_eq!(number(&merged, "embedded"), 1, "{merged}");
    scan(&sandbox, &sandbox.data(), "one", &[]);
    assert_eq!(rank(&sandbox, "merged"), rank(&sandbox, "one"));
}

#[test]
fn a_shard_of_nothing_or_without_a_session_is_refused() {
    let sandbox = Sandbox::new();
    dataset(&sandbox);
    let data = sandbox.data();
    let refused = |args: &[&str]| {
        let ran = sandbox.run(args);
        assert_eq!(ran.code, 2, "{}{}", ran.stdout, ran.stderr);
        ran.stderr
    };
    assert!(refused(&["scan", text(&data), "--shard", "1/2"]).contains("add --session DIR"));
    assert!(refused(&["scan", text(&data), "--shard", "3/2", "--session", "s"]).contains("such as 2/4"));
    assert!(refused(&["merge", text(&data), "--session", "s"]).contains("not the session of a shard"));
    scan(&sandbox, &data, "s", &["--shard", "1/2"]);
    let session = sandbox.path().join("s");
    let error = refused(&["rank", text(&session)]);
    assert!(error.contains("shard 1/2") && error.contains("chaffinch merge"), "{error}");
}

/// Four tasks of an array on a real Slurm. The second is killed in the middle of its shard, and requeued.
#[test]
fn an_array_of_jobs_whose_task_is_requeued_gives_the_result_of_one_machine() {
    if !installed(&slurm::PROGRAMS, slurm::PACKAGES) {
        return;
    }
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 4, 24, 48);
    scan(&sandbox, &sandbox.data(), "one", &[]);
    let slurm = Slurm::start(&sandbox.path().join("slurm"), 2);
    let script = sandbox.path().join("scan.sh");
    let environment: String =
        sandbox.environment().iter().map(|(name, value)| format!("export {name}='{value}'\n")).collect();
    let (program, at) = (program(), sandbox.path());
    let lines = format!(
        "#!/bin/sh\n{environment}cd '{at}'\n\
         echo \"$SLURM_ARRAY_TASK_ID ${{SLURM_RESTART_COUNT:-0}}\" >>tasks\n\
         scan() {{ '{program}' scan data --shard $SLURM_ARRAY_TASK_ID/4 --session shard-$SLURM_ARRAY_TASK_ID \
         --model bundled-small; }}\n\
         if [ $SLURM_ARRAY_TASK_ID = 2 ] && [ ${{SLURM_RESTART_COUNT:-0}} = 0 ]; then\n\
         scan & sleep .4; kill -9 $!; scontrol requeue $SLURM_JOB_ID; sleep 60\nfi\nscan\n",
        at = at.display(),
        program = program.display()
    );
    fs::write(&script, lines).unwrap();
    slurm.run(&script, &["--array=1-4", "--requeue", "--output", text(&at.join("log-%a"))]);
    let mut tasks: Vec<String> =
        fs::read_to_string(at.join("tasks")).unwrap().lines().map(str::to_owned).collect();
    tasks.sort();
    assert_eq!(tasks, ["1 0", "2 0", "2 1", "3 0", "4 0"]);
    let shards = ["shard-1", "shard-2", "shard-3", "shard-4"];
    let merged = merge(&sandbox, "merged", &shards, &[]);
    assert_eq!((number(&merged, "decoded"), number(&merged, "embedded")), (0, 0), "{merged}");
    assert_eq!(rank(&sandbox, "merged"), rank(&sandbox, "one"));
    assert_eq!(chunks(&sandbox, "merged"), chunks(&sandbox, "one"));
}
