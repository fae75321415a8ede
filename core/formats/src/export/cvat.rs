//! CVAT for images 1.1: pictures in `images/`, and one `annotations.xml` with a tag for the label of each.

use super::pictures::{self, Pictures, text};
use super::{Export, Format, Request, Target, Written};
use crate::Result;
use chaffinch_compute::job::Job;
use chaffinch_data::output::Tree;
use chaffinch_protocol::display::counted;
use chaffinch_protocol::sample::SampleId;
use std::ffi::OsStr;
use std::fmt::Write;
use std::path::{Path, PathBuf};

pub(super) const FORMAT: Format = Format {
    name: "cvat",
    summary: "The cleaned dataset as CVAT for images: pictures in `images/`, and `annotations.xml` with tags",
    file_name: "cvat",
    target: Target::NewFolder,
    stage: Some("copy"),
    guards: false,
    write,
};

const IMAGES: &str = "images";
/// What each tag says beside its label.
const ATTRIBUTES: [&str; 2] = ["decision", "tags"];

fn write(export: &Export<'_>, request: &Request, job: &Job<'_>) -> Result<Written> {
    pictures::described(export, request, job, &|_| PathBuf::from(IMAGES), |pictures, tree, written| {
        describe(export, pictures, tree, written)
    })
}

fn describe(export: &Export<'_>, pictures: &Pictures, tree: &mut Tree, written: &mut Written) -> Result<()> {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<annotations>\n");
    out += "  <version>1.1</version>\n  <meta>\n    <task>\n";
    // Writing to memory cannot fail.
    let _ = writeln!(out, "      <name>{}</name>", escaped(export.dataset));
    let _ = writeln!(out, "      <size>{}</size>", pictures.placed.len());
    out += "      <mode>annotation</mode>\n      <labels>\n";
    for class in export.classes_left() {
        let _ = write!(
            out,
            "        <label>\n          <name>{}</name>\n          <type>tag</type>\n",
            escaped(&class)
        );
        out += "          <attributes>\n";
        for name in ATTRIBUTES {
            let _ = writeln!(
                out,
                "            <attribute><name>{name}</name><mutable>False</mutable><input_type>text</input_type>\
                 <default_value></default_value><values></values></attribute>"
            );
        }
        out += "          </attributes>\n        </label>\n";
    }
    out += "      </labels>\n    </task>\n  </meta>\n";
    let mut unknown = 0_u64;
    for (number, (id, split, path)) in pictures.placed.iter().enumerate() {
        unknown += u64::from(export.size(*id).is_none());
        image(export, number, *id, split, path, &mut out);
    }
    out += "</annotations>\n";
    tree.put_bytes(out.as_bytes(), Path::new(""), OsStr::new("annotations.xml"))?;
    if unknown > 0 {
        let pictures = counted(unknown, "picture has", "pictures have");
        written.notes.push(format!("{pictures} no known size, which is written as 0"));
    }
    Ok(())
}

/// A picture and its tag. The folder of a subset is not a part of the name, as in CVAT's own exports.
fn image(export: &Export<'_>, number: usize, id: SampleId, split: &Path, path: &Path, out: &mut String) {
    let (width, height) = export.size(id).unwrap_or_default();
    let _ = write!(out, "  <image id=\"{number}\" name=\"{}\"", escaped(&text(path)));
    if let Ok(subset) = split.strip_prefix(IMAGES)
        && !subset.as_os_str().is_empty()
    {
        let _ = write!(out, " subset=\"{}\"", escaped(&text(subset)));
    }
    let _ = write!(out, " width=\"{width}\" height=\"{height}\"");
    let label = export.label(id);
    if label.is_empty() {
        *out += "/>\n";
        return;
    }
    let _ = writeln!(out, ">\n    <tag label=\"{}\" source=\"manual\">", escaped(&label));
    let tags = export.source.decisions.tags(id).join(",");
    for (name, value) in ATTRIBUTES.into_iter().zip([export.decision(id), tags.as_str()]) {
        if !value.is_empty() {
            let _ = writeln!(out, "      <attribute name=\"{name}\">{}</attribute>", escaped(value));
        }
    }
    *out += "    </tag>\n  </image>\n";
}

/// A text in XML: what would be read as something else as a reference, and what XML 1.0 cannot have as a replacement
/// character.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\t' | '\n' | '\r' => out += &format!("&#{};", u32::from(c)),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn what_xml_cannot_hold_is_replaced() {
        assert_eq!(escaped("a<\"b\" & c>\n\u{1}"), "a&lt;&quot;b&quot; &amp; c&gt;&#10;\u{fffd}");
    }
}
