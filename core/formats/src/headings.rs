//! Headings of columns that say which sample a row is about, in tables of other programs.

/// Columns that hold paths or names of files, in the order in which they are preferred.
pub(crate) const PATHS: [&str; 16] = [
    "path",
    "image_path",
    "filepath",
    "file_path",
    "file_path_abs",
    "file_name",
    "filename",
    "file",
    "img_path",
    "image_name",
    "image_file",
    "image",
    "img",
    "img_name",
    "fname",
    "full_path",
];

/// Columns that name samples in some tables, and number something else in others.
pub(crate) const KEYS: [&str; 3] = ["image_id", "img_id", "key"];

/// Names that pandas, R and others give to a column of the numbers of rows, which may also be names of classes.
const INDEXES: [&str; 5] = ["index", "idx", "id", "row", "level_0"];

/// How pandas calls an index in a Parquet file.
pub(crate) const STORED: &str = "__index_level_";

/// All of [`PATHS`] and [`KEYS`].
pub(crate) fn naming() -> impl Iterator<Item = &'static str> {
    PATHS.iter().chain(&KEYS).copied()
}

/// Whether a column names the samples, by its heading in any case.
pub(crate) fn names_samples(heading: &str) -> bool {
    naming().any(|name| heading.trim().eq_ignore_ascii_case(name))
}

/// Whether a list is called like one of samples: as a column, or in the plural.
pub(crate) fn name_samples(heading: &str) -> bool {
    let heading = heading.trim();
    let one = heading.strip_suffix(['s', 'S']).unwrap_or(heading);
    [heading, one].into_iter().any(|name| names_samples(name) || name.eq_ignore_ascii_case("id"))
}

/// Whether a column has no name of its own: pandas writes its index like that.
pub(crate) fn is_unnamed(heading: &str) -> bool {
    let name = heading.trim();
    name.is_empty() || name.eq_ignore_ascii_case("unnamed: 0") || name == "..1" || name == "...1"
}

/// Whether a column has one of the names of an index.
pub(crate) fn is_usual_index(heading: &str) -> bool {
    INDEXES.iter().any(|name| heading.trim().eq_ignore_ascii_case(name))
}

/// Whether a program wrote the names or numbers of rows under this heading.
pub(crate) fn is_index(heading: &str) -> bool {
    is_unnamed(heading) || heading.starts_with(STORED) || is_usual_index(heading)
}

/// What ids of something else than samples end with.
const OTHER_IDS: [&str; 14] = [
    "class_id",
    "classid",
    "label_id",
    "labelid",
    "category_id",
    "categoryid",
    "cat_id",
    "target_id",
    "group_id",
    "cluster_id",
    "component_id",
    "annotator_id",
    "worker_id",
    "user_id",
];

/// Whether a column is called like one of ids of samples, in whatever words: an index, a key, `uid`, `sample_id`, `photoId`.
pub(crate) fn is_id(heading: &str) -> bool {
    let heading = heading.trim();
    let lower = words(heading);
    let stem = heading.strip_suffix("Id").or_else(|| heading.strip_suffix("ID")).unwrap_or_default();
    let is_word = lower.ends_with("_id") || stem.ends_with(|last: char| last.is_ascii_lowercase());
    let known = ["uid", "uuid", "guid", "key", "stem", "name", "sample"].contains(&lower.as_str());
    let other = OTHER_IDS.iter().any(|other| lower == *other || lower.ends_with(&format!("_{other}")));
    is_index(heading) || names_samples(heading) || ((known || is_word) && !other)
}

/// Names of a column of labels, in lower case with an underscore between words.
const LABELS: [&str; 36] = [
    "label",
    "labels",
    "class",
    "class_name",
    "class_label",
    "class_id",
    "class_idx",
    "class_index",
    "category",
    "category_name",
    "category_id",
    "target",
    "targets",
    "target_id",
    "y",
    "y_true",
    "given_label",
    "given_class",
    "given_labels",
    "original_label",
    "original_class",
    "noisy_label",
    "clean_label",
    "true_label",
    "true_labels",
    "true_class",
    "human_label",
    "label_name",
    "label_id",
    "label_idx",
    "label_index",
    "gt",
    "gt_label",
    "gt_class",
    "ground_truth",
    "groundtruth",
];

