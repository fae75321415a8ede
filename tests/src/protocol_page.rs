//! The page about the protocol between interface and engine, from the sources of `core/protocol` and their documentation.
//!
//! The sources are read as rustfmt leaves them: items begin in the first column, and each variant and field is a line.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// A type of the protocol.
#[derive(Debug, Default)]
struct Item {
    docs: String,
    /// The name of the field that says which variant it is, if variants are not the names of fields.
    tag: Option<String>,
    body: Body,
}

#[derive(Debug, Default)]
enum Body {
    #[default]
    Nothing,
    Struct(Vec<Field>),
    /// The JSON of another type.
    Alias(String),
    Enum(Vec<Variant>),
}

#[derive(Debug, Default)]
struct Field {
    name: String,
    kind: String,
    docs: String,
    optional: bool,
}

#[derive(Debug, Default)]
struct Variant {
    name: String,
    docs: String,
    holds: Holds,
}

#[derive(Debug, Default)]
enum Holds {
    #[default]
    Nothing,
    One(String),
    Fields(Vec<Field>),
}

/// Documentation and attributes that come before something.
#[derive(Debug, Default)]
struct Before {
    docs: String,
    attributes: String,
}

impl Before {
    /// Takes a line in if it belongs to what follows.
    fn take(&mut self, line: &str) -> bool {
        if let Some(text) = line.strip_prefix("///") {
            let text = text.trim();
            let gap = if self.docs.is_empty() { "" } else { " " };
            self.docs.push_str(gap);
            self.docs.push_str(text);
            true
        } else if line.starts_with("#[") {
            self.attributes.push_str(line);
            true
        } else {
            false
        }
    }

    /// The value of an attribute such as `tag = "command"`.
    fn value(&self, name: &str) -> Option<String> {
        let (_, rest) = self.attributes.split_once(&format!("{name} = \""))?;
        Some(rest.split('"').next()?.to_owned())
    }
}

/// The page.
///
/// # Panics
/// If the sources cannot be read, or have something that is not understood.
pub fn page(folder: &Path, version: u32) -> String {
    let mut items = BTreeMap::new();
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files {
        read(&fs::read_to_string(&file).unwrap(), &mut items);
    }
    let mut out = format!(
        "# The protocol of the engine\n\n\
         <!-- Written by a test from the sources in core/protocol; CHAFFINCH_UPDATE=1 writes it anew. -->\n\n\
         `chaffinch open` is a front end that talks to an engine over a Unix socket. Another front end can do the same: this page has \
         what they say to each other, in version {version}. Both sides run as the same user and must speak the same version; it changes \
         whenever a message does.\n\n\
         Each message is two little-endian 32-bit lengths, then JSON text and raw bytes of these lengths. Only pictures have raw bytes, \
         `width * height * 3` of them, in place of their field `rgb`. A connection begins with `{{\"chaffinch\": {version}}}` from each side, which \
         is the same in all versions. The client then sends `{{\"join\": {{\"join\": {{…}}}}}}` (see [Join](#join)); the engine answers \
         `\"welcome\"`, or `{{\"refused\": {{\"message\": …}}}}`. From then on, the client sends [commands](#command) and receives \
         [events](#event). The engine sends `session` first, and again \
         whenever that changes. Lists are asked for by ticket and read in windows of rows. Samples have numbers, which mean other samples \
         once `numbering` of the session is another one.\n\n\
         A field that is not always there is optional: older engines and clients leave it out.\n"
    );
    let first = ["Command", "Event"];
    let reached = reached(&items, &["Command", "Event", "Join"]);
    let rest =
        items.keys().map(String::as_str).filter(|name| !first.contains(name) && reached.contains(*name));
    for name in first.into_iter().chain(rest) {
        write(name, &items[name], &items, &mut out);
    }
    out
}

