//! Every option over every format: what a format has no use for is refused by name and changes nothing, and what it reads is
//! looked at.

use super::*;
use crate::dataset::{self, FORMATS, examples};
use chaffinch_data::manifest::Manifest;
use std::path::Path;

/// How options are given.
fn given(option: ReadingOption, root: &Path) -> Vec<DatasetOptions> {
    let plain = DatasetOptions::default;
    let name = || Some("nope".to_owned());
    match option {
        PathColumn => vec![DatasetOptions { path_column: name(), ..plain() }],
        LabelColumn => vec![DatasetOptions { label_column: name(), ..plain() }],
        SplitColumn => vec![DatasetOptions { split_column: name(), ..plain() }],
        Root => vec![DatasetOptions { root: Some(root.to_path_buf()), ..plain() }],
        Layout => {
            [Folders::Classes, Folders::Splits].map(|folders| DatasetOptions { folders, ..plain() }).to_vec()
        }
        ReadingOption::LabelFiles => [LabelFiles::Ignore, LabelFiles::Optional]
            .map(|label_files| DatasetOptions { label_files, ..plain() })
            .to_vec(),
    }
}

fn rows(manifest: &Manifest) -> Vec<String> {
    let row = |id| {
        let path = manifest.full_path(id);
        format!("{} {} {}", path.display(), manifest.label_name(id), manifest.split(id))
    };
    manifest.ids().map(row).collect()
}

#[test]
fn every_option_is_read_or_refused_by_every_format() {
    for format in FORMATS {
        let temp = tempfile::tempdir().unwrap();
        let made = examples::example(format.name, temp.path());
        let Some(path) = made.unwrap_or_else(|| panic!("there is no example of {}", format.name)) else {
            // What is in a bucket may be of any format.
            continue;
        };
        let elsewhere = temp.path().join("elsewhere");
        std::fs::create_dir(&elsewhere).unwrap();
        let plain = rows(&dataset::open(&path, &DatasetOptions::default()).unwrap().manifest);
        let reads = (format.options)(&Candidate::new(&path).unwrap());
        for option in ReadingOption::ALL {
            for options in given(option, &elsewhere) {
                let told = format!("{} with {}", format.name, option.name());
                assert!(option.is_given(&options), "{told}");
                let refused = dataset::refuse_unread(&path, &options, &options);
                let opened = dataset::open(&path, &options);
                if !reads.contains(&option) {
                    let message = refused.unwrap_err().to_string();
                    let summary = format.summary.replace('`', "");
                    assert!(
                        message.contains(&format!("{summary} has no use for {};", option.name())),
                        "{message}"
                    );
                    assert_eq!(
                        rows(&opened.unwrap().manifest),
                        plain,
                        "{told} is read, which is not declared"
                    );
                    continue;
                }
                refused.unwrap_or_else(|error| panic!("{told}: {error}"));
                if matches!(option, PathColumn | LabelColumn | SplitColumn) {
                    let message =
                        opened.err().unwrap_or_else(|| panic!("{told} is not looked at")).to_string();
                    assert!(message.contains("nope"), "{told}: {message}");
                }
            }
        }
    }
}

#[test]
fn columns_of_a_joined_table_are_no_ones_business_but_its_own() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("cat");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("1.jpg"), "1").unwrap();
    let column = DatasetOptions { label_column: Some("x".into()), ..DatasetOptions::default() };
    let message = dataset::refuse_unread(temp.path(), &column, &column).unwrap_err().to_string();
    assert!(message.contains("--label-column; leave it out"), "{message}");
    let joined = DatasetOptions { labels: Some(temp.path().join("t.csv")), ..column.clone() };
    assert!(dataset::refuse_unread(temp.path(), &column, &joined).is_ok());
    // What is not a dataset is said where it is read.
    assert!(dataset::refuse_unread(&temp.path().join("none"), &column, &column).is_ok());
}
