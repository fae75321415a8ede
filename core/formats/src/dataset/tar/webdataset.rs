//! Shards of WebDataset: the members of a sample share their name up to its first dot.

use super::members::{Found, Listed};
use super::said::{Labels, Said, Settle, Take};
use super::{classes_of_shards, keys};
use crate::dataset::alike::{self, Looks};
use crate::dataset::companions::one_to_one;
use crate::dataset::declared::Declared;
use crate::dataset::packed::{Member, PackedRows, Place};
use crate::dataset::typed::Typed;
use crate::dataset::{DatasetOptions, Opened, choice, folders, is_image, shards};
use crate::tally::Tally;
use crate::{Error, Result};
use chaffinch_data::class_numbers::ClassNumbers;
use chaffinch_data::packing::{Container, Holds, below};
use chaffinch_protocol::display::{counted, excerpt, safe_path};
use chaffinch_protocol::{Ledger, RemarkKind};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

/// Members of text that may be classes.
const TEXTS: [&str; 2] = ["txt", "text"];
/// How long a member may be that says something of its sample.
const LONGEST: u64 = 1 << 20;

/// The members of a sample in a shard.
#[derive(Default)]
struct Sample {
    picture: Option<usize>,
    /// Whether the picture's name has nothing but its extension after the key.
    plain: bool,
    said: Vec<(String, usize)>,
    /// Members that may say its class once more.
    again: Vec<(String, usize)>,
    /// Its other pictures.
    spare: Vec<usize>,
    others: u64,
}

/// Where the labels are, and what else is known of the dataset.
pub(super) struct Whole<'a> {
    pub(super) root: PathBuf,
    pub(super) dataset: &'a Path,
    pub(super) options: &'a DatasetOptions,
    /// The names of classes by their numbers.
    pub(super) names: &'a [String],
    /// What a README says of the shards.
    pub(super) declared: Declared,
}

/// What a member of a shard says.
///
/// # Errors
/// When it cannot be read.
fn contents<'f>(found: &'f Found, container: &Container, shard: &Path) -> Result<Cow<'f, [u8]>> {
    if let Some(bytes) = &found.says {
        return Ok(bytes.into());
    }
    let read = container.read(found.start, found.length.min(LONGEST));
    read.map(Cow::Owned).map_err(Error::io("read", shard.join(&found.name)))
}

