//! A small dataset of each format, for tests over all of them.

use std::fs;
use std::path::{Path, PathBuf};

/// Files with their text.
type Files = &'static [(&'static str, &'static str)];

const COCO: &str = r#"{"images": [{"id": 10, "file_name": "1.jpg"}, {"id": 20, "file_name": "2.jpg"}, {"id": 30, "file_name": "3.jpg"}],
 "annotations": [{"id": 1, "image_id": 10, "category_id": 7}, {"id": 2, "image_id": 20, "category_id": 7}, {"id": 3, "image_id": 30, "category_id": 9}],
 "categories": [{"id": 7, "name": "cat"}, {"id": 9, "name": "a big dog"}]}"#;
const SAMPLES: &str = r#"{"samples": [{"filepath": "data/1.jpg", "tags": ["train"], "ground_truth": {"_cls": "Classification", "label": "cat"}},
 {"filepath": "data/2.jpg", "tags": ["test"], "ground_truth": {"_cls": "Classification", "label": "cat"}},
 {"filepath": "data/3.jpg", "tags": ["test"], "ground_truth": {"_cls": "Classification", "label": "dog"}}]}"#;
const TASKS: &str = r#"[{"id": 1, "data": {"image": "1.jpg"}, "annotations": [{"result": [{"from_name": "c", "type": "choices", "value": {"choices": ["cat"]}}]}]},
 {"id": 2, "data": {"image": "2.jpg"}, "annotations": [{"result": [{"from_name": "c", "type": "choices", "value": {"choices": ["cat"]}}]}]},
 {"id": 3, "data": {"image": "3.jpg"}, "annotations": [{"result": [{"from_name": "c", "type": "choices", "value": {"choices": ["dog"]}}]}]}]"#;
const CVAT: &str = "<?xml version=\"1.0\"?>\n<annotations>\n <meta><task><labels><label><name>cat</name></label><label><name>dog</name></label></labels></task></meta>\n \
<image id=\"0\" name=\"1.jpg\" subset=\"train\"><tag label=\"cat\"/></image>\n <image id=\"1\" name=\"2.jpg\" subset=\"test\"><tag label=\"cat\"/></image>\n \
<image id=\"2\" name=\"3.jpg\" subset=\"test\"><tag label=\"dog\"/></image>\n</annotations>\n";

/// Makes one in a folder, and returns what is to be opened. `None` if there is no example of the format; `Some(None)` if it
/// needs a server.
pub(crate) fn example(format: &str, folder: &Path) -> Option<Option<PathBuf>> {
    let (files, opened): (Files, &str) = match format {
        "Arrow files" => return fixture("disk", folder),
        "Parquet files" => return fixture("parquet", folder),
        "tar files" => return fixture("wds", folder),
        "the binary files of CIFAR or MNIST" => return fixture("cifar", folder),
        "s3://BUCKET/PREFIX" => return Some(None),
        "a Label Studio export" => {
            (&[("tasks.json", TASKS), ("1.jpg", "one"), ("2.jpg", "two"), ("3.jpg", "three")], "tasks.json")
        }
        "a COCO .json file" => (
            &[("instances.json", COCO), ("1.jpg", "one"), ("2.jpg", "two"), ("3.jpg", "three")],
            "instances.json",
        ),
        "a FiftyOne labels.json or samples.json" => (
            &[
                ("samples.json", SAMPLES),
                ("data/1.jpg", "one"),
                ("data/2.jpg", "two"),
                ("data/3.jpg", "three"),
            ],
            "samples.json",
        ),
        "a CVAT .xml file" => {
            (&[("a.xml", CVAT), ("1.jpg", "one"), ("2.jpg", "two"), ("3.jpg", "three")], "a.xml")
        }
        "an ImageNet folder" => (
            &[
                ("train/n01440764/n01440764_1.JPEG", "one"),
                ("train/n01443537/n01443537_1.JPEG", "two"),
                ("val/ILSVRC2012_val_00000001.JPEG", "three"),
                ("val/ILSVRC2012_val_00000002.JPEG", "four"),
                (
                    "LOC_val_solution.csv",
                    "ImageId,PredictionString\nILSVRC2012_val_00000001,n01443537 1 2 3 4\nILSVRC2012_val_00000002,n01440764 1 2 3 4\n",
                ),
            ],
            "",
        ),
        "a YOLO folder" => (
            &[
                ("data.yaml", "names: [cat, dog]\nnc: 2\ntrain: images/train\nval: images/val\n"),
                ("images/train/1.jpg", "one"),
                ("images/train/2.jpg", "two"),
                ("images/val/3.jpg", "three"),
                ("labels/train/1.txt", "0 0.5 0.5 1 1\n"),
                ("labels/train/2.txt", "1 0.5 0.5 1 1\n"),
                ("labels/val/3.txt", "1 0.5 0.5 1 1\n"),
            ],
            "",
        ),
        "an imagefolder" => (
            &[
                ("train/metadata.csv", "file_name,label,weight\n1.jpg,cat,0.50\n2.jpg,\"dog, big\",1e-3\n"),
                ("train/1.jpg", "one"),
                ("train/2.jpg", "two"),
                ("test/metadata.csv", "file_name,label,weight\n3.jpg,cat,\n"),
                ("test/3.jpg", "three"),
            ],
            "",
        ),
        "a folder" => (
            &[
                ("train/cat/1.jpg", "one"),
                ("train/dog/2.jpg", "two"),
                ("test/cat/3.jpg", "three"),
                ("test/dog/1.jpg", "four"),
            ],
            "",
        ),
        "a .jsonl or .json manifest" => (
            &[
                (
                    "t.jsonl",
                    "{\"path\": \"1.jpg\", \"label\": \"cat\", \"split\": \"train\"}\n{\"path\": \"2.jpg\", \"label\": \"dog\", \"split\": \"test\"}\n",
                ),
                ("1.jpg", "one"),
                ("2.jpg", "two"),
            ],
            "t.jsonl",
        ),
        "a .csv or .tsv table" => (
            &[
                ("t.csv", "path,label,split,weight\n1.jpg,cat,train,0.50\n2.jpg,dog,test,1e-3\n"),
                ("1.jpg", "one"),
                ("2.jpg", "two"),
            ],
            "t.csv",
        ),
        _ => return None,
    };
    let data = folder.join("data");
    for (path, text) in files {
        let path = data.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    Some(Some(if opened.is_empty() { data } else { data.join(opened) }))
}

/// A copy of what another tool wrote.
fn fixture(name: &str, folder: &Path) -> Option<Option<PathBuf>> {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/packed").join(name);
    let to = folder.join("data").join(name);
    for entry in walkdir::WalkDir::new(&from).into_iter().map(|entry| entry.unwrap()) {
        let path = to.join(entry.path().strip_prefix(&from).unwrap());
        match entry.file_type().is_dir() {
            true => fs::create_dir_all(path).unwrap(),
            false => drop(fs::copy(entry.path(), path).unwrap()),
        }
    }
    Some(Some(to))
}