/// Types that messages have in them.
fn reached<'a>(items: &'a BTreeMap<String, Item>, from: &[&'a str]) -> BTreeSet<&'a str> {
    let (mut all, mut next) = (BTreeSet::new(), from.to_vec());
    while let Some(name) = next.pop() {
        let Some(item) = items.get(name) else { continue };
        if !all.insert(name) {
            continue;
        }
        let mut kinds: Vec<&str> = Vec::new();
        match &item.body {
            Body::Nothing => {}
            Body::Alias(kind) => kinds.push(kind),
            Body::Struct(fields) => kinds.extend(fields.iter().map(|field| field.kind.as_str())),
            Body::Enum(variants) => kinds.extend(variants.iter().flat_map(|variant| match &variant.holds {
                Holds::Nothing => Vec::new(),
                Holds::One(kind) => vec![kind.as_str()],
                Holds::Fields(fields) => fields.iter().map(|field| field.kind.as_str()).collect(),
            })),
        }
        let words = kinds.into_iter().flat_map(|kind| kind.split(|c: char| !c.is_alphanumeric()));
        next.extend(words.filter(|word| items.contains_key(*word)));
    }
    all
}

fn read(source: &str, items: &mut BTreeMap<String, Item>) {
    let mut lines = source.lines().peekable();
    let mut before = Before::default();
    while let Some(line) = lines.next() {
        if before.take(line) {
            continue;
        }
        let now = std::mem::take(&mut before);
        let exchanged = now.attributes.contains("Serialize");
        let name =
            |rest: &str| rest.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned();
        let item = |body| Item { docs: now.docs.clone(), tag: now.value("tag"), body };
        if let Some(rest) = line.strip_prefix("pub type ") {
            let kind = rest.split(" = ").nth(1).unwrap().trim_end_matches(';').to_owned();
            items.insert(name(rest), item(Body::Alias(kind)));
        } else if let Some(rest) = line.strip_prefix("pub struct ").filter(|_| exchanged) {
            let body = match rest.split_once('(') {
                Some((_, inner)) => {
                    Body::Alias(inner.trim_end_matches(");").trim_start_matches("pub ").to_owned())
                }
                None => Body::Struct(fields(&mut lines, "    ", "}", "pub ")),
            };
            items.insert(name(rest), item(body));
        } else if let Some(rest) = line.strip_prefix("pub enum ").filter(|_| exchanged) {
            let body = Body::Enum(variants(&mut lines, now.value("rename_all").as_deref()));
            items.insert(name(rest), item(body));
        }
    }
}

/// Fields up to a line that ends them.
fn fields<'a>(
    lines: &mut impl Iterator<Item = &'a str>,
    indent: &str,
    end: &str,
    public: &str,
) -> Vec<Field> {
    let (mut all, mut before) = (Vec::new(), Before::default());
    for line in lines {
        if line == end {
            break;
        }
        let line = line.strip_prefix(indent).unwrap_or(line);
        if before.take(line) {
            continue;
        }
        let now = std::mem::take(&mut before);
        let (name, kind) = line.trim_start_matches(public).split_once(": ").expect("a field has a type");
        let optional = now.attributes.contains("default");
        let kind = kind.trim_end_matches(',').to_owned();
        all.push(Field { name: name.to_owned(), kind, docs: now.docs, optional });
    }
    all
}

fn variants<'a>(lines: &mut impl Iterator<Item = &'a str>, rename: Option<&str>) -> Vec<Variant> {
    let (mut all, mut before) = (Vec::new(), Before::default());
    while let Some(line) = lines.next() {
        if line == "}" {
            break;
        }
        let line = line.strip_prefix("    ").unwrap_or(line);
        if line.is_empty() || before.take(line) {
            continue;
        }
        let docs = std::mem::take(&mut before).docs;
        let name = line.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        let rest = &line[name.len()..];
        let holds = if rest.starts_with(" {") {
            Holds::Fields(fields(lines, "        ", "    },", ""))
        } else if let Some(inner) = rest.strip_prefix('(') {
            Holds::One(inner.trim_end_matches("),").to_owned())
        } else {
            Holds::Nothing
        };
        all.push(Variant { name: renamed(name, rename), docs, holds });
    }
    all
}