/// Reads the samples of all shards.
///
/// # Errors
/// When a member cannot be read.
pub(super) fn read(listed: &[Listed], whole: &Whole<'_>, mut ledger: Ledger) -> Result<Opened> {
    let Whole { root, dataset, options, names, declared } = whole;
    let mut rows = PackedRows::default();
    rows.keyed_by_container = true;
    let mut columns: Vec<String> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let (mut splits, mut contradicted) = (Vec::new(), shards::Contradicted::default());
    let mut labels: Vec<Labels> = Vec::new();
    // The samples of each shard, up to the number, and its columns.
    let mut looks: Vec<(usize, Looks)> = Vec::new();
    let (mut lonely, mut used, mut others) = (0, 0, 0);
    let (mut broken, mut unread, mut spare) = (Tally::default(), Tally::default(), Tally::default());
    let mut typed = Typed::default();
    for shard in listed {
        let full = below(root, &shard.path);
        let container = Container::new(&full, Holds::Ranges);
        let shard_split = declared.split_in(dataset, &shard.path);
        let mut is_named = false;
        rows.container(&shard.path, Holds::Ranges);
        let mut own_columns = BTreeSet::new();
        for sample in samples(shard) {
            let Some(picture) = sample.picture else {
                lonely += (sample.said.len() + sample.again.len()) as u64 + sample.others;
                continue;
            };
            others += sample.others;
            if let Some(&first) = sample.spare.first() {
                spare.add_many(sample.spare.len() as u64, || {
                    let names = [first, picture].map(|index| safe_path(&shard.members[index].name));
                    (names, safe_path(Path::new(full.file_name().unwrap_or_default())))
                });
            }
            used += sample.said.len() as u64;
            let mut said = Said::default();
            for (what, index) in &sample.again {
                let found = &shard.members[*index];
                if found.length <= LONGEST
                    && said.hear_again(what, &contents(found, &container, &full)?, &mut typed)
                {
                    used += 1;
                } else {
                    unread.add(|| found.name.clone());
                }
            }
            for (what, index) in &sample.said {
                let found = &shard.members[*index];
                if !said.hear(what, &contents(found, &container, &full)?, &mut typed) {
                    broken.add(|| found.name.clone());
                }
            }
            let found = &shard.members[picture];
            let mut other = vec![String::new(); columns.len()];
            for (name, value) in said.other {
                own_columns.insert(name.clone());
                let place = *places.entry(name.clone()).or_insert_with(|| {
                    columns.push(name);
                    columns.len() - 1
                });
                other.resize(columns.len().max(other.len()), String::new());
                other[place] = value;
            }
            labels.push(said.labels);
            match &said.split {
                Some(split) => contradicted.hear(split, &shard_split),
                None => is_named = true,
            }
            rows.push(Member {
                name: found.name.clone(),
                label: None,
                split: said.split.unwrap_or_else(|| shard_split.clone()),
                other,
                place: Place::Inside { start: found.start, length: found.length },
            });
        }
        let path = alike::path_of(dataset, &shard.path);
        let end = rows.members().len();
        looks.push((end, Looks { path, columns: own_columns, ..Looks::default() }));
        splits.push(if is_named { shard_split } else { String::new() });
    }
    let width = columns.len();
    rows.members_mut().iter_mut().for_each(|member| member.other.resize(width, String::new()));
    let text = counted(used, "member gives", "members give");
    ledger.leave_out(RemarkKind::OtherFiles, used, format!("{text} labels and other columns"));
    if let Some((spare, ([left, taken], shard))) = spare.told() {
        let pictures = counted(
            spare,
            "picture is not the only one of its sample and was left out",
            "pictures are not the only ones of their samples and were left out",
        );
        let text = format!(
            "{pictures}, since a sample has one: {left} beside {taken} in {shard}; give each picture a key of its own"
        );
        ledger.leave_out(RemarkKind::OtherFiles, spare, text);
    }
    let text = counted(others, "other member of a sample", "other members of samples");
    ledger.leave_out(RemarkKind::OtherFiles, others, text);
    if let Some((unread, first)) = unread.told() {
        let members = counted(unread, "member is", "members are");
        let text = format!(
            "{members} called like labels, but no text, and stay as they are where samples are relabeled: {}",
            safe_path(first)
        );
        ledger.leave_out(RemarkKind::LayoutDoubtful, unread, text);
    }
    let text = counted(lonely, "member belongs to a sample", "members belong to samples");
    ledger.leave_out(RemarkKind::OtherFiles, lonely, format!("{text} without a picture"));
    if let Some((broken, first)) = broken.told() {
        let members = counted(broken, "member is", "members are");
        let text = format!("{members} no text or no JSON, and said nothing: {}", safe_path(first));
        ledger.add(RemarkKind::FilesUnreadable, broken, text);
    }
    let asked = options.label_column.as_deref();
    let take = Take::of(asked, labels.iter());
    let left = left_columns(&labels, take, &mut typed);
    match (take, asked) {
        (None, Some(name)) => {
            let column = choice::asked(&columns, name).first().copied().ok_or_else(|| {
                let message =
                    format!("no json or txt member has '{}'; {}", excerpt(name), choice::among(&columns));
                Error::Dataset { path: dataset.to_path_buf(), message }
            })?;
            for member in rows.members_mut() {
                member.label =
                    Some(std::mem::take(&mut member.other[column])).filter(|label| !label.is_empty());
                member.other.remove(column);
            }
            columns.remove(column);
        }
        (take, _) => {
            let none_said = !labels.iter().any(Labels::are_said);
            let mut of_lists = Tally::default();
            for (member, labels) in rows.members().iter().zip(&labels) {
                if let Some(key) = labels.unread() {
                    of_lists.add(|| (member.name.clone(), key.to_owned()));
                }
            }
            if let Some((count, (first, key))) = of_lists.told() {
                let text = format!(
                    "{} no label, as '{}' in the json is no text and no number: {}; --label-column chooses another",
                    counted(count, "sample has", "samples have"),
                    excerpt(key),
                    safe_path(first)
                );
                ledger.add(RemarkKind::LabelsMissing, count, text);
            }
            let mut settle = Settle::new(take.unwrap_or(Take::Usual), names);
            let mut unsaid = Vec::new();
            for (member, labels) in rows.members_mut().iter_mut().zip(labels) {
                unsaid.push(!labels.are_said());
                member.label = settle.label(&member.name, labels);
            }
            settle.tell(&mut ledger);
            match none_said {
                true => {
                    without_members(listed, &mut rows, whole, &mut ledger);
                    texts(&rows, &columns, &mut ledger);
                }
                false => {
                    in_class_folders(&mut rows, &unsaid, &mut ledger);
                    tell_other_folders(&rows, &mut ledger);
                }
            }
            if asked.is_none() {
                numbers(&rows, &columns, &mut ledger);
            }
        }
    }
    for (name, values) in left {
        // What has its name says another thing.
        if !columns.contains(&name) {
            columns.push(name);
            rows.members_mut().iter_mut().zip(values).for_each(|(member, value)| member.other.push(value));
        }
    }
    let mut start = 0;
    let looks = looks.into_iter().map(|(end, looks)| {
        let members = &rows.members()[start..end];
        start = end;
        let labels = || members.iter().filter_map(|member| member.label.as_deref());
        let label = labels().next().map(|_| asked.unwrap_or("cls").to_owned());
        Looks { rows: members.len() as u64, label, classes: alike::classes_of(labels()), ..looks }
    });
    let looks: Vec<Looks> = looks.filter(|looks| looks.rows > 0).collect();
    let bare = rows.members().iter().filter(|member| member.label.is_none()).count() as u64;
    // Folders and shards say their own.
    let told = alike::without_labels(&looks) + ledger.count(RemarkKind::LabelsMissing);
    let bare = bare.saturating_sub(told);
    let text =
        format!("{} no cls member and no label in their json", counted(bare, "sample has", "samples have"));
    ledger.add(RemarkKind::LabelsMissing, bare, text);
    alike::tell(&looks, &mut ledger);
    let files = listed.iter().map(|shard| shard.path.as_path()).zip(splits.iter().map(String::as_str));
    declared.tell(&files.collect::<Vec<_>>(), &mut ledger);
    contradicted.tell(&mut ledger);
    let mut opened = rows.finish(columns, root.clone(), dataset, ledger)?;
    let numbers = ClassNumbers::of_list(*names);
    opened.manifest = opened.manifest.with_typed(typed.names()).with_class_numbers(numbers);
    Ok(opened)
}