/// Names of a column of labels only where its cells are names of classes: numbers under them may be something else.
const NAMED_LABELS: [&str; 8] =
    ["given", "original", "truth", "species", "breed", "object", "gt_name", "true_name"];

/// Words with an underscore between them, in lower case.
fn words(heading: &str) -> String {
    heading.trim().to_ascii_lowercase().replace([' ', '-', '.'], "_")
}

/// Whether a column is called like one of the samples' labels.
pub(crate) fn is_label(heading: &str) -> bool {
    LABELS.contains(&words(heading).as_str())
}

/// Whether a column of names of classes is called like one of the samples' labels.
pub(crate) fn is_label_of_names(heading: &str) -> bool {
    is_label(heading) || NAMED_LABELS.contains(&words(heading).as_str())
}

/// Words in headings of columns that may name the classes, beside those of labels.
const CLASS_NAMES: [&str; 14] = [
    "name", "names", "text", "str", "string", "human", "readable", "species", "breed", "wnid", "synset",
    "coarse", "fine", "title",
];

/// Whether a column of texts may have the names of classes that another one numbers, by its heading.
pub(crate) fn names_classes(heading: &str) -> bool {
    let words = words(heading);
    LABELS.contains(&words.as_str()) || words.split('_').any(|word| CLASS_NAMES.contains(&word))
}

/// What columns of the numbers of classes are called, without signs between words.
const CLASS_NUMBERS: [&str; 20] = [
    "classid",
    "classidx",
    "classindex",
    "classnumber",
    "classnum",
    "classcode",
    "labelid",
    "labelidx",
    "labelindex",
    "labelnumber",
    "labelnum",
    "labelcode",
    "labelencoded",
    "categoryid",
    "categoryidx",
    "categoryindex",
    "catid",
    "targetid",
    "target",
    "y",
];

/// Whether a column is called like the numbers of classes.
pub(crate) fn is_class_number(heading: &str) -> bool {
    let mut name = heading.to_ascii_lowercase();
    name.retain(|sign| sign.is_ascii_alphanumeric());
    CLASS_NUMBERS.contains(&name.as_str())
}

/// What numbers of samples end with, beside ids.
const COUNTERS: [&str; 8] = ["index", "idx", "number", "num", "nr", "no", "frame", "row"];
/// What else has numbers, in front of these.
const OTHER_COUNTERS: [&str; 12] = [
    "class",
    "label",
    "category",
    "cat",
    "target",
    "group",
    "cluster",
    "fold",
    "split",
    "annotator",
    "worker",
    "user",
];

/// Whether a column is called like one of ids or numbers of samples: `sample_index`, `frame`, `Nr`.
pub(crate) fn is_id_or_number(heading: &str) -> bool {
    let lower = words(heading);
    let (before, last) = lower.rsplit_once('_').unwrap_or(("", &lower));
    let other = OTHER_COUNTERS.iter().any(|other| before == *other || before.ends_with(&format!("_{other}")));
    is_id(heading) || (COUNTERS.contains(&last) && !other)
}

/// What else tells samples apart in some tables.
const REFERENCES: [&str; 8] =
    ["asset", "ref", "reference", "record", "item", "accession", "barcode", "serial"];

/// Whether the values of a column may be ids or numbers of samples, by its heading.
pub(crate) fn may_be_id(heading: &str) -> bool {
    let words = words(heading);
    let last = words.rsplit('_').next().unwrap_or_default();
    is_id_or_number(heading) || REFERENCES.contains(&last)
}

/// Words in headings of columns that name another sample than the one that a row is about, in the singular.
const RELATIONS: [&str; 20] = [
    "nearest",
    "neighbor",
    "neighbour",
    "closest",
    "similar",
    "duplicate",
    "dup",
    "parent",
    "match",
    "matched",
    "original",
    "representative",
    "medoid",
    "prototype",
    "exemplar",
    "partner",
    "counterpart",
    "pair",
    "copy",
    "twin",
];

