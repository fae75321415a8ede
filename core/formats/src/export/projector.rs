//! A folder for the projector of TensorBoard: vectors and labels as tables, and the pictures in one sprite.

use super::sample_table::{Cell, SampleTable};
use super::{Export, Format, Request, Target, Written};
use crate::{Error, Result};
use chaffinch_compute::image::{RgbImage, thumbnail};
use chaffinch_compute::job::Job;
use chaffinch_data::class_names;
use chaffinch_data::output::whole_folder;
use chaffinch_data::pictures;
use chaffinch_protocol::display::counted;
use chaffinch_protocol::sample::SampleId;
use image::codecs::png::PngEncoder;
use image::{ImageEncoder, imageops};
use rayon::prelude::*;
use serde_json::json;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

pub(super) const FORMAT: Format = Format {
    name: "tensorboard",
    summary: "A folder for the projector of TensorBoard: `tensors.tsv`, `metadata.tsv` and `sprite.png`",
    file_name: "tensorboard",
    target: Target::NewFolder,
    stage: Some("write"),
    guards: false,
    write,
};

/// The widest sprite that the projector shows, in pixels (TensorBoard's documentation).
const WIDEST: u32 = 8192;
/// The sides of a picture in it.
const LARGEST: u32 = 64;
const SMALLEST: u32 = 8;
/// Pictures that are decoded at a time.
const TOGETHER: usize = 1024;

fn write(export: &Export<'_>, request: &Request, job: &Job<'_>) -> Result<Written> {
    export.outside(&request.output)?;
    let atlas = export.atlas()?;
    let (matrix, manifest) = (atlas.matrix(), export.source.manifest);
    let usable = |id: &SampleId| id.index() < matrix.rows() && export.source.file_metadata.decodable(*id);
    let ids: Vec<SampleId> = manifest.ids().filter(usable).collect();
    if ids.is_empty() {
        return Err(Error::Invalid("no sample of this session has an embedding".into()));
    }
    let mut written = Written { paths: vec![request.output.clone()], ..Written::default() };
    whole_folder(&request.output, |half| {
        file(&half.join("tensors.tsv"), |out| {
            for &id in &ids {
                for (at, number) in matrix.row(id.index()).iter().enumerate() {
                    write!(out, "{}{number}", if at == 0 { "" } else { "\t" })?;
                }
                out.write_all(b"\n")?;
            }
            Ok(())
        })?;
        metadata(export, &ids, &half.join("metadata.tsv"))?;
        let side = side(ids.len());
        if let Some(side) = side {
            let sprite = sprite(export, &ids, side, job)?;
            let path = half.join("sprite.png");
            let out = BufWriter::new(File::create(&path).map_err(Error::io("create", &path))?);
            let (width, height) = sprite.dimensions();
            PngEncoder::new(out)
                .write_image(sprite.as_raw(), width, height, image::ExtendedColorType::Rgb8)
                .map_err(|error| Error::format(&path, error.to_string()))?;
        } else {
            let pictures = counted(ids.len() as u64, "picture", "pictures");
            written.notes.push(format!("{pictures} are too many for a sprite, which is left out"));
        }
        describe(export, ids.len(), matrix.cols(), side, half)
    })?;
    let rest = manifest.len() - ids.len();
    if rest > 0 {
        let samples = counted(rest as u64, "sample has", "samples have");
        written.left_out.push(format!("{samples} no embedding"));
    }
    written.summary = Some(counted(ids.len() as u64, "sample", "samples"));
    Ok(written)
}

fn file(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let mut out = BufWriter::new(File::create(path).map_err(Error::io("create", path))?);
    fill(&mut out).and_then(|()| out.flush()).map_err(Error::io("write", path))
}

/// What is known of each sample, with a line of headings.
fn metadata(export: &Export<'_>, ids: &[SampleId], path: &Path) -> Result<()> {
    let table = SampleTable::of(export);
    file(path, |out| {
        let line = |out: &mut dyn Write, cells: &mut dyn Iterator<Item = Vec<u8>>| -> io::Result<()> {
            for (at, mut cell) in cells.enumerate() {
                // The projector knows no quotes.
                cell.iter_mut()
                    .filter(|byte| matches!(byte, b'\t' | b'\n' | b'\r'))
                    .for_each(|byte| *byte = b' ');
                out.write_all(if at == 0 { b"" } else { b"\t" })?;
                out.write_all(&cell)?;
            }
            out.write_all(b"\n")
        };
        line(out, &mut table.columns.iter().map(|column| column.name.clone().into_bytes()))?;
        for &id in ids {
            line(out, &mut table.columns.iter().map(|column| text(table.cell(column, id))))?;
        }
        Ok(())
    })
}