/// A variant's name in JSON.
fn renamed(name: &str, rename: Option<&str>) -> String {
    match rename {
        Some("lowercase") => name.to_lowercase(),
        Some(case @ ("snake_case" | "kebab-case")) => {
            let between = if case == "snake_case" { '_' } else { '-' };
            let mut out = String::new();
            for c in name.chars() {
                if c.is_uppercase() && !out.is_empty() {
                    out.push(between);
                }
                out.extend(c.to_lowercase());
            }
            out
        }
        Some(other) => panic!("{other} is not known here"),
        None => name.to_owned(),
    }
}

fn write(name: &str, item: &Item, items: &BTreeMap<String, Item>, out: &mut String) {
    let _ = writeln!(out, "\n## {name}\n\n{}", plain(&item.docs));
    match &item.body {
        Body::Nothing => {}
        Body::Alias(kind) => {
            let _ = writeln!(out, "\nIn JSON: {}.", json(kind, items));
        }
        Body::Struct(all) => table(all, items, out),
        Body::Enum(all) => {
            let told = match (&item.tag, all.iter().all(|one| matches!(one.holds, Holds::Nothing))) {
                (_, true) => "One of these texts:".to_owned(),
                (Some(tag), _) => {
                    format!("An object whose `{tag}` is one of these, beside the fields of that:")
                }
                (None, _) => "A text, or an object with one field whose name is one of these:".to_owned(),
            };
            let _ = writeln!(out, "\n{told}");
            for one in all {
                let holds = match &one.holds {
                    Holds::One(kind) if item.tag.is_some() => {
                        format!(", with the fields of {}", json(kind, items))
                    }
                    Holds::One(kind) => format!(": {}", json(kind, items)),
                    _ => String::new(),
                };
                let _ = writeln!(out, "\n**`{}`**{holds}. {}", one.name, plain(&one.docs));
                if let Holds::Fields(fields) = &one.holds {
                    table(fields, items, out);
                }
            }
        }
    }
}

fn table(fields: &[Field], items: &BTreeMap<String, Item>, out: &mut String) {
    out.push_str("\n| field | in JSON | what it is |\n|---|---|---|\n");
    for field in fields {
        let optional = if field.optional { ", optional" } else { "" };
        let docs = plain(&field.docs).replace('|', "\\|");
        let _ = writeln!(out, "| `{}` | {}{optional} | {docs} |", field.name, json(&field.kind, items));
    }
}

/// A Rust type in words of JSON.
fn json(kind: &str, items: &BTreeMap<String, Item>) -> String {
    let kind = kind.trim();
    let inside = |start: &str| kind.strip_prefix(start)?.strip_suffix('>');
    if let Some(inner) = inside("Vec<") {
        return format!("array of {}", json(inner, items));
    }
    if let Some(inner) = inside("Option<") {
        return format!("{} or null", json(inner, items));
    }
    if let Some(inner) = inside("Box<") {
        return json(inner, items);
    }
    if let Some((_, value)) = inside("BTreeMap<").and_then(|inner| inner.split_once(", ")) {
        return format!("object of {}", json(value, items));
    }
    if let Some((inner, count)) =
        kind.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')?.split_once("; "))
    {
        return format!("array of {count} × {}", json(inner, items));
    }
    if let Some(inner) = kind.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        let all: Vec<String> = inner.split(", ").map(|part| json(part, items)).collect();
        return format!("array: {}", all.join(", "));
    }
    match kind {
        "String" => "text".into(),
        "bool" => "true or false".into(),
        "u8" | "u16" | "u32" | "u64" | "usize" | "i32" | "i64" | "{ Choice::KINDS }" => "integer".into(),
        "f32" | "f64" => "number".into(),
        name if items.contains_key(name) => format!("[{name}](#{})", name.to_lowercase()),
        other => panic!("{other} is not known here"),
    }
}

/// Documentation without the links of rustdoc, which lead nowhere here.
fn plain(docs: &str) -> String {
    let mut out = String::new();
    let mut rest = docs;
    while let Some(at) = rest.find("[`") {
        out.push_str(&rest[..at]);
        let Some((code, after)) = rest[at + 1..].split_once(']') else { break };
        out.push_str(code);
        rest = match after.strip_prefix('(').and_then(|link| link.split_once(')')) {
            Some((_, after)) => after,
            None => after,
        };
    }
    out.push_str(rest);
    out
}
