//! Datasets of every format whose labels are in files, with what a plan does to each, and which parts of its files are other
//! afterwards.

use super::testing::Do;
use chaffinch_protocol::sample::Split;

/// A format: its files, which of them is opened, what is done, and parts of files that are other afterwards.
pub(super) struct Case {
    pub(super) files: Vec<(&'static str, &'static str)>,
    pub(super) opened: &'static str,
    pub(super) wishes: Vec<(&'static str, Do)>,
    /// File, old text, new text: nothing else is different.
    pub(super) edits: Vec<(&'static str, &'static str, &'static str)>,
    pub(super) rows: Vec<&'static str>,
}

const COCO: &str = r#"{"info": {"year": 2017.0}, "images": [{"id": 10, "file_name": "1.jpg", "width": 2, "height": 2, "x": 1e-3},
  {"id": 20, "file_name": "2.jpg"}, {"id": 30, "file_name": "3.jpg"}],
 "annotations": [{"id": 1, "image_id": 10, "category_id": 7, "bbox": [0,0,1.50,1]}, {"id": 2, "image_id": 20, "category_id": 7},
  {"id": 3, "image_id": 30, "category_id": 9}],
 "categories": [{"id": 7, "name": "cat"}, {"id": 9, "name": "dog"}]}
"#;
const SAMPLES: &str = r#"{"samples": [{"filepath": "data/1.jpg", "tags": ["train"], "w": 1.50, "ground_truth": {"_cls": "Classification", "label": "cat"}},
 {"filepath": "data/2.jpg", "tags": ["test", "night"], "ground_truth": {"_cls": "Classification", "label": "cat", "x": null}},
 {"filepath": "data/3.jpg", "tags": [], "ground_truth": {"_cls": "Classification", "label": "dog"}}]}"#;
const LABELS: &str =
    r#"{"classes": ["cat", "dog"], "labels": {"1": 0, "3": 1, "2": {"label": 0, "confidence": 0.50}}}"#;
const TASKS: &str = r#"[{"id": 1, "data": {"image": "1.jpg", "w": 1.50}, "annotations": [{"id": 5, "result": [{"from_name": "c", "to_name": "image",
 "type": "choices", "value": {"choices": ["cat"]}}]}]},
 {"id": 2, "data": {"image": "2.jpg"}, "annotations": [{"result": [{"from_name": "c", "type": "choices", "value": {"choices": ["cat"]}}]}]},
 {"id": 3, "data": {"image": "3.jpg"}, "annotations": [{"result": [{"from_name": "c", "type": "choices", "value": {"choices": ["dog"]}}]}]}]"#;
const MIN: &str = r#"[{"image": "1.jpg", "id": 1, "choice": "cat", "annotation_id": 1, "lead_time": 1.50},
 {"image": "2.jpg", "id": 2, "choice": "cat", "annotation_id": 2, "lead_time": 2.0},
 {"image": "3.jpg", "id": 3, "choice": "dog", "annotation_id": 3, "lead_time": 3.0}]"#;
const CVAT: &str = "<?xml version=\"1.0\"?>\n<annotations>\n <meta><task><labels><label><name>cat</name></label><label><name>dog</name></label></labels></task></meta>\n \
<image id=\"0\" name=\"1.jpg\" width=\"2\"><tag label=\"cat\" source=\"manual\"/></image>\n \
<image id=\"1\" name=\"2.jpg\">\n  <box label='cat' xtl=\"0\" ytl=\"0\" xbr=\"1.50\" ybr=\"1\"><attribute name=\"label\">x</attribute></box>\n </image>\n \
<image id=\"2\" name=\"3.jpg\"><tag label=\"dog\"/></image>\n</annotations>\n";
const TABLE: &str = "{\"path\": \"1.jpg\", \"w\": 1.50, \"label\":  \"cat\"}\n{\"label\": \"cat\", \"path\": \"2.jpg\", \"x\": {\"label\": \"cat\"}}\n\n{\"path\": \"3.jpg\", \"label\": \"dog\"}\n";
const ARRAY: &str = "[\n {\"path\": \"1.jpg\", \"w\": 1.50, \"label\": \"cat\"},\n {\"path\": \"2.jpg\", \"label\": \"cat\"},\n {\"path\": \"3.jpg\", \"label\": \"dog\"}\n]\n";
const BY_PATH: &str = "{\"3.jpg\": \"dog\", \"2.jpg\": \"cat\",\n \"1.jpg\": \"cat\"}";