/// What says the labels beside the column that was asked for, as columns, which are kept.
fn left_columns(labels: &[Labels], take: Option<Take>, typed: &mut Typed) -> Vec<(String, Vec<String>)> {
    let mut columns: Vec<(String, Vec<String>)> = Vec::new();
    for (row, own) in labels.iter().enumerate() {
        for (name, text, value) in own.left(take) {
            let at = columns.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
                columns.push((name.to_owned(), vec![String::new(); labels.len()]));
                columns.len() - 1
            });
            columns[at].1[row] = text.to_owned();
            match value {
                Some(value) => typed.see(name, Some(value)),
                None => typed.mark(name, false),
            }
        }
    }
    columns
}

/// Labels of samples whose members say none: those of their folders, as on a disk, or of the shards.
fn without_members(listed: &[Listed], rows: &mut PackedRows, whole: &Whole<'_>, ledger: &mut Ledger) {
    let names: Vec<PathBuf> = rows.members().iter().map(|member| member.name.clone()).collect();
    let mut said = Ledger::default();
    let placed = folders::placed(names, whole.options, &mut said);
    for member in rows.members_mut() {
        let (label, split) = placed.get(&member.name).cloned().unwrap_or_default();
        member.label = label;
        if member.split.is_empty() {
            member.split = split;
        }
    }
    if rows.members().iter().any(|member| member.label.is_some()) {
        said.remarks.into_iter().for_each(|remark| ledger.add(remark.kind, remark.count, remark.text));
        ledger.doubt = ledger.doubt.take().or(said.doubt);
        return;
    }
    let paths: Vec<&Path> = listed.iter().map(|one| one.path.as_path()).collect();
    classes_of_shards::take(&paths, rows, whole.options, ledger);
}

/// The longest text that may be the name of a class, in bytes.
const LONGEST_NAME: usize = 60;

/// Says that members of text seem to be the classes of samples whose labels are from elsewhere, or that have none.
fn texts(rows: &PackedRows, columns: &[String], ledger: &mut Ledger) {
    let members = rows.members();
    // Captions are longer, and each is another one.
    let is_name = |text: &str| !text.trim().is_empty() && text.len() <= LONGEST_NAME && !text.contains('\n');
    let classes = |column: &usize| {
        let texts = || members.iter().map(|member| member.other[*column].as_str());
        let different: BTreeSet<&str> = texts().collect();
        texts().all(is_name) && different.len() > 1 && different.len() * 2 <= members.len()
    };
    let is_text = |column: &usize| TEXTS.contains(&columns[*column].as_str());
    let Some(column) = (0..columns.len()).filter(is_text).find(classes) else { return };
    let labels = members.iter().map(|member| member.label.as_deref());
    let pairs = labels.zip(members.iter().map(|member| member.other[column].as_str()));
    // What says the same in other words leaves nothing to be chosen.
    if one_to_one(pairs.filter_map(|(label, text)| Some((label?, text)))).is_some_and(|of| of.len() > 1) {
        return;
    }
    let column = &columns[column];
    let text =
        format!("the {column} members seem to be classes; --label-column {column} takes them as labels");
    ledger.add(RemarkKind::LayoutDoubtful, members.len() as u64, text);
}

