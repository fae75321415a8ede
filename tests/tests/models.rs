//! Models by name through the program, against a stand-in for the hub: every layout online, then offline from the cache.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_tests::artefacts::root;
use chaffinch_tests::hub::{Fault, Files, Hub, files, without};
use chaffinch_tests::pictures;
use chaffinch_tests::sandbox::{Ran, Sandbox, json, number, report};
use std::collections::BTreeSet;
use std::path::Path;

const NAME: &str = "owner/model";

/// A small checkpoint of a kind.
fn checkpoint(name: &str) -> Files {
    files(&root().join("core/clip/tests/fixtures").join(name))
}

/// The program, with this hub as the only one.
fn run(sandbox: &Sandbox, hub: &Hub, args: &[&str]) -> Ran {
    let mut command = sandbox.command(args);
    command.env("HF_HUB_OFFLINE", "0").env("HF_ENDPOINT", &hub.address).env("HF_TOKEN", "secret");
    command.env("HF_HUB_ETAG_TIMEOUT", "2").env("HF_HUB_DOWNLOAD_TIMEOUT", "2").env("NO_PROXY", "127.0.0.1");
    Ran::from(command.output().unwrap())
}

fn scan(sandbox: &Sandbox, hub: &Hub, session: &str, more: &[&str]) -> Ran {
    let (data, session) = (sandbox.data(), sandbox.path().join(session));
    let args = ["scan", data.to_str().unwrap(), "--session", session.to_str().unwrap(), "--json"];
    run(sandbox, hub, &[&args, more].concat())
}

/// The fingerprints of a session's vectors.
fn fingerprints(session: &Path) -> BTreeSet<String> {
    let entries = session.join("embeddings").read_dir().unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Scans by name online, then offline into another session: the same vectors, and no request.
fn online_then_offline(what: &str, hub: &Hub) -> Ran {
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 2, 6, 32);
    let first = scan(&sandbox, hub, "one", &["--model", NAME]);
    assert_eq!(first.code, 0, "{what}: {}", first.stderr);
    let found = report(&first);
    assert!(found["model"].as_str().unwrap().starts_with(NAME), "{what}: {found}");
    assert_eq!(number(&found, "embedded"), 12, "{what}");
    assert!(first.stderr.contains("downloading "), "{what}: {}", first.stderr);
    let asked = hub.requests().len() + hub.store_requests().len();
    for request in hub.store_requests() {
        assert!(!request.contains("secret"), "{what}: the token went to another host: {request}");
    }
    let again = scan(&sandbox, hub, "one", &["--model", NAME]);
    assert_eq!((number(&report(&again), "embedded"), again.code), (0, 0), "{what}: {}", again.stderr);
    let offline = scan(&sandbox, hub, "two", &["--model", NAME, "--offline"]);
    assert_eq!(offline.code, 0, "{what}: {}", offline.stderr);
    assert_eq!(number(&report(&offline), "embedded"), 12, "{what}");
    assert_eq!(
        hub.requests().len() + hub.store_requests().len(),
        asked,
        "{what}: a cached model asks nobody"
    );
    let [one, two] = ["one", "two"].map(|session| fingerprints(&sandbox.path().join(session)));
    assert_eq!(one, two, "{what}");
    first
}

#[test]
fn every_layout_is_scanned_online_and_then_offline() {
    // Towers of different sizes as in TinyCLIP, OpenAI's old configuration as in clip-vit-large-patch14, and others.
    for layout in
        ["asymmetric", "legacy", "siglip", "siglip2", "vit", "dinov2", "dinov2-registers", "open-clip"]
    {
        let hub = Hub::new();
        hub.add(NAME, "main", checkpoint(layout));
        online_then_offline(layout, &hub);
    }
    // LAION has both layouts and a pickle beside them.
    let hub = Hub::new();
    let mut both = checkpoint("gelu-eps");
    let open = checkpoint("open-clip");
    both.extend(open.into_iter().filter(|(name, _)| name.starts_with("open_clip")));
    both.insert("open_clip_pytorch_model.bin".into(), vec![0; 9]);
    hub.add(NAME, "main", both);
    online_then_offline("both layouts", &hub);
    let paths = hub.store_requests().join("\n");
    assert!(paths.contains("/model.safetensors") && !paths.contains("open_clip"), "{paths}");
}