/// Whether a column is called like one of other samples than those that its rows are about: `nearest`, `duplicate_of`, `parent_id`.
pub(crate) fn names_others(heading: &str) -> bool {
    words(heading).split('_').any(|word| RELATIONS.contains(&word.strip_suffix('s').unwrap_or(word)))
}

/// What says that numbers in a column are those of pictures rather than of rows.
const PICTURES: [&str; 13] = [
    "image", "images", "img", "photo", "picture", "pic", "file", "filename", "path", "name", "stem",
    "imageid", "photoid",
];

/// Whether numbers in a column are those in the names of files, by its heading, rather than a count of rows.
pub(crate) fn names_files(heading: &str) -> bool {
    let words = words(heading);
    names_samples(heading) || words.split('_').any(|word| PICTURES.contains(&word))
}

/// Whether a column is called after pictures, and not after something of them, such as their width.
pub(crate) fn is_of_pictures(heading: &str) -> bool {
    PICTURES.contains(&words(heading).rsplit('_').next().unwrap_or_default())
}

/// Whether a column has a name that only numbers of rows have: pandas's index and its like, but not `id`.
pub(crate) fn is_plain_index(heading: &str) -> bool {
    is_index(heading) && !heading.trim().eq_ignore_ascii_case("id")
}

/// Whether two headings are one: in any case, and a column without a name like another one.
pub(crate) fn same(one: &str, other: &str) -> bool {
    let bare = |heading: &str| is_unnamed(heading) || heading.starts_with(STORED);
    one.trim().eq_ignore_ascii_case(other.trim()) || (bare(one) && bare(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_samples_are_known_and_others_are_not() {
        for heading in
            ["id", "uid", "UUID", "sample_id", "photoId", "Image ID", "key", "", "index", "image_id"]
        {
            assert!(is_id(heading), "{heading}");
        }
        for heading in ["label", "class_id", "categoryId", "liquid", "annotator_id", "width", "valid"] {
            assert!(!is_id(heading), "{heading}");
        }
        for (heading, counts) in
            [("sample_index", true), ("Frame", true), ("image nr", true), ("rank", false)]
        {
            assert_eq!(is_id_or_number(heading), counts, "{heading}");
        }
        assert!(!is_id_or_number("class_index") && !is_id_or_number("true_label_idx"));
        assert!(is_plain_index("Unnamed: 0") && is_plain_index("index") && !is_plain_index("ID"));
        assert!(same("", "__index_level_0__") && same("ID", " id ") && !same("id", "uid"));
    }

    #[test]
    fn labels_are_known_in_whatever_words_and_are_no_ids() {
        for heading in LABELS.iter().chain(&["Class Name", "ground-truth", " Label", "GT"]) {
            assert!(is_label(heading) && is_label_of_names(heading), "{heading}");
            assert!(!is_id(heading) && !is_id_or_number(heading), "{heading}");
        }
        for heading in NAMED_LABELS {
            assert!(is_label_of_names(heading) && !is_label(heading), "{heading}");
        }
        assert!(!is_label_of_names("predicted_label") && !is_label_of_names("weather"));
    }

    #[test]
    fn columns_of_other_samples_are_known() {
        for heading in
            ["nearest", "Nearest Neighbors", "duplicate_of", "parent-id", "matched", "copies_of_pair"]
        {
            assert!(names_others(heading), "{heading}");
        }
        for heading in ["path", "reference", "photo_id", "is_good", "species", "nearby"] {
            assert!(!names_others(heading), "{heading}");
        }
        assert!(is_of_pictures("photo") && is_of_pictures("source image") && !is_of_pictures("image_width"));
    }

    #[test]
    fn headings_are_known_in_any_case() {
        assert!(["", "Unnamed: 0", "id", "Index", "__index_level_0__"].into_iter().all(is_index));
        assert!(["cat", "indexes", "grid"].into_iter().all(|heading| !is_index(heading)));
        assert!(["Path", "IMAGE_ID", " fname "].into_iter().all(names_samples) && !names_samples("label"));
    }
}