const FLAGS: &str = "\"path\",cat,dog,w\n1.jpg,1,0,\"x\"\n2.jpg,\"1\",0,\"y\"\n3.jpg,0,1,z\n";
const FLAGS_IN_LINES: &str = "{\"path\": \"1.jpg\", \"cat\": 1, \"dog\": 0}\n{\"path\": \"2.jpg\", \"cat\": 1,  \"dog\": 0}\n{\"dog\": 1, \"path\": \"3.jpg\", \"cat\": 0}\n{\"path\": \"1.jpg\", \"cat\": 1, \"dog\": 0}\n";

const FLAT: [(&str, &str); 3] = [("1.jpg", "one"), ("2.jpg", "two"), ("3.jpg", "three")];
const DATA: [(&str, &str); 3] = [("data/1.jpg", "one"), ("data/2.jpg", "two"), ("data/3.jpg", "three")];

fn with(
    name: &'static str,
    text: &'static str,
    pictures: &[(&'static str, &'static str)],
) -> Vec<(&'static str, &'static str)> {
    let mut all = pictures.to_vec();
    all.push((name, text));
    all
}

pub(super) fn cases() -> Vec<Case> {
    let flat = || vec![("1.jpg", Do::Remove), ("2.jpg", Do::Label("cow"))];
    let left = || vec!["2.jpg cow", "3.jpg dog"];
    let single = |name: &'static str, text, edits: Vec<(&'static str, &'static str)>| Case {
        files: with(name, text, &FLAT),
        opened: name,
        wishes: flat(),
        edits: edits.into_iter().map(|(old, new)| (name, old, new)).collect(),
        rows: left(),
    };
    let coco = || {
        vec![
            ("{\"id\": 10, \"file_name\": \"1.jpg\", \"width\": 2, \"height\": 2, \"x\": 1e-3},\n  ", ""),
            ("{\"id\": 1, \"image_id\": 10, \"category_id\": 7, \"bbox\": [0,0,1.50,1]}, ", ""),
            ("\"image_id\": 20, \"category_id\": 7", "\"image_id\": 20, \"category_id\": 10"),
            (
                "\"name\": \"dog\"}]",
                "\"name\": \"dog\"}, {\"id\":10,\"name\":\"cow\",\"supercategory\":\"\"}]",
            ),
        ]
    };
    let in_data = || vec![("data/1.jpg", Do::Remove), ("data/2.jpg", Do::Label("cow"))];
    vec![
        Case {
            files: with("labels.csv", FLAGS, &FLAT),
            opened: "labels.csv",
            wishes: vec![("2.jpg", Do::Label("dog"))],
            edits: vec![("labels.csv", "\"1\",0,\"y\"", "\"0\",1,\"y\"")],
            rows: vec!["1.jpg cat", "2.jpg dog", "3.jpg dog"],
        },
        Case {
            files: with("labels.jsonl", FLAGS_IN_LINES, &FLAT),
            opened: "labels.jsonl",
            wishes: vec![("2.jpg", Do::Label("cow"))],
            edits: vec![("labels.jsonl", "\"cat\": 1,  \"dog\": 0", "\"cat\": 0,  \"dog\": 0,  \"cow\": 1")],
            rows: vec!["1.jpg cat", "2.jpg cow", "3.jpg dog", "1.jpg cat"],
        },
        single("instances.json", COCO, coco()),
        Case {
            files: with("annotations/instances.json", COCO, &FLAT),
            opened: "",
            wishes: flat(),
            edits: coco().into_iter().map(|(old, new)| ("annotations/instances.json", old, new)).collect(),
            rows: left(),
        },
        Case {
            files: with("samples.json", SAMPLES, &DATA),
            opened: "",
            wishes: [in_data(), vec![("data/3.jpg", Do::Split(Split::Test))]].concat(),
            edits: vec![
                (
                    "samples.json",
                    "{\"filepath\": \"data/1.jpg\", \"tags\": [\"train\"], \"w\": 1.50, \"ground_truth\": {\"_cls\": \"Classification\", \"label\": \"cat\"}},\n ",
                    "",
                ),
                ("samples.json", "\"label\": \"cat\", \"x\"", "\"label\": \"cow\", \"x\""),
                ("samples.json", "\"tags\": []", "\"tags\": [\"test\"]"),
            ],
            rows: vec!["data/2.jpg cow test", "data/3.jpg dog test"],
        },
        Case {
            files: with("labels.json", LABELS, &DATA),
            opened: "labels.json",
            wishes: in_data(),
            edits: vec![
                ("labels.json", "\"1\": 0, ", ""),
                ("labels.json", "\"label\": 0", "\"label\": 2"),
                ("labels.json", "\"dog\"]", "\"dog\", \"cow\"]"),
            ],
            rows: vec!["data/2.jpg cow", "data/3.jpg dog"],
        },
        single(
            "tasks.json",
            TASKS,
            vec![
                (&TASKS[1..TASKS.find(" {\"id\": 2").unwrap() + 1], ""),
                (
                    "{\"result\": [{\"from_name\": \"c\", \"type\": \"choices\", \"value\": {\"choices\": [\"cat\"]}}]}",
                    "{\"result\": [{\"from_name\": \"c\", \"type\": \"choices\", \"value\": {\"choices\": [\"cow\"]}}]}",
                ),
            ],
        ),
        single(
            "min.json",
            MIN,
            vec![
                (&MIN[1..MIN.find(" {\"image\": \"2").unwrap() + 1], ""),
                ("\"choice\": \"cat\", \"annotation_id\": 2", "\"choice\": \"cow\", \"annotation_id\": 2"),
            ],
        ),
        single(
            "min.csv",
            "image,id,choice,annotator,annotation_id,lead_time\n1.jpg,1,cat,a,1,1.50\n2.jpg,2,cat,a,2,\"2\"\n3.jpg,3,dog,a,3,3\n",
            vec![("1.jpg,1,cat,a,1,1.50\n", ""), ("2.jpg,2,cat,a,2", "2.jpg,2,cow,a,2")],
        ),
        single(
            "annotations.xml",
            CVAT,
            vec![
                (
                    "\n <image id=\"0\" name=\"1.jpg\" width=\"2\"><tag label=\"cat\" source=\"manual\"/></image>",
                    "",
                ),
                ("<box label='cat'", "<box label='cow'"),
                (
                    "<label><name>dog</name></label>",
                    "<label><name>dog</name></label><label><name>cow</name><attributes></attributes></label>",
                ),
            ],
        ),
        single(
            "t.jsonl",
            TABLE,
            vec![
                ("{\"path\": \"1.jpg\", \"w\": 1.50, \"label\":  \"cat\"}\n", ""),
                ("{\"label\": \"cat\", \"path\"", "{\"label\": \"cow\", \"path\""),
            ],
        ),
        single(
            "t.json",
            ARRAY,
            vec![
                ("{\"path\": \"1.jpg\", \"w\": 1.50, \"label\": \"cat\"},\n ", ""),
                ("\"2.jpg\", \"label\": \"cat\"", "\"2.jpg\", \"label\": \"cow\""),
            ],
        ),
        single(
            "p.json",
            BY_PATH,
            vec![(",\n \"1.jpg\": \"cat\"", ""), ("\"2.jpg\": \"cat\"", "\"2.jpg\": \"cow\"")],
        ),
        Case {
            files: vec![
                ("data.yaml", "# mine\nnames: [cat, dog]\nnc: 2\ntrain: images/train\nval: images/val\n"),
                ("images/train/1.jpg", "one"),
                ("images/train/2.jpg", "two"),
                ("images/val/3.jpg", "three"),
                ("labels/train/1.txt", "0 0.5 0.5 1 1\n"),
                ("labels/train/2.txt", "0 0.50 0.5 1 1\r\n1 0.5 0.5 0.1 0.1\n0 0.1 0.1 0.1 0.1"),
                ("labels/val/3.txt", "1 0.5 0.5 1 1\n"),
            ],
            opened: "",
            wishes: vec![("images/train/1.jpg", Do::Remove), ("images/train/2.jpg", Do::Label("cow"))],
            edits: vec![
                ("data.yaml", "dog]\nnc: 2", "dog, 'cow']\nnc: 3"),
                ("labels/train/2.txt", "0 0.50", "2 0.50"),
                ("labels/train/2.txt", "\n0 0.1", "\n2 0.1"),
                ("labels/train/1.txt", "0 0.5 0.5 1 1\n", "GONE"),
            ],
            rows: vec!["images/train/2.jpg cow train", "images/val/3.jpg dog validation"],
        },
        Case {
            files: vec![
                ("data.yaml", "names: [cat, dog]\nnc: 2\ntrain: images/train\nval: images/val\n"),
                ("images/train/1.jpg", "one"),
                ("images/train/2.jpg", "two"),
                ("images/train/4.jpg", "four"),
                ("images/val/3.jpg", "three"),
                ("labels/train/1.txt", "0 0.5 0.5 1 1\n"),
                ("labels/train/2.txt", "0 0.50 0.5 1 1\r\n1 0.5 0.5 0.1 0.1\n0 0.1 0.1 0.1 0.1"),
                ("labels/train/4.txt", "0 0.5 0.5 1 1\n"),
                ("labels/val/3.txt", "1 0.5 0.5 1 1\n"),
            ],
            opened: "",
            wishes: vec![
                ("images/train/1.jpg", Do::Remove),
                ("images/train/2.jpg", Do::Split(Split::Validation)),
                ("images/train/4.jpg", Do::Both("dog", Split::Validation)),
            ],
            edits: vec![
                ("labels/train/4.txt", "0 0.5", "1 0.5"),
                ("labels/train/1.txt", "0 0.5 0.5 1 1\n", "GONE"),
                ("images/train/2.jpg", "MOVED", "images/val/2.jpg"),
                ("images/train/4.jpg", "MOVED", "images/val/4.jpg"),
                ("labels/train/2.txt", "MOVED", "labels/val/2.txt"),
                ("labels/train/4.txt", "MOVED", "labels/val/4.txt"),
            ],
            rows: vec![
                "images/val/2.jpg cat validation",
                "images/val/3.jpg dog validation",
                "images/val/4.jpg dog validation",
            ],
        },
        Case {
            files: vec![
                ("data.yaml", "names: [cat, dog]\nnc: 2\ntrain: train.txt\nval: val.txt\n"),
                ("train.txt", "./images/1.jpg\n./images/2.jpg\n./images/4.jpg\n"),
                ("val.txt", "./images/3.jpg"),
                ("images/1.jpg", "one"),
                ("images/2.jpg", "two"),
                ("images/3.jpg", "three"),
                ("images/4.jpg", "four"),
                ("labels/1.txt", "0 0.5 0.5 1 1\n"),
                ("labels/2.txt", "0 0.5 0.5 1 1\n"),
                ("labels/3.txt", "1 0.5 0.5 1 1\n"),
                ("labels/4.txt", "1 0.5 0.5 1 1\n"),
            ],
            opened: "",
            wishes: vec![("images/1.jpg", Do::Remove), ("images/2.jpg", Do::Both("dog", Split::Validation))],
            edits: vec![
                ("train.txt", "./images/1.jpg\n./images/2.jpg\n", ""),
                ("val.txt", "./images/3.jpg", "./images/3.jpg\n./images/2.jpg\n"),
                ("labels/2.txt", "0 0.5", "1 0.5"),
                ("labels/1.txt", "0 0.5 0.5 1 1\n", "GONE"),
            ],
            rows: vec![
                "images/2.jpg dog validation",
                "images/3.jpg dog validation",
                "images/4.jpg dog train",
            ],
        },
        Case {
            files: vec![
                (
                    "train/_classes.csv",
                    "filename, cat, dog\r\n1.jpg, 1, 0\r\n2.jpg, 1, 0\r\n3.jpg, 0, 1\r\n4.jpg, 0, 1\r\n",
                ),
                ("train/1.jpg", "one"),
                ("train/2.jpg", "two"),
                ("train/3.jpg", "three"),
                ("train/4.jpg", "four"),
            ],
            opened: "",
            wishes: vec![
                ("train/1.jpg", Do::Remove),
                ("train/2.jpg", Do::Label("cow")),
                ("train/4.jpg", Do::Label("cat")),
            ],
            edits: vec![
                ("train/_classes.csv", "cat, dog\r\n1.jpg, 1, 0\r\n", "cat, dog,cow\r\n"),
                ("train/_classes.csv", "2.jpg, 1, 0", "2.jpg, 0, 0, 1"),
                ("train/_classes.csv", "3.jpg, 0, 1", "3.jpg, 0, 1, 0"),
                ("train/_classes.csv", "4.jpg, 0, 1", "4.jpg, 1, 0, 0"),
            ],
            rows: vec!["train/2.jpg cow train", "train/3.jpg dog train", "train/4.jpg cat train"],
        },
        Case {
            files: vec![
                ("train/n01440764/n01440764_1.JPEG", "one"),
                ("train/n01443537/n01443537_1.JPEG", "two"),
                ("val/ILSVRC2012_val_00000001.JPEG", "three"),
                ("val/ILSVRC2012_val_00000002.JPEG", "four"),
                (
                    "LOC_val_solution.csv",
                    "ImageId,PredictionString\nILSVRC2012_val_00000002,n01440764 1 2 3 4 n01440764 5 6 7 8 \nILSVRC2012_val_00000001,n01443537 1 2 3 4 \n",
                ),
            ],
            opened: "",
            wishes: vec![
                ("val/ILSVRC2012_val_00000001.JPEG", Do::Remove),
                ("val/ILSVRC2012_val_00000002.JPEG", Do::Label("n02000000")),
            ],
            edits: vec![
                ("LOC_val_solution.csv", "n01440764 1 2 3 4 n01440764", "n02000000 1 2 3 4 n02000000"),
                ("LOC_val_solution.csv", "ILSVRC2012_val_00000001,n01443537 1 2 3 4 \n", ""),
            ],
            rows: vec![
                "train/n01440764/n01440764_1.JPEG n01440764 train",
                "train/n01443537/n01443537_1.JPEG n01443537 train",
                "val/ILSVRC2012_val_00000002.JPEG n02000000 validation",
            ],
        },
        Case {
            files: vec![
                ("train/n01440764/n01440764_1.JPEG", "one"),
                ("train/n01443537/n01443537_1.JPEG", "two"),
                ("val/ILSVRC2012_val_00000001.JPEG", "three"),
                ("val/ILSVRC2012_val_00000002.JPEG", "four"),
                ("map_clsloc.txt", "n01440764 1 tench\nn01443537 2 goldfish\n"),
                ("ILSVRC2012_validation_ground_truth.txt", "1\r\n2\r\n"),
            ],
            opened: "",
            wishes: vec![
                ("val/ILSVRC2012_val_00000001.JPEG", Do::Remove),
                ("val/ILSVRC2012_val_00000002.JPEG", Do::Label("n01440764")),
            ],
            edits: vec![("ILSVRC2012_validation_ground_truth.txt", "1\r\n2\r\n", "1\r\n1\r\n")],
            rows: vec![
                "train/n01440764/n01440764_1.JPEG n01440764 train",
                "train/n01443537/n01443537_1.JPEG n01443537 train",
                "val/ILSVRC2012_val_00000002.JPEG n01440764 validation",
            ],
        },
    ]
}
