use crate::dataset::testing::{column, read, read_folder, refused, rows, says, tree};
use chaffinch_protocol::RemarkKind;

const TAGS: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta><task><labels><label><name>cat</name><color>#fff</color></label><label><name>dog</name></label></labels></task></meta>
  <image id="0" name="1.jpg" subset="Train" width="4" height="4">
    <tag label="cat &amp; co" source="manual"><attribute name="age">1</attribute></tag>
    <box label="dog" xtl="0" ytl="0" xbr="4" ybr="4"></box>
  </image>
  <image id="1" name="sub/2.jpg" subset="Validation" width="4" height="4">
    <tag label="cat"/><tag label="dog"/>
  </image>
  <image id="2" name="3.jpg" width="4" height="4">
    <box label="dog" xtl="0" ytl="0" xbr="1.5" ybr="1"/>
    <polygon label="cat" points="0,0;0,3;3,3;3,0"/>
    <points label="" points="0,0"/>
  </image>
  <image id="3" name="4.jpg" width="4" height="4"/>
</annotations>
"#;

#[test]
fn tags_and_shapes() {
    for below in ["images/", ""] {
        let pictures = ["1.jpg", "3.jpg", "4.jpg", "sub/2.jpg"].map(|name| format!("{below}{name}"));
        let mut files: Vec<(&str, &str)> = pictures.iter().map(|path| (path.as_str(), "")).collect();
        files.push(("annotations.xml", TAGS));
        let temp = tree(&files);
        let opened = read_folder(temp.path());
        let [first, third, fourth, second] = &pictures;
        let expected = [
            format!("{first} cat & co train"),
            format!("{third} cat -"),
            format!("{fourth} - -"),
            format!("{second} - validation"),
        ];
        assert_eq!(rows(&opened), expected, "{:#?}", opened.ledger);
        assert_eq!(column(&opened, "all_labels"), ["", "cat|dog", "", "cat|dog"]);
        assert!(says(&opened, RemarkKind::LabelsMissing, "1 tag or shape has no label"));
        let file = read(&temp, "annotations.xml").unwrap();
        assert_eq!(rows(&file)[2], expected[1]);
    }
}

#[test]
fn subsets_are_folders_of_an_export() {
    let temp =
        tree(&[("annotations.xml", TAGS), ("images/Train/1.jpg", ""), ("images/Validation/sub/2.jpg", "")]);
    let opened = read(&temp, "annotations.xml").unwrap();
    assert_eq!(
        rows(&opened)[..2],
        ["images/Train/1.jpg cat & co train", "images/Validation/sub/2.jpg - validation"]
    );
}

#[test]
fn broken_files_say_what_is_wrong() {
    for (text, expected) in [
        (&TAGS[..600], "it ends too early"),
        ("<annotations><image id=\"0\"></image></annotations>", "line 1: an image has no name"),
        ("<annotations><image name=\"1.jpg\"></annotations>", "it is not valid XML"),
        (
            "<annotations><track id=\"0\" label=\"cat\"><box frame=\"0\"/></track></annotations>",
            "it describes a video",
        ),
        ("<annotations><image name=\"&bomb;\"/></annotations>", "it is not valid XML"),
    ] {
        let temp = tree(&[("annotations.xml", text), ("1.jpg", "")]);
        for below in ["", "annotations.xml"] {
            let error = refused(&temp, below);
            assert!(error.contains(expected), "{error}");
        }
    }
}
