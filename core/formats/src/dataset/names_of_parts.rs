//! What folders that are not classes are called: splits, parts without labels, and folders that say nothing.

use chaffinch_protocol::sample::Split;
use std::ffi::OsStr;

/// Words that stand beside the name of a split and say nothing: `seg_train`, `train_images`, `training_set`.
const NOISE: &[&str] = &[
    "all", "cropped", "crops", "data", "dataset", "datasets", "files", "final", "folder", "full", "image",
    "images", "img", "imgs", "jpeg", "jpegs", "jpg", "new", "part", "photos", "pics", "pictures", "png",
    "raw", "resized", "sample", "samples", "seg", "set", "sets", "small", "split", "stage", "sub", "subset",
    "the", "v",
];

/// Names of splits.
const SPLITS: &[(Split, &[&str])] = &[
    (Split::Train, &["train", "training", "trainset", "trainingset", "trainval", "traindata", "tr", "trn"]),
    (
        Split::Validation,
        &[
            "va",
            "val",
            "valid",
            "validate",
            "validation",
            "valset",
            "validset",
            "validationset",
            "dev",
            "devset",
            "development",
            "eval",
            "evaluation",
            "minival",
            "vl",
            "publictest",
        ],
    ),
    (
        Split::Test,
        &[
            "test",
            "testing",
            "testset",
            "testingset",
            "testdata",
            "tst",
            "te",
            "holdout",
            "heldout",
            "privatetest",
        ],
    ),
];

/// Names of parts that have no labels.
const UNLABELED: &[&str] = &[
    "extra",
    "extras",
    "inference",
    "nolabel",
    "nolabels",
    "pred",
    "predict",
    "prediction",
    "predictions",
    "submission",
    "unlabel",
    "unlabeled",
    "unlabelled",
    "unsup",
    "unsupervised",
];

/// Names of folders that hold pictures of any class.
const GENERIC: &[&str] = &[
    "all",
    "color",
    "data",
    "files",
    "frames",
    "image",
    "images",
    "images_all",
    "img",
    "imgs",
    "jpegimages",
    "jpeg",
    "jpg",
    "photos",
    "pics",
    "pictures",
    "png",
    "raw",
    "rgb",
    "samples",
];

/// Names of folders that hold the answers to other tasks than classification.
const ANSWERS: &[&str] = &[
    "annotations",
    "bounding_boxes",
    "depth",
    "gt",
    "groundtruth",
    "ground_truth",
    "label",
    "labels",
    "mask",
    "masks",
    "masks_machine",
    "segmentation",
    "segmentations",
    "segmentationclass",
    "trimaps",
];

/// Words of folders that are parts of a dataset rather than classes, before a number or a letter: `fold3`.
const PARTS: &[&str] = &[
    "batch", "cam", "camera", "center", "centre", "chunk", "client", "cv", "data", "dataset", "device",
    "domain", "fold", "group", "hospital", "kfold", "lab", "part", "phase", "release", "round", "run",
    "scanner", "session", "set", "shard", "site", "source", "split", "subset", "tile", "user", "version",
    "year",
];

/// The split that a folder is named after, in any of the usual spellings: `Training`, `seg_train`, `val2017`,
/// `test_images`. A name with any word that is neither a split nor noise is not a split.
pub(super) fn split(name: &OsStr) -> Option<Split> {
    let words = words(name)?;
    // As FER2013 and contests call theirs.
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["public", "test"] => return Some(Split::Validation),
        ["private", "test"] => return Some(Split::Test),
        _ => {}
    }
    let mut found = None;
    for word in &words {
        match SPLITS.iter().find(|(_, names)| names.contains(&word.as_str())) {
            // Two letters are a split only if they are all there is.
            Some(_) if word.len() < 3 && words.len() > 1 => return None,
            Some((split, _)) if found.is_none_or(|known| known == *split) => found = Some(*split),
            Some(_) => return None,
            None if is_noise(word) => {}
            None if words.len() == 2
                && ["held", "hold"].contains(&words[0].as_str())
                && words[1] == "out" =>
            {
                return Some(Split::Test);
            }
            None => return None,
        }
    }
    found
}

/// The same for a name in a file.
pub(crate) fn split_named(name: &str) -> Option<Split> {
    split(OsStr::new(name))
}

