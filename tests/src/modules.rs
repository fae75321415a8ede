//! Which modules of a crate use which, and where there are cycles.
//!
//! The sources are read as the compiler finds them, from the root along `mod` lines, without code of tests. A path is
//! followed to the file that defines the item: a module that only re-exports what another defines (`pub use`) does
//! not depend on it.

use crate::tokens::{Named, Token, closing, named, production, tokens};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// One module: a file, or a block within one.
#[derive(Debug, Default)]
struct Module {
    /// Its names below the root.
    path: Vec<String>,
    /// The file it is in.
    file: usize,
    /// Names it defines itself.
    items: BTreeSet<String>,
    macros: BTreeSet<String>,
    /// All words of its code, imports left out.
    words: BTreeSet<String>,
    named: Vec<Named>,
}

/// Where a file names another.
#[derive(Clone, Debug)]
pub struct Use {
    /// The line of the file.
    pub line: usize,
    /// What is written there.
    pub path: String,
}

/// The files of a crate and which of them use which.
#[derive(Debug, Default)]
pub struct Graph {
    files: Vec<File>,
    uses: BTreeMap<(usize, usize), Use>,
}

#[derive(Debug)]
struct File {
    /// Relative to the folder of sources.
    name: PathBuf,
    module: Vec<String>,
}

/// Files or top-level modules that all reach each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circle {
    /// Their names, sorted.
    pub members: Vec<String>,
    /// The lines that connect them: `file:line uses path`.
    pub because: Vec<String>,
}

impl fmt::Display for Circle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in a circle: {}", self.members.len(), self.members.join(", "))?;
        self.because.iter().try_for_each(|line| write!(f, "\n    {line}"))
    }
}

impl Graph {
    /// Reads the crate whose sources are in this folder.
    ///
    /// # Panics
    ///
    /// If there is neither `lib.rs` nor `main.rs`, or a file cannot be read.
    pub fn of(src: &Path) -> Graph {
        let mut reader = Reader { src, modules: Vec::new(), files: Vec::new() };
        let root = ["lib.rs", "main.rs"].into_iter().find(|name| src.join(name).is_file());
        let root = root.unwrap_or_else(|| panic!("{} contains no lib.rs or main.rs", src.display()));
        reader.file(PathBuf::from(root), Vec::new(), PathBuf::new());
        let Reader { modules, files, .. } = reader;
        let uses = Resolver::new(&modules).uses();
        Graph { files, uses }
    }

    /// How many files there are.
    pub fn file_count(&self) -> usize {
        self.files.len()
    }

    /// Cycles between the top-level modules of the crate; a folder counts as one module with everything in it.
    pub fn folder_circles(&self) -> Vec<Circle> {
        let room = |file: usize| self.files[file].module.first().cloned();
        self.circles(&|file| room(file).unwrap_or_else(|| self.name(file)))
    }

    /// Cycles between files.
    pub fn file_circles(&self) -> Vec<Circle> {
        self.circles(&|file| self.name(file))
    }

    /// Whether a module uses what a module around it defines: that is how Rust nests them, and not part of a cycle.
    fn is_upward(&self, from: usize, to: usize) -> bool {
        self.files[from].module.starts_with(&self.files[to].module)
    }

    fn name(&self, file: usize) -> String {
        self.files[file].name.display().to_string()
    }

    fn circles(&self, room: &dyn Fn(usize) -> String) -> Vec<Circle> {
        let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let kept: Vec<(&(usize, usize), &Use)> =
            self.uses.iter().filter(|((from, to), _)| !self.is_upward(*from, *to)).collect();
        for ((from, to), _) in &kept {
            let (from, to) = (room(*from), room(*to));
            if from != to {
                edges.entry(to.clone()).or_default();
                edges.entry(from).or_default().insert(to);
            }
        }
        let circle = |members: Vec<String>| {
            let inside = |file: usize| members.contains(&room(file));
            let because = kept
                .iter()
                .filter(|((from, to), _)| inside(*from) && inside(*to) && room(*from) != room(*to))
                .map(|((from, _), used)| format!("{}:{} uses {}", self.name(*from), used.line, used.path))
                .collect();
            Circle { because, members }
        };
        components(&edges).into_iter().filter(|members| members.len() > 1).map(circle).collect()
    }
}

