//! Cells of a Parquet file's column. Pages are compressed, so cells are decoded in blocks, of which a few are kept.

use crate::blob::Blob;
use crate::no_picture::no_picture;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
    RowSelection, RowSelector,
};
use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// How large a block should be.
const BLOCK_BYTES: u64 = 4 << 20;
/// How many rows a block has at most.
const BLOCK_ROWS: u64 = 512;
/// How many blocks are kept per file. Threads read neighboring rows at the same time.
const KEPT: usize = 6;
/// How many places in the file are kept open to read on from.
const CURSORS: usize = 4;

/// The cells of one column.
#[derive(Debug)]
pub(crate) struct Cells {
    path: PathBuf,
    column: String,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    opened: Option<Opened>,
    /// The most recently used last.
    blocks: VecDeque<(u64, Arc<Block>)>,
    cursors: VecDeque<Cursor>,
}

/// What the file's footer says.
#[derive(Debug, Clone)]
struct Opened {
    metadata: ArrowReaderMetadata,
    /// The index of the column among the leaves of the schema.
    leaf: usize,
    /// The first row of each group, and after them the number of rows.
    starts: Vec<u64>,
    /// How many rows a block has.
    rows: u64,
}

/// Neighboring rows.
#[derive(Debug)]
struct Block {
    /// Runs of rows by the first of each in the block: the values of the column, with the structures around them taken
    /// off, or what is wrong with them.
    runs: Vec<(usize, Result<ArrayRef, String>)>,
}

impl Block {
    /// The run with a row, and where in it the row is.
    fn run(&self, at: usize) -> Option<(&Result<ArrayRef, String>, usize)> {
        let place = self.runs.partition_point(|(first, _)| *first <= at).checked_sub(1)?;
        let (first, run) = &self.runs[place];
        Some((run, at - first))
    }
}

/// A place in a row group from which reading can go on.
struct Cursor {
    next: u64,
    reader: ParquetRecordBatchReader,
}

impl std::fmt::Debug for Cursor {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Cursor({})", self.next)
    }
}

impl Cells {
    pub(crate) fn new(path: PathBuf, column: String) -> Cells {
        Cells { path, column, state: Mutex::default() }
    }

    /// The bytes of a row's cell.
    pub(crate) fn read(&self, row: u64) -> io::Result<Vec<u8>> {
        let (block, at) = self.block(row)?;
        let (run, at) = block.run(at).ok_or_else(|| invalid("it ends too early"))?;
        let values = run.as_ref().map_err(|why| invalid(why.as_str()))?;
        if values.is_null(at) {
            return Err(no_picture());
        }
        let bytes = match values.data_type() {
            DataType::Binary => values.as_binary::<i32>().value(at),
            DataType::LargeBinary => values.as_binary::<i64>().value(at),
            DataType::BinaryView => values.as_binary_view().value(at),
            other => return Err(invalid(format!("column '{}' holds {other}, not bytes", self.column))),
        };
        Ok(bytes.to_vec())
    }

