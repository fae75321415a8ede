//! The chunk under construction, so that what the model did for it survives the end of the program.

use super::EmbeddingStore;
use crate::Result;
use crate::frames::Frames;
use chaffinch_compute::content::ContentHash;

/// The format of the entries: a content hash, whether there is a vector, the vector.
const KIND: [u8; 8] = *b"chfvecs1";
const FILE: &str = "chunk.unfinished";
const HEAD: usize = 36;

/// A row of a chunk: a content, whether it has a vector, and the vector.
pub(super) type Row = (ContentHash, bool, Vec<f32>);

/// The file of the chunk under construction.
pub(crate) struct Tail(Frames);

impl Tail {
    /// Opens it for a store, with the rows that an interrupted run left in it.
    pub(super) fn open(store: &EmbeddingStore) -> Result<(Tail, Vec<Row>)> {
        let mut identity = blake3::Hasher::new();
        identity.update(store.fingerprint().as_str().as_bytes());
        identity.update(&(store.dim() as u64).to_le_bytes());
        let path = store.tail.join(FILE);
        let (frames, earlier) = Frames::open(&path, KIND, identity.finalize().as_bytes())?;
        let mut rows = Vec::new();
        if let Some((map, complete)) = earlier {
            for frame in complete {
                rows.extend(map[frame].chunks_exact(HEAD + 4 * store.dim()).map(row));
            }
        }
        Ok((Tail(frames), rows))
    }

    /// Appends a row; it reaches the disk with [`Tail::flush`].
    pub(super) fn push(&mut self, hash: &ContentHash, usable: bool, vector: &[f32]) {
        self.0.add(&[&hash.0, &u32::from(usable).to_le_bytes(), bytemuck::cast_slice(vector)]);
    }

    /// Whether rows should reach the disk now.
    pub(super) fn is_due(&self) -> bool {
        self.0.is_due()
    }

    pub(super) fn flush(&mut self) -> Result<()> {
        self.0.flush()
    }

    /// Forgets all rows, which are in the store now.
    pub(super) fn clear(&mut self) -> Result<()> {
        self.0.clear()
    }
}

fn row(bytes: &[u8]) -> Row {
    let (head, vector) = bytes.split_at(HEAD);
    let hash = ContentHash(std::array::from_fn(|byte| head[byte]));
    (hash, head[32..] != [0; 4], bytemuck::pod_collect_to_vec(vector))
}