/// Strongly connected components, each sorted.
fn components(edges: &BTreeMap<String, BTreeSet<String>>) -> Vec<Vec<String>> {
    let reached = |start: &str| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![start]);
        while let Some(node) = open.pop() {
            for next in &edges[node] {
                if seen.insert(next.as_str()) {
                    open.push(next);
                }
            }
        }
        seen
    };
    let all: BTreeMap<&str, BTreeSet<&str>> =
        edges.keys().map(|node| (node.as_str(), reached(node))).collect();
    let mut done = BTreeSet::new();
    let mut found = Vec::new();
    for (&node, out) in &all {
        if done.contains(node) || !out.contains(node) {
            continue;
        }
        let members: Vec<String> =
            out.iter().filter(|other| all[*other].contains(node)).map(|&other| other.to_owned()).collect();
        done.extend(out.iter().filter(|other| all[*other].contains(node)).copied());
        found.push(members);
    }
    found
}

/// Finds files along `mod` lines.
struct Reader<'a> {
    src: &'a Path,
    modules: Vec<Module>,
    files: Vec<File>,
}

impl Reader<'_> {
    /// Reads a file and its modules. Its children are in `folder`.
    fn file(&mut self, name: PathBuf, path: Vec<String>, folder: PathBuf) {
        let full = self.src.join(&name);
        let text = fs::read_to_string(&full).unwrap_or_else(|error| panic!("{}: {error}", full.display()));
        let code = production(&tokens(&text));
        let beside = name.parent().map(Path::to_path_buf).unwrap_or_default();
        self.files.push(File { name, module: path.clone() });
        self.module(&code, path, self.files.len() - 1, &folder, &beside, &attributes(&text));
    }

    fn module(
        &mut self,
        code: &[Token],
        path: Vec<String>,
        file: usize,
        folder: &Path,
        beside: &Path,
        attributes: &BTreeMap<String, String>,
    ) {
        let mut module = Module { path: path.clone(), file, ..Module::default() };
        let mut own: Vec<Token> = Vec::new();
        let (mut at, mut depth) = (0, 0);
        let text = |at: usize| code.get(at).map_or("", |token| token.text.as_str());
        while at < code.len() {
            let (word, next) = (text(at), text(at + 1).to_owned());
            match word {
                "mod" if depth == 0 && text(at + 2) == ";" => {
                    module.items.insert(next.clone());
                    let child: Vec<String> = path.iter().cloned().chain([next.clone()]).collect();
                    let places = match attributes.get(&next) {
                        Some(given) => vec![(beside.join(given), beside.to_path_buf())],
                        None => vec![
                            (folder.join(format!("{next}.rs")), folder.join(&next)),
                            (folder.join(&next).join("mod.rs"), folder.join(&next)),
                        ],
                    };
                    let found = places.into_iter().find(|(name, _)| self.src.join(name).is_file());
                    let (name, below) =
                        found.unwrap_or_else(|| panic!("no file for module {}", child.join("::")));
                    self.file(name, child, below);
                    at += 3;
                    continue;
                }
                "mod" if depth == 0 && text(at + 2) == "{" => {
                    module.items.insert(next.clone());
                    let end = closing(code, at + 2);
                    let child: Vec<String> = path.iter().cloned().chain([next.clone()]).collect();
                    self.module(&code[at + 3..end], child, file, &folder.join(&next), beside, attributes);
                    at = end + 1;
                    continue;
                }
                "fn" | "struct" | "enum" | "trait" | "type" | "const" | "static" | "union" if depth == 0 => {
                    module.items.insert(if next == "fn" || next == "mut" {
                        text(at + 2).into()
                    } else {
                        next
                    });
                }
                "macro_rules" => {
                    module.items.insert(text(at + 2).to_owned());
                    module.macros.insert(text(at + 2).to_owned());
                }
                "{" => depth += 1,
                "}" => depth -= 1,
                _ => {}
            }
            own.push(code[at].clone());
            at += 1;
        }
        module.named = named(&own);
        module.words = words(&own);
        self.modules.push(module);
    }
}

/// The words of code outside of its imports.
fn words(code: &[Token]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut importing = false;
    for (at, token) in code.iter().enumerate() {
        match token.text.as_str() {
            "use" if code.get(at + 1).is_none_or(|next| next.text != "<") => importing = true,
            ";" => importing = false,
            word if !importing && token.is_word() => {
                found.insert(word.to_owned());
            }
            _ => {}
        }
    }
    found
}

/// Modules whose file is given by an attribute (`path = "..."`), which tokens no longer show. Of several for different
/// machines, the first.
fn attributes(text: &str) -> BTreeMap<String, String> {
    let mut lines = text.lines().map(str::trim).peekable();
    let mut found = BTreeMap::new();
    while let Some(line) = lines.next() {
        let given = line.split_once("path = \"").filter(|_| line.starts_with("#["));
        let Some((path, _)) = given.and_then(|(_, rest)| rest.split_once('"')) else { continue };
        while lines.peek().is_some_and(|line| line.starts_with("#[")) {
            lines.next();
        }
        let words = lines.next().unwrap_or_default().split(';').next().unwrap_or_default();
        if let Some((_, name)) = words.rsplit_once("mod ") {
            found.insert(name.to_owned(), path.to_owned());
        }
    }
    found
}

