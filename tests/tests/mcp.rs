//! An assistant reviews over the Model Context Protocol: it looks and proposes, and people decide.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chaffinch_tests::sandbox::{Sandbox, json};
use chaffinch_tests::{pictures, process, python};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

/// A client that sends a message and waits for its answer.
struct Assistant {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    id: u64,
}

impl Assistant {
    fn start(sandbox: &Sandbox, data: &Path, more: &[&str]) -> Assistant {
        let mut command = sandbox.command(["mcp", data.to_str().unwrap()]);
        command.args(more).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut assistant = Assistant { child, input, output, id: 0 };
        let hello =
            assistant.ask("initialize", json!({ "protocolVersion": "2025-06-18", "capabilities": {} }));
        assert_eq!(hello["result"]["protocolVersion"], "2025-06-18");
        assistant.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        assistant
    }

    fn send(&mut self, message: &Value) {
        self.input.write_all(format!("{message}\n").as_bytes()).unwrap();
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.id += 1;
        self.send(&json!({ "jsonrpc": "2.0", "id": self.id, "method": method, "params": params }));
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(answer["id"], self.id);
        answer
    }

    /// The result of a tool.
    fn call(&mut self, tool: &str, arguments: Value) -> Value {
        let answer = self.ask("tools/call", json!({ "name": tool, "arguments": arguments }));
        assert_eq!(answer["result"]["isError"], false, "{answer}");
        answer["result"].clone()
    }

    fn told(&mut self, tool: &str, arguments: Value) -> Value {
        self.call(tool, arguments)["structuredContent"].clone()
    }

    /// Why a tool refused.
    fn refusal(&mut self, tool: &str, arguments: Value) -> String {
        let answer = self.ask("tools/call", json!({ "name": tool, "arguments": arguments }));
        assert_eq!(answer["result"]["isError"], true, "{answer}");
        answer["result"]["content"][0]["text"].as_str().unwrap().to_owned()
    }

    fn end(mut self) {
        drop(self.input);
        assert!(self.child.wait().unwrap().success());
    }
}

fn listed(sandbox: &Sandbox, data: &Path, filter: &str) -> Vec<Value> {
    let args = ["rank", data.to_str().unwrap(), "--all", "--filter", filter, "--format", "json"];
    json(&sandbox.ok(args)).as_array().unwrap().clone()
}

#[test]
fn an_assistant_looks_and_proposes_and_nothing_is_decided() {
    let (sandbox, data) = Sandbox::with_demo();
    let mut assistant = Assistant::start(&sandbox, &data, &[]);
    let tools = assistant.ask("tools/list", json!({}));
    for tool in tools["result"]["tools"].as_array().unwrap() {
        assert_eq!(tool["inputSchema"]["type"], "object", "{tool}");
    }
    let summary = assistant.told("summary", json!({}));
    let ranked = json(&sandbox.ok(["rank", data.to_str().unwrap(), "--format", "json"]));
    let ranked = ranked.as_array().unwrap();
    assert_eq!(summary["suspects"], ranked.len());
    let list = assistant.told("list_samples", json!({ "limit": 5 }));
    assert_eq!(list["total"], ranked.len());
    let rows = list["samples"].as_array().unwrap();
    for (row, expected) in rows.iter().zip(ranked) {
        assert_eq!(row["path"], expected["path"], "the same order as rank");
        assert_eq!(row["flagged_by"], expected["detectors"]);
    }
    let next = assistant.told("list_samples", json!({ "limit": 2, "offset": 3 }));
    assert_eq!(next["samples"][0], rows[3]);

    let first = &rows[0];
    let about = assistant.told("describe", json!({ "id": first["id"] }));
    assert_eq!(about["path"], first["path"]);
    assert!(about["issues"].as_array().unwrap().iter().any(|issue| issue["flags_it"] == true), "{about}");
    let found = assistant.told("search", json!({ "expression": "ship", "limit": 3 }));
    assert_eq!(found["samples"].as_array().unwrap().len(), 3);
    let seen = assistant.call("look", json!({ "id": rows[1]["id"], "side": 64 }));
    let picture = STANDARD.decode(seen["content"][0]["data"].as_str().unwrap()).unwrap();
    let picture = image::load_from_memory(&picture).unwrap();
    assert_eq!(seen["structuredContent"]["width"], picture.width());
    assert!(assistant.told("dataset_findings", json!({}))["findings"].is_array());

    let propose =
        |id: &Value, choice: &str| json!({ "id": id, "choice": choice, "reason": "it shows nothing" });
    let kept = assistant.told("propose", propose(&first["id"], "keep"));
    assert_eq!((&kept["proposed"], &kept["was_there"]), (&json!("proposed:keep"), &json!(false)));
    assistant.told("propose", propose(&first["id"], "remove"));
    assert_eq!(assistant.told("propose", propose(&first["id"], "remove"))["was_there"], true);
    let label = rows[1]["label"].as_str().unwrap();
    let other = summary["classes"].as_array().unwrap().iter().find(|class| **class != *label).unwrap();
    let relabel = json!({ "id": rows[1]["id"], "choice": "relabel", "label": other, "reason": "wheels" });
    assistant.told("propose", relabel);
    assert_eq!(
        assistant.told("list_samples", json!({ "filter": "tag:proposed:*", "all": true }))["total"],
        2
    );
    assert_eq!(assistant.told("summary", json!({}))["decided"], 0);

    // A person sees the newer proposal, and nothing is decided.
    let seen = listed(&sandbox, &data, "tag:proposed:remove");
    assert_eq!(seen.len(), 1);
    assert_eq!((&seen[0]["path"], &seen[0]["decision"]), (&first["path"], &json!("")));
    assert!(listed(&sandbox, &data, "tag:proposed:keep").is_empty());
    assert!(listed(&sandbox, &data, "decided").is_empty());
    assistant.told("withdraw", json!({ "id": first["id"] }));
    assert!(listed(&sandbox, &data, "tag:proposed:remove").is_empty());
    assert!(assistant.refusal("withdraw", json!({ "id": first["id"] })).contains("nothing is proposed"));
    assistant.end();
}

