//! Formats that are folders of pictures with labels in other files, which [`folders`] reads like any other folder. They are
//! here for their names.

use super::reading_options::{OF_FOLDERS, OF_TABLES_BESIDE};
use super::{ClassNames, Format, folders, imagenet, yolo};

pub(super) const IMAGEFOLDER: Format = Format {
    name: "an imagefolder",
    summary: "a Hugging Face imagefolder",
    details: "`metadata.csv`, `metadata.jsonl` or `metadata.parquet` with a column `file_name` beside the pictures of each split or \
              above them: labels (also numbers with the names of `dataset_info` in `README.md`), splits and all other columns; Roboflow's \
              `_classes.csv`, too",
    written: "`cleaned` writes the same folders; CSV and JSON Lines keep every unchanged byte; `hf` writes an imagefolder",
    lost: "several pictures in a row (`*_file_name`, `file_names`) are refused; of Parquet and `_classes.csv`, `cleaned` makes class \
           folders and a `metadata.csv`",
    class_names: ClassNames::Folders,
    annotated: None,
    elsewhere: false,
    options: |_| OF_TABLES_BESIDE,
    detect: |candidate| {
        let tables = ["metadata.csv", "metadata.jsonl", "metadata.parquet", "_classes.csv"];
        candidate.is_dir() && tables.into_iter().any(|name| candidate.called(name).next().is_some())
    },
    read: |candidate, options| folders::open(candidate.path(), options),
};

pub(super) const YOLO: Format = Format {
    name: "a YOLO folder",
    summary: "a YOLO dataset",
    details: "class folders or `images/` with `labels/`, and `data.yaml` with names (a list or by number) and the paths of splits, which may be lists with paths of another computer; \
              the label of a picture is the class of most boxes, then of the largest area, then the first; `all_labels` has all",
    written: "`cleaned` writes class folders, `cleaned-table` a CSV table",
    lost: "boxes, polygons, key points",
    class_names: ClassNames::Written,
    annotated: None,
    elsewhere: false,
    options: |_| OF_FOLDERS,
    detect: |candidate| candidate.is_dir() && yolo::detect(candidate),
    read: |candidate, options| folders::open(candidate.path(), options),
};

pub(super) const IMAGENET: Format = Format {
    name: "an ImageNet folder",
    summary: "ImageNet with a flat validation folder",
    details: "`LOC_val_solution.csv`, `*_synset_labels.txt`, `ILSVRC2012_validation_ground_truth.txt` (by WordNet ids where \
              `map_clsloc.txt` is there), or `val_annotations.txt` of Tiny ImageNet give the labels",
    written: "`cleaned` writes class folders, `cleaned-table` a CSV table",
    lost: "boxes; the numbers in `meta.mat`",
    class_names: ClassNames::Folders,
    annotated: None,
    elsewhere: false,
    options: |_| OF_FOLDERS,
    detect: |candidate| candidate.is_dir() && imagenet::detect(candidate),
    read: |candidate, options| folders::open(candidate.path(), options),
};