    /// The block with a row, and where in it the row is.
    fn block(&self, row: u64) -> io::Result<(Arc<Block>, usize)> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let opened = match &state.opened {
            Some(opened) => opened.clone(),
            None => {
                let opened = guarded(|| Opened::new(&self.path, &self.column))?;
                state.opened = Some(opened.clone());
                opened
            }
        };
        let group = opened.starts.partition_point(|&start| start <= row).saturating_sub(1);
        if row >= opened.starts.last().copied().unwrap_or(0) {
            return Err(invalid(format!("it has no row {}", row + 1)));
        }
        let (start, end) = (opened.starts[group], opened.starts[group + 1]);
        let first = start + (row - start) / opened.rows * opened.rows;
        let at = (row - first) as usize;
        if let Some(place) = state.blocks.iter().position(|(held, _)| *held == first)
            && let Some(held) = state.blocks.remove(place)
        {
            state.blocks.push_back(held.clone());
            return Ok((held.1, at));
        }
        let State { cursors, .. } = &mut *state;
        let rows = opened.rows.min(end - first);
        let block = match guarded(|| self.decode(&opened, cursors, group, first, rows)) {
            Ok(values) => Block { runs: vec![(0, Ok(values))] },
            Err(error) => {
                cursors.clear();
                self.salvage(&opened, group, first, rows, error)?
            }
        };
        let block = Arc::new(block);
        state.blocks.push_back((first, block.clone()));
        if state.blocks.len() > KEPT {
            state.blocks.pop_front();
        }
        Ok((block, at))
    }

    /// Decodes `rows` rows from `first` on, all in one group.
    fn decode(
        &self,
        opened: &Opened,
        cursors: &mut VecDeque<Cursor>,
        group: usize,
        first: u64,
        rows: u64,
    ) -> io::Result<ArrayRef> {
        let start = opened.starts[group];
        let place = cursors.iter().position(|cursor| cursor.next == first);
        let mut cursor = match place.and_then(|place| cursors.remove(place)) {
            Some(cursor) => cursor,
            None => {
                let file = Blob::open(&self.path)?;
                let builder =
                    ParquetRecordBatchReaderBuilder::new_with_metadata(file, opened.metadata.clone());
                let schema = builder.parquet_schema();
                let mask = ProjectionMask::leaves(schema, [opened.leaf]);
                let skip = RowSelection::from(vec![
                    RowSelector::skip((first - start) as usize),
                    RowSelector::select((opened.starts[group + 1] - first) as usize),
                ]);
                let reader = builder
                    .with_row_groups(vec![group])
                    .with_projection(mask)
                    .with_row_selection(skip)
                    .with_batch_size(opened.rows as usize)
                    .build()
                    .map_err(invalid)?;
                Cursor { next: first, reader }
            }
        };
        let batch = cursor.reader.next().ok_or_else(|| invalid("it ends too early"))?.map_err(invalid)?;
        if batch.num_rows() as u64 != rows {
            return Err(invalid("it has fewer rows than its index says"));
        }
        cursor.next = first + rows;
        if cursor.next < opened.starts[group + 1] {
            cursors.push_back(cursor);
            if cursors.len() > CURSORS {
                cursors.pop_front();
            }
        }
        let mut values = batch.column(0).clone();
        while let DataType::Struct(_) = values.data_type() {
            let inner = values.as_struct();
            if inner.num_columns() != 1 {
                return Err(invalid(format!("column '{}' is not a single one", self.column)));
            }
            values = inner.column(0).clone();
        }
        Ok(values)
    }

    /// The rows of a block that cannot be decoded as a whole: those that can be decoded by themselves, and what is wrong
    /// with the others.
    ///
    /// # Errors
    /// When the bytes cannot be read: then nothing is known of the file.
    fn salvage(
        &self,
        opened: &Opened,
        group: usize,
        first: u64,
        rows: u64,
        error: io::Error,
    ) -> io::Result<Block> {
        guarded(|| self.try_bytes(opened, group))?;
        let mut runs = Vec::new();
        let mut open = vec![(first, rows, Some(error))];
        while let Some((from, rows, known)) = open.pop() {
            let read = || guarded(|| self.decode(opened, &mut VecDeque::new(), group, from, rows));
            match known.map_or_else(read, Err) {
                Ok(values) => runs.push(((from - first) as usize, Ok(values))),
                Err(error) if rows == 1 => {
                    runs.push(((from - first) as usize, Err(self.damage(opened, group, &error))));
                }
                Err(_) => {
                    let half = rows / 2;
                    open.push((from + half, rows - half, None));
                    open.push((from, half, None));
                }
            }
        }
        Ok(Block { runs })
    }

    /// Reads the bytes of the column in a group, to tell a damaged file from a disk or a network that fails.
    fn try_bytes(&self, opened: &Opened, group: usize) -> io::Result<()> {
        let file = Blob::open(&self.path)?;
        let (start, length) = opened.metadata.metadata().row_group(group).column(opened.leaf).byte_range();
        let end = start.saturating_add(length).min(file.size());
        let mut at = start.min(end);
        while at < end {
            let part = (end - at).min(BLOCK_BYTES);
            file.bytes(at, part)?;
            at += part;
        }
        Ok(())
    }

    /// Where the file is damaged, and what the decoder says of it.
    fn damage(&self, opened: &Opened, group: usize, error: &io::Error) -> String {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let (group, groups) = (group + 1, opened.starts.len() - 1);
        format!("{name}, row group {group} of {groups}, column '{}': {error}", self.column)
    }
}

impl Opened {
    fn new(path: &std::path::Path, column: &str) -> io::Result<Opened> {
        let file = Blob::open(path)?;
        // Arrow's own types would give the column another form, depending on who wrote the file.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let metadata = ArrowReaderMetadata::load(&file, options).map_err(invalid)?;
        let parquet = metadata.metadata();
        let schema = parquet.file_metadata().schema_descr();
        let leaf = (0..schema.num_columns()).find(|&leaf| schema.column(leaf).path().string() == column);
        let leaf = leaf.ok_or_else(|| invalid(format!("it has no column '{column}'")))?;
        let (mut starts, mut bytes, mut rows) = (vec![0], 0_u64, 0_u64);
        for group in parquet.row_groups() {
            rows += u64::try_from(group.num_rows()).map_err(invalid)?;
            bytes += u64::try_from(group.column(leaf).uncompressed_size()).map_err(invalid)?;
            starts.push(rows);
        }
        let mean = (bytes / rows.max(1)).max(1);
        Ok(Opened { metadata, leaf, starts, rows: (BLOCK_BYTES / mean).clamp(1, BLOCK_ROWS) })
    }
}

/// The decoder checks most of a damaged file, and panics on the rest.
fn guarded<T>(read: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err(invalid("it is damaged: its parts are inconsistent")))
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