/// Follows paths to files.
struct Resolver<'a> {
    modules: &'a [Module],
    by_path: BTreeMap<&'a [String], &'a Module>,
    /// Where each `macro_rules!` stands: once exported it is called by the root's name.
    macros: BTreeMap<&'a str, usize>,
}

impl<'a> Resolver<'a> {
    fn new(modules: &'a [Module]) -> Resolver<'a> {
        let by_path = modules.iter().map(|module| (module.path.as_slice(), module)).collect();
        let made = |module: &'a Module| module.macros.iter().map(|name| (name.as_str(), module.file));
        Resolver { modules, by_path, macros: modules.iter().flat_map(made).collect() }
    }

    fn uses(&self) -> BTreeMap<(usize, usize), Use> {
        let mut uses = BTreeMap::new();
        for module in self.modules {
            for named in &module.named {
                // A re-export is not a dependency of the module that does it.
                let name = named.imported_as.as_ref();
                if named.public && name.is_some_and(|name| name == "*" || !module.words.contains(name)) {
                    continue;
                }
                let Some(path) = self.absolute(module, &named.path, 0) else { continue };
                for file in self.files(module, &path) {
                    if file != module.file {
                        let used = Use { line: named.line, path: named.path.join("::") };
                        uses.entry((module.file, file)).or_insert(used);
                    }
                }
            }
        }
        uses
    }

    /// A path as seen from the root, if it is one into this crate.
    fn absolute(&self, module: &Module, path: &[String], depth: usize) -> Option<Vec<String>> {
        let up = path.iter().take_while(|part| *part == "super" || *part == "self");
        let supers = up.clone().filter(|part| *part == "super").count();
        let rest = &path[up.count()..];
        match path.first()?.as_str() {
            "crate" => return Some(path[1..].to_vec()),
            "super" | "self" => {
                let start = &module.path[..module.path.len().checked_sub(supers)?];
                return Some([start, rest].concat());
            }
            _ => {}
        }
        let child = [&module.path[..], &path[..1]].concat();
        if self.by_path.contains_key(child.as_slice()) {
            return Some([&module.path[..], path].concat());
        }
        let import = module.named.iter().find(|other| {
            other.imported_as.as_deref() == Some(path[0].as_str()) && other.path.as_slice() != path
        })?;
        // Names that import each other (`use log::log`) resolve to nothing.
        if depth > 4 || import.path.first() == path.first() {
            return None;
        }
        let start = self.absolute(module, &import.path, depth + 1)?;
        Some([&start[..], &path[1..]].concat())
    }

    /// The files that define the target of a path. A glob stands for whatever the requesting module uses.
    fn files(&self, asking: &Module, path: &[String]) -> BTreeSet<usize> {
        if let Some((star, place)) = path.split_last()
            && star == "*"
        {
            let Some((module, [])) = self.deepest(place) else { return BTreeSet::new() };
            let handed = module.named.iter().filter_map(|named| named.imported_as.clone());
            let mut names: BTreeSet<String> = module.items.iter().cloned().chain(handed).collect();
            names.retain(|name| asking.words.contains(name) && !asking.items.contains(name));
            return names.iter().filter_map(|name| self.item(module, name, &mut Vec::new())).collect();
        }
        let Some((module, rest)) = self.deepest(path) else { return BTreeSet::new() };
        match rest.first() {
            Some(name) => match self.item(module, name, &mut Vec::new()) {
                Some(file) => BTreeSet::from([file]),
                // Re-exported from another crate.
                None if module.named.iter().any(|named| named.imported_as.as_ref() == Some(name)) => {
                    BTreeSet::new()
                }
                // An item that a macro makes: where it is said to be.
                None => BTreeSet::from([module.file]),
            },
            None => BTreeSet::from([module.file]),
        }
    }

    /// The innermost module along a path and what is left of it.
    fn deepest<'b>(&self, path: &'b [String]) -> Option<(&'a Module, &'b [String])> {
        (0..=path.len()).rev().find_map(|end| Some((*self.by_path.get(&path[..end])?, &path[end..])))
    }