/// The split that a folder is named after, in any of the usual spellings, or as the last of several words: `pets-train`.
pub(crate) fn split_of_folder(name: &OsStr) -> Option<Split> {
    split(name).or_else(|| {
        let (split, rest) = split_and_rest(name)?;
        let last = pieces(name)?.into_iter().rfind(|piece| !is_noise(&piece.to_lowercase()));
        (rest.last() != last.as_ref()).then_some(split)
    })
}

/// The same for a folder above a dataset whose own splits are known. Developers keep their work in a folder `dev`, and tests of
/// theirs in many others.
pub(crate) fn plain_split(name: &OsStr) -> Option<Split> {
    if name.eq_ignore_ascii_case("dev") { None } else { split(name) }
}

/// Whether a name is the plain name of its split, which needs no remark.
pub(super) fn is_plain(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| {
        let plain = ["train", "training", "val", "valid", "validation", "dev", "test", "testing"];
        plain.contains(&name.to_ascii_lowercase().as_str())
    })
}

/// Whether a folder is named as one of samples without labels.
pub(super) fn is_unlabeled(name: &OsStr) -> bool {
    let Some(words) = words(name) else { return false };
    let joined = words.concat();
    let one = |word: &String| UNLABELED.contains(&word.as_str());
    let any = words.iter().any(one) && words.iter().all(|word| one(word) || is_noise(word));
    any || UNLABELED.contains(&joined.as_str())
}

/// Whether a folder says that its pictures have no label, whatever stands beside it.
pub(super) fn says_no_label(name: &OsStr) -> bool {
    let none = ["unlabeled", "unlabelled", "nolabel", "nolabels"];
    words(name).is_some_and(|words| {
        let words: Vec<String> = words.into_iter().filter(|word| !is_noise(word)).collect();
        none.contains(&words.concat().as_str())
    })
}

/// The split in a name that has other words, too, and those words: train and `asl alphabet` of `asl_alphabet_train`.
pub(super) fn split_and_rest(name: &OsStr) -> Option<(Split, Vec<String>)> {
    let mut found = None;
    let mut rest = Vec::new();
    for piece in pieces(name)? {
        let word = piece.to_lowercase();
        let split = SPLITS.iter().find(|(_, names)| word.len() > 2 && names.contains(&word.as_str()));
        match split {
            Some((split, _)) if found.is_none() => found = Some(*split),
            Some(_) => return None,
            None if is_noise(&word) => {}
            None => rest.push(piece),
        }
    }
    found.filter(|_| !rest.is_empty()).map(|split| (split, rest))
}

/// The words of a name besides those that say that there are no labels; `None` if it does not say that.
pub(super) fn unlabeled_rest(name: &OsStr) -> Option<Vec<String>> {
    let (none, rest): (Vec<String>, Vec<String>) =
        pieces(name)?.into_iter().partition(|piece| UNLABELED.contains(&piece.to_lowercase().as_str()));
    let rest = rest.into_iter().filter(|piece| !is_noise(&piece.to_lowercase())).collect();
    (!none.is_empty()).then_some(rest)
}

/// Whether a folder is named so that it says nothing about the pictures in it.
pub(super) fn is_generic(name: &OsStr) -> bool {
    lower(name).is_some_and(|name| GENERIC.contains(&name.as_str()))
}

/// Whether a folder is named after what other tasks than classification need.
pub(super) fn is_answer(name: &OsStr) -> bool {
    lower(name).is_some_and(|name| ANSWERS.contains(&name.as_str()))
}

/// Whether folders are named like numbered parts of a dataset: `fold1`, `fold2`; `site_a`, `site_b`.
pub(super) fn are_parts<'a>(names: impl Iterator<Item = &'a OsStr>) -> bool {
    let part = |name: &OsStr| {
        words(name).is_some_and(|words| {
            let (word, rest) = match words.as_slice() {
                [word, rest @ ..] => (word, rest),
                [] => return false,
            };
            let short = |word: &String| word.len() == 1 || is_noise(word);
            PARTS.contains(&word.as_str()) && rest.iter().all(short)
        })
    };
    names.map(part).fold(None, |all: Option<bool>, part| Some(all.unwrap_or(true) && part)).unwrap_or(false)
}

