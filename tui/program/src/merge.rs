//! `merge`: makes one session of the shards that several machines have scanned.

use super::args::{DatasetArgs, EngineArgs, Global};
use super::place;
use super::scan::{self, OutputArgs, StoreArgs, Wanted};
use anyhow::{Result, bail};
use chaffinch_data::index::ShardRecord;
use chaffinch_data::session::{Session, is_session};
use chaffinch_protocol::display::safe_path;
use clap::Args;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

/// Merge the shards of a dataset that were scanned with `scan --shard`, and run the detectors
#[derive(Debug, Args)]
pub(super) struct Merge {
    /// The sessions of all shards, in any order
    #[arg(required = true, value_name = "SHARD")]
    shards: Vec<PathBuf>,
    /// Where the dataset is from here [default: where it was for the first shard]
    #[arg(long, value_name = "DATASET")]
    dataset: Option<PathBuf>,
    #[command(flatten)]
    engine: EngineArgs,
    #[command(flatten)]
    reading: DatasetArgs,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Merges. What is missing or has changed since is read again; the exit status is that of `scan`.
pub(super) fn run(args: &Merge, global: &Global) -> Result<ExitCode> {
    let shards = in_order(&args.shards)?;
    let [first, ..] = shards.as_slice() else { bail!("no shards are named") };
    let first = Session::open_to_read(first)?;
    let dataset = args.dataset.clone().unwrap_or_else(|| first.dataset());
    let location = place::find(&dataset, global)?;
    if shards.iter().any(|shard| chaffinch_data::session::same(shard, &location.dir)) {
        bail!("--session names a shard; the merged session needs another folder");
    }
    // The dataset is read, and its detectors run, as for the shards.
    if !is_session(&location.dir) {
        let session = Session::open_or_create(&location.dir, &location.dataset)?;
        session.keep_uses("", &first.uses())?;
        if let Some(reading) = first.load_reading()? {
            session.save_reading(&reading)?;
        }
    }
    let wanted = Wanted {
        dataset: &dataset,
        engine: &args.engine,
        reading: &args.reading,
        shards: &shards,
        carry_over: true,
        store: &args.store,
    };
    scan::scan(&wanted, None, &args.output, global)
}

/// The sessions in the order of their shards.
///
/// # Errors
/// When one is not a shard or incomplete, one is missing or named twice, or two are not of the same dataset or model.
fn in_order(folders: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut known: BTreeMap<u32, (&PathBuf, ShardRecord)> = BTreeMap::new();
    for folder in folders {
        let name = safe_path(folder);
        let Some(record) = ShardRecord::load(&Session::shard_in(folder))? else {
            match Session::shard_rows_in(folder).is_file() {
                true => bail!("{name}: the scan of this shard has not ended; run it again to resume"),
                false => {
                    bail!("{name}: not the session of a shard; make one with scan --shard I/N --session DIR")
                }
            }
        };
        if let Some((other, before)) = known.values().next() {
            let other = safe_path(other);
            if before.shard.of() != record.shard.of() {
                bail!("{name} is shard {}, but {other} is shard {}", record.shard, before.shard);
            }
            if before.paths != record.paths {
                bail!(
                    "{name} and {other} were scanned when the dataset had other files ({} and {} samples); scan the \
                     older one again",
                    record.samples,
                    before.samples
                );
            }
            if before.model != record.model {
                bail!("{name} and {other} were embedded with different models; scan one of them again");
            }
        }
        let number = record.shard.number();
        if let Some((other, before)) = known.insert(number, (folder, record)) {
            bail!("{name} and {} are both shard {}", safe_path(other), before.shard);
        }
    }
    let of = known.values().next().map_or(0, |(_, record)| record.shard.of());
    let missing: Vec<String> = (1..=of)
        .filter(|number| !known.contains_key(number))
        .map(|number| format!("{number}/{of}"))
        .collect();
    match missing.as_slice() {
        [] => Ok(known.into_values().map(|(folder, _)| folder.clone()).collect()),
        [one] => bail!("shard {one} is missing; name its session as well"),
        all => bail!("shards {} are missing; name their sessions as well", all.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn shard(folder: &std::path::Path, text: &str, paths: &str) -> PathBuf {
        let dir = folder.join(format!("{}-{paths}", text.replace('/', "of")));
        fs::create_dir_all(&dir).unwrap();
        let record =
            ShardRecord { shard: text.parse().unwrap(), samples: 10, paths: paths.into(), model: None };
        record.save(&Session::shard_in(&dir)).unwrap();
        dir
    }

    #[test]
    fn shards_are_merged_in_their_order_and_only_all_of_them() {
        let temp = tempfile::tempdir().unwrap();
        let shard = |text: &str, paths: &str| shard(temp.path(), text, paths);
        let (one, two, three) = (shard("1/3", "a"), shard("2/3", "a"), shard("3/3", "a"));
        let all = [three.clone(), one.clone(), two.clone()];
        assert_eq!(in_order(&all).unwrap(), [one.clone(), two.clone(), three.clone()]);
        let error = |folders: &[&PathBuf]| {
            let folders: Vec<PathBuf> = folders.iter().map(|folder| (*folder).clone()).collect();
            in_order(&folders).unwrap_err().to_string()
        };
        assert_eq!(error(&[&one, &three]), "shard 2/3 is missing; name its session as well");
        assert_eq!(error(&[&two]), "shards 1/3, 3/3 are missing; name their sessions as well");
        assert!(error(&[&one, &one, &two, &three]).ends_with("are both shard 1/3"));
        assert!(error(&[&one, &two, &shard("3/3", "b")]).contains("when the dataset had other files"));
        assert!(error(&[&one, &shard("2/4", "a")]).contains("is shard 2/4, but"));
        assert!(error(&[&temp.path().to_path_buf()]).contains("not the session of a shard"));
        fs::write(Session::shard_rows_in(temp.path()), "").unwrap();
        assert!(error(&[&temp.path().to_path_buf()]).contains("has not ended"));
    }
}