fn text(cell: Cell<'_>) -> Vec<u8> {
    match cell {
        Cell::Nothing => Vec::new(),
        Cell::Path(path) => path.as_os_str().as_bytes().to_vec(),
        Cell::Class(name) => class_names::bytes(&name).into_owned(),
        Cell::Text(text) => text.as_bytes().to_vec(),
        Cell::Json { text, .. } => text.as_bytes().to_vec(),
        Cell::Tags(tags) => tags.join(",").into_bytes(),
        Cell::Number(number) => number.to_string().into_bytes(),
        Cell::Flag(flag) => if flag { "True" } else { "False" }.into(),
    }
}

/// How many pictures are in a row of the sprite.
fn across(count: usize) -> u32 {
    (1..=WIDEST).find(|side| u64::from(*side) * u64::from(*side) >= count as u64).unwrap_or(WIDEST)
}

/// The side of a picture in the sprite; `None` if there are too many.
fn side(count: usize) -> Option<u32> {
    let side = (WIDEST / across(count)).min(LARGEST);
    (side >= SMALLEST).then_some(side)
}

/// All pictures in a square, row by row; one that cannot be decoded is black.
fn sprite(export: &Export<'_>, ids: &[SampleId], side: u32, job: &Job<'_>) -> Result<RgbImage> {
    let across = across(ids.len());
    let manifest = export.source.manifest;
    let mut whole = RgbImage::new(across * side, across * side);
    let picture = |id: &SampleId| -> Option<RgbImage> {
        let decoded = pictures::decode(&manifest.source(*id), manifest.rendering()).ok()?;
        Some(thumbnail::fit(&decoded.image, side, side))
    };
    let mut done = 0_usize;
    for ids in ids.chunks(TOGETHER) {
        job.checkpoint()?;
        job.progress(done as u64, manifest.len() as u64);
        let pictures: Vec<Option<RgbImage>> = ids.par_iter().map(picture).collect();
        for (at, picture) in (done..).zip(pictures) {
            let Some(picture) = picture else { continue };
            let (column, row) = (at as u32 % across, at as u32 / across);
            let middle = |length: u32| i64::from((side - length) / 2);
            let (width, height) = picture.dimensions();
            let (x, y) = (i64::from(column * side) + middle(width), i64::from(row * side) + middle(height));
            imageops::replace(&mut whole, &picture, x, y);
        }
        done += ids.len();
    }
    Ok(whole)
}

/// The configuration that TensorBoard reads, and the one of the projector that stands by itself.
fn describe(export: &Export<'_>, rows: usize, cols: usize, side: Option<u32>, folder: &Path) -> Result<()> {
    let quoted = |text: &str| json!(text).to_string();
    let mut lines = format!(
        "embeddings {{\n  tensor_name: {}\n  tensor_path: \"tensors.tsv\"\n  metadata_path: \"metadata.tsv\"\n",
        quoted(export.dataset)
    );
    if let Some(side) = side {
        lines += &format!(
            "  sprite {{\n    image_path: \"sprite.png\"\n    single_image_dim: {side}\n    single_image_dim: {side}\n  }}\n"
        );
    }
    lines += "}\n";
    file(&folder.join("projector_config.pbtxt"), |out| out.write_all(lines.as_bytes()))?;
    let mut one = json!({
        "tensorName": export.dataset, "tensorShape": [rows, cols], "tensorPath": "tensors.tsv",
        "metadataPath": "metadata.tsv",
    });
    if let (Some(side), Some(one)) = (side, one.as_object_mut()) {
        one.insert("sprite".into(), json!({"imagePath": "sprite.png", "singleImageDim": [side, side]}));
    }
    let whole = json!({"embeddings": [one]});
    file(&folder.join("projector_config.json"), |out| writeln!(out, "{whole:#}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sprite_is_a_square_of_pictures_as_large_as_fit() {
        assert_eq!((across(1), side(1)), (1, Some(64)));
        assert_eq!((across(10), side(10)), (4, Some(64)));
        assert_eq!((across(10_000), side(10_000)), (100, Some(64)));
        assert_eq!(side(100_000), Some(25));
        assert_eq!((side(1 << 20), side((1 << 20) + 1)), (Some(8), None));
    }
}