/// The folder that a sample is in, if it is one of these classes.
fn class_folder<'m>(member: &'m Member, classes: &BTreeSet<String>) -> Option<&'m str> {
    let folder = member.name.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    folder.filter(|folder| classes.contains(*folder))
}

/// Says how many samples have another label than the class that is their folder.
fn tell_other_folders(rows: &PackedRows, ledger: &mut Ledger) {
    let known: BTreeSet<String> = rows.members().iter().filter_map(|member| member.label.clone()).collect();
    let mut other = Tally::default();
    for member in rows.members() {
        if let (Some(label), Some(folder)) = (&member.label, class_folder(member, &known))
            && label != folder
        {
            other.add(|| (member.name.clone(), label.clone()));
        }
    }
    if let Some((count, (name, label))) = other.told() {
        let labels = counted(count, "label differs", "labels differ");
        let text = format!(
            "{labels} from the class folders, and what the members of the samples say was taken: {} ('{}')",
            safe_path(name),
            excerpt(label)
        );
        ledger.add(RemarkKind::LabelsSeveral, count, text);
    }
}

/// Gives samples without a label the class that is their folder, if samples beside them have it.
fn in_class_folders(rows: &mut PackedRows, unsaid: &[bool], ledger: &mut Ledger) {
    let known: BTreeSet<String> = rows.members().iter().filter_map(|member| member.label.clone()).collect();
    let (mut count, mut first) = (0, None);
    for (member, _) in rows.members_mut().iter_mut().zip(unsaid).filter(|(_, unsaid)| **unsaid) {
        if let Some(class) = class_folder(member, &known).map(str::to_owned) {
            member.label = Some(class);
            count += 1;
            first.get_or_insert_with(|| member.name.clone());
        }
    }
    let samples = counted(count, "sample has no cls member and was", "samples have no cls member and were");
    let text = format!(
        "{samples} given the class of that name that is the folder: {}",
        safe_path(&first.unwrap_or_default())
    );
    ledger.add(RemarkKind::LayoutGuessed, count, text);
}

/// Says which column seems to have the names of classes that are only numbers.
fn numbers(rows: &PackedRows, columns: &[String], ledger: &mut Ledger) {
    let members = rows.members();
    let number = |text: &str| text.parse::<i64>().is_ok();
    if !members.iter().any(|member| member.label.is_some())
        || !members.iter().filter_map(|member| member.label.as_deref()).all(number)
    {
        return;
    }
    // One name for each number, and one number for each name.
    let names = |column: &usize| {
        let pairs = || {
            let labeled = members.iter().filter_map(|member| Some((member.label.as_deref()?, member)));
            labeled.map(|(label, member)| (label, member.other[*column].as_str()))
        };
        pairs().all(|(_, name)| !name.is_empty() && !number(name))
            && one_to_one(pairs()).is_some_and(|of| of.len() > 1)
    };
    if let Some(column) = (0..columns.len()).find(names) {
        let column = excerpt(&columns[column]);
        let text = format!(
            "the classes are numbers, for which '{column}' seems to have the names; --label-column '{column}' takes them"
        );
        ledger.add(RemarkKind::LayoutDoubtful, 1, text);
    }
}

/// The samples of a shard in the order of their first members.
fn samples(shard: &Listed) -> Vec<Sample> {
    let mut samples: Vec<Sample> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let parts = keys::parts(shard.members.iter().map(|member| member.name.as_path()));
    for (index, (member, part)) in shard.members.iter().zip(parts).enumerate() {
        let (says, again, plain) = (part.says(), part.says_again(), !part.what.contains('.'));
        let place = *places.entry(part.key).or_insert_with(|| {
            samples.push(Sample::default());
            samples.len() - 1
        });
        let sample = &mut samples[place];
        // `seg.png` beside `jpg` is another picture of the same sample.
        if is_image(&member.name) && (sample.picture.is_none() || plain && !sample.plain) {
            sample.spare.extend(sample.picture.replace(index));
            sample.plain = plain;
        } else if is_image(&member.name) {
            sample.spare.push(index);
        } else if says {
            sample.said.push((part.what, index));
        } else if again {
            sample.again.push((part.what, index));
        } else {
            sample.others += 1;
        }
    }
    samples
}
