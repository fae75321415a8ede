//! Labels in cells that are lists, in tables of every kind.

use super::testing::{Do, plan, rows, visible, whole, write};
use super::{apply_in_place, apply_to};
use chaffinch_data::output::CopyMode;

const PICTURES: [(&str, &str); 3] = [("1.jpg", "one"), ("2.jpg", "two"), ("3.jpg", "three")];

/// A list stays one, of its kind, and keeps what it has beside the label; of several labels, the new one takes the place.
#[test]
fn labels_in_lists_stay_in_lists_in_every_table() {
    for (name, before, edits) in [
        (
            "table.csv",
            "path,labels,w\n1.jpg,\"['cat', 'nan']\",1.50\n2.jpg,\"[\"\"dog\"\"]\",\n3.jpg,\"['cat', 'dog']\",x\n",
            [("['cat', 'nan']", "['cow', 'nan']"), ("['cat', 'dog']", "['dog']")],
        ),
        (
            "metadata.csv",
            "file_name,label\n1.jpg,\"['cat', 'nan']\"\n2.jpg,['dog']\n3.jpg,\"['cat', 'dog']\"\n",
            [("['cat', 'nan']", "['cow', 'nan']"), ("['cat', 'dog']", "['dog']")],
        ),
        (
            "table.jsonl",
            "{\"path\": \"1.jpg\", \"labels\": [\"cat\", null], \"w\": 1.50}\n{\"path\": \"2.jpg\", \"labels\": [\"dog\"]}\n\
             {\"labels\": [\"cat\", \"dog\"], \"path\": \"3.jpg\"}\n",
            [("[\"cat\", null]", "[\"cow\",null]"), ("[\"cat\", \"dog\"]", "[\"dog\"]")],
        ),
        (
            "metadata.jsonl",
            "{\"file_name\": \"1.jpg\", \"label\": [\"cat\"]}\n{\"file_name\": \"2.jpg\", \"label\": [\"dog\"]}\n\
             {\"file_name\": \"3.jpg\", \"label\": [\"cat\", \"dog\"]}\n",
            [("[\"cat\"]", "[\"cow\"]"), ("[\"cat\", \"dog\"]", "[\"dog\"]")],
        ),
        (
            "table.json",
            "[{\"path\": \"1.jpg\", \"label\": \"['cat', 'nan']\"}, {\"path\": \"2.jpg\", \"label\": \"['dog']\"},\n \
             {\"path\": \"3.jpg\", \"label\": \"['cat', 'dog']\"}]",
            [("['cat', 'nan']", "['cow', 'nan']"), ("['cat', 'dog']", "['dog']")],
        ),
    ] {
        let temp = tempfile::tempdir().unwrap();
        let data = temp.path().join("data");
        write(&data, &PICTURES);
        write(&data, &[(name, before)]);
        let is_table = name.starts_with("table");
        let opened = if is_table { data.join(name) } else { data.clone() };
        assert_eq!(rows(&opened), ["1.jpg cat", "2.jpg dog", "3.jpg"], "{name}");
        let plan = plan(&opened, &[("1.jpg", Do::Label("cow")), ("3.jpg", Do::Label("dog"))]);
        let copy = temp.path().join("copy");
        whole(|job| apply_to(&plan, &copy, CopyMode::Copy, job)).unwrap();
        let expected = edits.iter().fold(before.to_owned(), |text, (old, new)| text.replace(old, new));
        assert_eq!(std::fs::read_to_string(copy.join(name)).unwrap(), expected, "{name}");
        whole(|job| apply_in_place(&plan, job)).unwrap();
        assert_eq!(rows(&opened), ["1.jpg cow", "2.jpg dog", "3.jpg dog"], "{name}");
        assert!(visible(&copy) == visible(&data), "{name}: the copy is another one");
    }
}