#[test]
fn what_cannot_be_done_is_said() {
    let (sandbox, data) = Sandbox::with_demo();
    let mut assistant = Assistant::start(&sandbox, &data, &[]);
    let list = assistant.told("list_samples", json!({ "limit": 2 }));
    let id = list["samples"][0]["id"].as_str().unwrap();
    let label = list["samples"][0]["label"].as_str().unwrap().to_owned();
    let (number, digits) = id.split_once('-').unwrap();
    let other = list["samples"][1]["id"].as_str().unwrap().split_once('-').unwrap().1;
    let propose = |choice: &str, label: &str| json!({ "id": id, "choice": choice, "label": label, "reason": "because" });
    for (tool, arguments, what) in [
        ("describe", json!({ "id": format!("{number}-{other}") }), "as it is now"),
        ("describe", json!({ "id": format!("999999-{digits}") }), "there is no sample"),
        ("describe", json!({ "id": "0-00000000" }), "not an id"),
        ("describe", json!({ "id": "cat.jpg" }), "not an id"),
        ("describe", json!({}), "missing field `id`"),
        ("describe", json!({ "id": id, "more": 1 }), "unknown field `more`"),
        ("look", json!({ "id": id, "side": 9999 }), "side must be"),
        ("list_samples", json!({ "limit": 0 }), "limit must be"),
        ("list_samples", json!({ "order": "nonsense" }), "there is no order or detector 'nonsense'"),
        ("list_samples", json!({ "filter": "score<" }), "score"),
        ("search", json!({ "expression": "file:/etc/passwd" }), "outside the dataset"),
        ("propose", propose("relabel", "no such class"), "there is no class 'no such class'"),
        ("propose", propose("relabel", &label), "already"),
        ("propose", propose("remove", "cat"), "only relabel"),
        ("propose", json!({ "id": id, "choice": "relabel", "reason": "so" }), "needs a label"),
        ("propose", json!({ "id": id, "choice": "remove", "reason": "  " }), "a reason is needed"),
        ("propose", json!({ "id": id, "choice": "burn", "reason": "so" }), "unknown variant `burn`"),
    ] {
        let why = assistant.refusal(tool, arguments.clone());
        assert!(why.contains(what), "{tool} {arguments}: {why}");
    }
    let unknown = assistant.ask("tools/call", json!({ "name": "decide", "arguments": {} }));
    assert_eq!(unknown["error"]["code"], -32602);
    assistant.end();

    // Nobody's name is taken.
    let refused = sandbox.run(["mcp", data.to_str().unwrap(), "--reviewer", "tester"]);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("your own name"), "{}", refused.stderr);
    sandbox.plain([data.to_str().unwrap(), "--reviewer", "anna"], "remove\n");
    assert_eq!(listed(&sandbox, &data, "decided").len(), 1);
    let refused = sandbox.run(["mcp", data.to_str().unwrap(), "--reviewer", "anna"]);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("'anna' has decided in this session"), "{}", refused.stderr);
    let nothing = sandbox.run(["mcp", sandbox.data().to_str().unwrap()]);
    assert_eq!(nothing.code, 2, "{}", nothing.stderr);
}