/// Whether two names have the same words: `Train` and `train_images`.
pub(super) fn alike(a: &OsStr, b: &OsStr) -> bool {
    let core = |name: &OsStr| -> Option<Vec<String>> {
        Some(words(name)?.into_iter().filter(|word| !is_noise(word)).collect())
    };
    a.eq_ignore_ascii_case(b) || core(a).is_some_and(|words| !words.is_empty() && core(b) == Some(words))
}

fn is_noise(word: &str) -> bool {
    NOISE.contains(&word) || word.bytes().all(|byte| byte.is_ascii_digit())
}

fn lower(name: &OsStr) -> Option<String> {
    Some(name.to_str()?.trim().to_ascii_lowercase())
}

/// The words of a name in lower case.
fn words(name: &OsStr) -> Option<Vec<String>> {
    Some(pieces(name)?.into_iter().map(|piece| piece.to_lowercase()).collect())
}

/// The words of a name: runs of letters and runs of digits, also divided where a capital letter follows a small one.
fn pieces(name: &OsStr) -> Option<Vec<String>> {
    let mut words: Vec<String> = Vec::new();
    let mut before = ' ';
    for c in name.to_str()?.chars() {
        if c.is_alphanumeric() {
            let same = before.is_alphanumeric()
                && before.is_numeric() == c.is_numeric()
                && !(before.is_lowercase() && c.is_uppercase());
            if !same {
                words.push(String::new());
            }
            if let Some(word) = words.last_mut() {
                word.push(c);
            }
        }
        before = c;
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> Option<Split> {
        split(OsStr::new(name))
    }

    #[test]
    fn splits_in_the_usual_spellings() {
        for name in [
            "train",
            "TRAIN",
            "Training",
            "train2017",
            "training_set",
            "Training Set",
            "seg_train",
            "train_images",
            "images-train",
            "trainset",
            "TrainSet",
            "tr",
            "train_1",
            "trainval",
            "train.v2",
            "01_train",
            "trainData",
        ] {
            assert_eq!(of(name), Some(Split::Train), "{name}");
        }
        for name in ["val", "valid", "Validation", "dev", "eval", "val2017", "seg_val", "dev-set", "valset"] {
            assert_eq!(of(name), Some(Split::Validation), "{name}");
        }
        for name in
            ["test", "testing", "test_set", "seg_test", "test1", "holdout", "hold-out", "held_out", "te"]
        {
            assert_eq!(of(name), Some(Split::Test), "{name}");
        }
    }

    #[test]
    fn other_names_are_no_splits() {
        for name in [
            "trainer",
            "train station",
            "test_tube",
            "cat",
            "images",
            "2017",
            "train_val",
            "my_tr",
            "",
            "evaluator",
            "contest",
            "devil",
            "steam train",
        ] {
            assert_eq!(of(name), None, "{name}");
        }
    }

    #[test]
    fn parts_without_labels_and_numbered_parts() {
        for name in ["unlabeled", "Unlabelled", "no_label", "seg_pred", "extra_images", "un-labeled"] {
            assert!(is_unlabeled(OsStr::new(name)), "{name}");
        }
        assert!(says_no_label(OsStr::new("No Label")) && !says_no_label(OsStr::new("extra")));
        let rest = |name: &str| split_and_rest(OsStr::new(name)).map(|(split, rest)| (split, rest.join(" ")));
        assert_eq!(rest("asl_alphabet_train"), Some((Split::Train, "asl alphabet".to_owned())));
        assert_eq!(rest("trainA"), Some((Split::Train, "A".to_owned())));
        assert_eq!(rest("train_images"), None);
        assert!(!is_unlabeled(OsStr::new("cat")) && !is_unlabeled(OsStr::new("extra terrestrial")));
        let parts = |names: &[&str]| are_parts(names.iter().map(OsStr::new));
        assert!(parts(&["fold1", "fold2"]) && parts(&["site_a", "site_b"]) && !parts(&["cat", "dog"]));
        assert!(
            alike(OsStr::new("seg_pred"), OsStr::new("pred")) && !alike(OsStr::new("cat"), OsStr::new("dog"))
        );
    }
}