    /// The file that defines a name in a module, which may be a re-export.
    fn item(&self, module: &'a Module, name: &str, seen: &mut Vec<(usize, String)>) -> Option<usize> {
        if module.items.contains(name) {
            return Some(module.file);
        }
        let key = (module.file, format!("{}::{name}", module.path.join("::")));
        if seen.contains(&key) {
            return None;
        }
        seen.push(key);
        for named in &module.named {
            let Some(imported) = named.imported_as.as_deref() else { continue };
            if imported != name && imported != "*" {
                continue;
            }
            let Some(mut path) = self.absolute(module, &named.path, 0) else { continue };
            if imported == "*" {
                path.pop();
                path.push(name.to_owned());
            }
            match self.deepest(&path) {
                Some((found, [])) => return Some(found.file),
                Some((found, rest)) => {
                    let defined = self.item(found, &rest[0], seen);
                    if defined.is_some() {
                        return defined;
                    }
                }
                None => {}
            }
        }
        if module.path.is_empty() { self.macros.get(name).copied() } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(files: &[(&str, &str)]) -> Graph {
        let place = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = place.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Graph::of(place.path())
    }

    fn members(circles: &[Circle]) -> Vec<Vec<&str>> {
        circles.iter().map(|circle| circle.members.iter().map(String::as_str).collect()).collect()
    }

    #[test]
    fn a_nested_tree_closes_a_circle() {
        let graph = graph(&[
            ("lib.rs", "mod a; mod d; mod e;"),
            ("a/mod.rs", "pub mod b; pub mod c;"),
            ("a/b.rs", "pub struct B;"),
            ("a/c.rs", "pub fn c() { crate::d::d() }"),
            ("d.rs", "use crate::{a::{b, c as other}, e::E};\npub fn d() {}"),
            ("e.rs", "pub struct E;"),
        ]);
        assert_eq!(members(&graph.folder_circles()), [["a", "d"]]);
        assert_eq!(members(&graph.file_circles()), [["a/c.rs", "d.rs"]]);
        assert_eq!(graph.file_circles()[0].because, ["a/c.rs:1 uses crate::d::d", "d.rs:1 uses crate::a::c"]);
        assert_eq!(graph.file_count(), 6);
    }

    #[test]
    fn super_of_super_is_followed() {
        let graph = graph(&[
            ("main.rs", "mod a; mod b;"),
            ("a.rs", "mod inner;"),
            ("a/inner.rs", "pub fn f() { super::super::b::g() }"),
            ("b.rs", "mod deep { use super::super::a::inner::f; }"),
        ]);
        assert_eq!(members(&graph.folder_circles()), [["a", "b"]]);
        assert_eq!(members(&graph.file_circles()), [["a/inner.rs", "b.rs"]]);
    }

    #[test]
    fn a_parent_and_its_children_are_one_room() {
        let graph = graph(&[
            ("lib.rs", "pub mod a;\npub use a::Made;"),
            ("a/mod.rs", "mod child;\npub use child::Made;\npub struct Kept;\npub fn f() { child::g() }"),
            ("a/child.rs", "use super::Kept;\npub struct Made(Kept);\npub fn g() {}"),
        ]);
        assert_eq!(graph.folder_circles(), []);
        assert_eq!(graph.file_circles(), []);
    }

    #[test]
    fn siblings_are_found_through_signposts() {
        let graph = graph(&[
            ("lib.rs", "pub mod a;\npub mod z;\npub use a::*;"),
            ("a/mod.rs", "mod one; mod two;\npub use one::One;\npub use two::*;"),
            ("a/one.rs", "use super::Two;\npub struct One(Two);"),
            ("a/two.rs", "use crate::One;\npub struct Two; fn f(_: One) {}"),
            ("z.rs", "use crate::*;\nfn f(_: One) {}"),
        ]);
        assert_eq!(members(&graph.file_circles()), [["a/one.rs", "a/two.rs"]]);
        assert_eq!(graph.folder_circles(), []);
    }

    #[test]
    fn tests_comments_and_other_crates_make_no_circle() {
        let graph = graph(&[
            ("lib.rs", "mod a; mod b; #[cfg(test)] mod tests;"),
            ("a.rs", "use crate::b::B;\nuse other::b;"),
            (
                "b.rs",
                "// crate::a::A\npub struct B;\n#[cfg(test)]\nmod tests { use crate::a; }\n#[cfg(test)]\nuse crate::a::A;",
            ),
            ("tests.rs", "use crate::a;"),
        ]);
        assert_eq!((graph.folder_circles(), graph.file_count()), (Vec::new(), 3));
    }

    #[test]
    fn imported_modules_macros_and_given_paths_are_followed() {
        let graph = graph(&[
            ("lib.rs", "#[macro_use]\nmod a;\n#[path = \"odd.rs\"]\nmod b;\nmod c;"),
            ("a.rs", "use crate::b as other;\nmacro_rules! m { () => {} }\nfn f() { other::inner::g() }"),
            ("odd.rs", "pub mod inner { pub fn g() { crate::m!() } }"),
            ("c.rs", "use std::c; fn c() { c::c() }"),
        ]);
        assert_eq!(members(&graph.file_circles()), [["a.rs", "odd.rs"]]);
    }
}