#[test]
fn a_model_with_converted_weights_is_scanned_by_its_plain_name() {
    let whole = checkpoint("quick");
    let mut main = without(&whole, &["model.safetensors"]);
    main.insert("pytorch_model.bin".into(), vec![0; 9]);
    for told in [true, false] {
        let hub = Hub::new();
        hub.add(NAME, "main", main.clone());
        let commit = hub.add(NAME, "refs/pr/15", whole.clone());
        if told {
            hub.author(NAME, 15, "SFconvertbot");
        }
        let ran = online_then_offline("converted", &hub);
        for word in ["refs/pr/15", &commit[..10]] {
            assert!(ran.stderr.contains(word), "{word} is not in: {}", ran.stderr);
        }
    }
}

#[test]
fn what_the_hub_refuses_is_said_in_one_sentence() {
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 2, 3, 32);
    let hub = Hub::new();
    hub.add(NAME, "main", checkpoint("quick"));
    let page = format!("{}/{NAME}", hub.address);
    for (path, fault, words) in [
        ("/resolve/", Fault::Status(403, "GatedRepo"), vec!["gated", "license", page.as_str()]),
        ("/resolve/", Fault::Status(401, ""), vec!["401", "token"]),
        ("/api/", Fault::Status(404, "RepoNotFound"), vec!["404", "check the name"]),
        ("/api/", Fault::Silence, vec!["no answer within 2 s"]),
        ("/api/", Fault::Loop, vec!["redirected"]),
        ("model.safetensors", Fault::Stall, vec!["model.safetensors", "stopped for 2 s"]),
        ("model.safetensors", Fault::Damaged, vec!["damaged", "SHA-256"]),
        ("/resolve/", Fault::Tag("../../escaped"), vec!["invalid entity tag"]),
        ("/api/", Fault::Commit("../../escaped"), vec!["invalid commit"]),
    ] {
        hub.repair();
        hub.fault(path, fault.clone());
        let ran = run(&sandbox, &hub, &["models", "check", NAME]);
        assert_eq!(ran.code, 2, "{fault:?}: {}", ran.stderr);
        for word in words {
            assert!(ran.stderr.contains(word), "{fault:?}: {word:?} is not in: {}", ran.stderr);
        }
        assert!(!ran.stderr.contains("secret"), "{}", ran.stderr);
    }
    hub.repair();
    assert_eq!(run(&sandbox, &hub, &["models", "check", NAME]).code, 0);
    let outside: Vec<_> = walkdir::WalkDir::new(sandbox.path())
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_str().is_some_and(|name| name.contains("escaped")))
        .collect();
    assert!(outside.is_empty(), "{outside:?}");
}

#[test]
fn check_says_how_a_model_reads_pictures_and_texts() {
    let sandbox = Sandbox::new();
    let hub = Hub::new();
    let commit = hub.add(NAME, "main", checkpoint("siglip2"));
    let ran = run(&sandbox, &hub, &["models", "check", NAME]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for word in
        ["32 dimensions", "32 x 32 pixels", "at most 16 tokens", "<pad> (token 0)", commit.as_str(), "ok"]
    {
        assert!(ran.stdout.contains(word), "{word:?} is not in: {}", ran.stdout);
    }
    let found = json(&run(&sandbox, &hub, &["models", "check", NAME, "--json", "--offline"]));
    assert_eq!(found["context"], 16);
    assert_eq!(found["padding"], "<pad> (token 0)");
    assert_eq!(found["revision"], commit.as_str());
    let listed = json(&run(&sandbox, &hub, &["models", "list", "--json"]));
    let listed = listed.as_array().unwrap().iter().find(|model| model["name"] == NAME).unwrap();
    assert_eq!((&listed["kind"], &listed["usable"]), (&"siglip".into(), &true.into()));
}

#[test]
fn a_model_that_is_not_supported_costs_no_weights() {
    let sandbox = Sandbox::new();
    let hub = Hub::new();
    let mut files = checkpoint("dinov2");
    files.insert("config.json".into(), br#"{"model_type": "dinov3_vit"}"#.to_vec());
    hub.add(NAME, "main", files);
    let ran = run(&sandbox, &hub, &["models", "check", NAME]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("dinov3_vit") && ran.stderr.contains("facebook/dinov2-base"),
        "{}",
        ran.stderr
    );
    assert!(hub.store_requests().is_empty());
}
