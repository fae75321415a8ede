//! The files of a cleaning in one folder, each with the number of its version in its name: an export adds a version and
//! replaces none.

use super::concluded::Concluded;
use super::pictures::plain;
use super::{
    Export, Format, Request, Target, Written, cleaning_summary, final_manifest, indices, leak_report,
    manifest, multi_label,
};
use crate::{Error, Result};
use chaffinch_compute::job::Job;
use chaffinch_data::atomic;
use chaffinch_data::row_keys::ImageIds;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::Path;

pub(super) const FORMAT: Format = Format {
    name: "versions",
    summary: "Manifests, removal list, relabel map, leak reports and summary, as the next version in one folder",
    file_name: "versions",
    target: Target::Versions,
    stage: None,
    guards: false,
    write,
};

/// What is written by a format of its own, and how its file is called.
const PARTS: [(&str, Format); 5] = [
    ("tagged_manifest", manifest::FORMAT),
    ("final_cleaning_manifest", final_manifest::FORMAT),
    ("leaks_report", leak_report::FORMAT),
    ("multi_label_clusters", multi_label::FORMAT),
    ("cleaning_summary", cleaning_summary::FORMAT),
];

fn write(export: &Export<'_>, request: &Request, job: &Job<'_>) -> Result<Written> {
    let folder = &request.output;
    export.outside(folder)?;
    fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
    let name = plain(OsStr::new(export.dataset)).to_string_lossy().into_owned();
    let version = last(folder, &name)? + 1;
    let place = |part: &str, extension: &str| folder.join(format!("{name}_{part}_v{version}.{extension}"));
    let mut all = Written::default();
    // What goes is what the final manifest removes.
    let concluded = Concluded::of(export, &request.finders);
    let names = ImageIds::of(export.source.manifest);
    let ids = export.source.manifest.ids().filter(|&id| concluded.removed(id));
    let removed: BTreeSet<Cow<'_, [u8]>> = ids.map(|id| names.id(id)).collect();
    let list = place("removal_list", "txt");
    atomic::write(&list, |out| {
        removed.iter().try_for_each(|id| {
            out.write_all(id)?;
            out.write_all(b"\n")
        })
    })?;
    let map = place("relabel_map", "json");
    export.relabel_map_by(&map, |id| names.id(id))?;
    let rows = place("selected_indices", "txt");
    indices::rows(export, &rows, &|id| concluded.removed(id))?;
    all.paths.extend([list, map, rows]);
    for (part, format) in PARTS {
        let extension = Path::new(format.file_name).extension().unwrap_or_default().to_string_lossy();
        let one = Request { output: place(part, &extension), ..request.clone() };
        let Written { paths, left_out, notes, .. } = (format.write)(export, &one, job)?;
        all.paths.extend(paths);
        all.left_out.extend(left_out);
        let new: Vec<String> = notes.into_iter().filter(|note| !all.notes.contains(note)).collect();
        all.notes.extend(new);
    }
    all.paths.sort();
    Ok(all)
}

/// The highest version in a folder.
fn last(folder: &Path, name: &str) -> Result<u64> {
    let mut last = 0;
    for entry in fs::read_dir(folder).map_err(Error::io("read", folder))? {
        let file = entry.map_err(Error::io("read", folder))?.file_name();
        let version = file.to_str().and_then(|file| {
            let stem = file.strip_prefix(name)?.strip_prefix('_')?.rsplit_once('.')?.0;
            stem.rsplit_once("_v")?.1.parse::<u64>().ok()
        });
        last = last.max(version.unwrap_or_default());
    }
    Ok(last)
}