#[test]
fn two_assistants_work_in_one_session() {
    let (sandbox, data) = Sandbox::with_demo();
    let mut one = Assistant::start(&sandbox, &data, &[]);
    let mut two = Assistant::start(&sandbox, &data, &["--reviewer", "second"]);
    let again = sandbox.run(["mcp", data.to_str().unwrap()]);
    assert!(again.code == 2 && again.stderr.contains("has this session open already"), "{}", again.stderr);
    let id = one.told("list_samples", json!({ "limit": 1 }))["samples"][0]["id"].clone();
    let propose = |choice: &str| json!({ "id": id, "choice": choice, "reason": "because" });
    one.told("propose", propose("remove"));
    two.told("propose", propose("keep"));
    let tags = one.told("describe", json!({ "id": id }))["tags"].clone();
    let mut tags: Vec<&str> = tags.as_array().unwrap().iter().map(|tag| tag.as_str().unwrap()).collect();
    tags.sort_unstable();
    assert_eq!(tags, ["proposed:keep", "proposed:remove"], "one does not replace what the other proposes");
    one.end();
    two.told("withdraw", json!({ "id": id }));
    two.end();
    assert_eq!(listed(&sandbox, &data, "tag:proposed:remove").len(), 1);
    assert!(listed(&sandbox, &data, "tag:proposed:keep").is_empty());
}

/// What is said of a picture is about what it was when it was scanned.
#[test]
fn what_changed_since_the_scan_is_not_shown_and_its_id_is_not_taken() {
    let sandbox = Sandbox::new();
    pictures::dataset(&sandbox.data(), 2, 6, 32);
    sandbox.ok(["scan", sandbox.data().to_str().unwrap(), "--quiet"]);
    let mut assistant = Assistant::start(&sandbox, &sandbox.data(), &[]);
    let every = json!({ "all": true, "order": "path", "limit": 100 });
    let rows = assistant.told("list_samples", every.clone())["samples"].clone();
    let ids: Vec<Value> = rows.as_array().unwrap().iter().map(|row| row["id"].clone()).collect();
    assert_eq!(ids.len(), 12);
    assistant.told("look", json!({ "id": ids[0] }));
    let [one, other] = [0, 1].map(|row| sandbox.data().join(rows[row]["path"].as_str().unwrap()));
    let (first, second) = (fs::read(&one).unwrap(), fs::read(&other).unwrap());
    assert_ne!(first, second);
    fs::write(&one, second).unwrap();
    fs::write(&other, first).unwrap();
    let why = assistant.refusal("look", json!({ "id": ids[0] }));
    assert!(why.contains("changed since the dataset was scanned"), "{why}");
    assistant.end();
    // Whoever leaves waits a moment for the engine to end, and no longer.
    let scanned = || sandbox.run(["scan", sandbox.data().to_str().unwrap(), "--quiet"]).code == 0;
    process::wait_for(Duration::from_secs(60), scanned).unwrap();
    let mut assistant = Assistant::start(&sandbox, &sandbox.data(), &[]);
    let propose = |id: &Value| json!({ "id": id, "choice": "remove", "reason": "it is dark" });
    for id in &ids[..2] {
        let why = assistant.refusal("propose", propose(id));
        assert!(why.contains("as it is now"), "{why}");
    }
    assistant.told("propose", propose(&ids[2]));
    let now = assistant.told("list_samples", every)["samples"].clone();
    assert_ne!(now[0]["id"], ids[0]);
    assistant.told("look", json!({ "id": now[0]["id"] }));
    assistant.end();
}

/// The SDK that the protocol's authors publish, as client.
#[test]
fn a_client_of_the_official_sdk_lists_looks_and_proposes() {
    if !python::has("mcp", "the package mcp with pip") {
        return;
    }
    let (sandbox, data) = Sandbox::with_demo();
    let server = sandbox.command(["mcp", data.to_str().unwrap()]);
    let mut client = Command::new("python3");
    client
        .args(["-c", include_str!("../src/mcp_client.py")])
        .arg(server.get_program())
        .args(server.get_args());
    let output = client.env_clear().envs(sandbox.environment()).current_dir(sandbox.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["picture"], "image/png", "{said}");
    assert!(said["tools"].as_array().unwrap().contains(&json!("propose")), "{said}");
    let seen = listed(&sandbox, &data, "tag:proposed:remove");
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0]["path"], said["path"]);
}
