//! An overview of the embeddings: their projection onto a map, and the clusters of each class with representative
//! samples. Computed on first use; independent of the number of threads.

mod clusters;
mod drawing;
mod projection;
mod tsne;
mod umap;

pub use clusters::{Cluster, Clusters};
pub use drawing::Neighborhoods;
pub use projection::Projection;

use chaffinch_compute::matrix::EmbeddingMatrix;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::Axes;
use chaffinch_protocol::sample::SampleId;
use drawing::Drawing;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// At most this many of the rows, evenly spaced.
fn spaced(rows: &[u32], most: usize) -> impl Iterator<Item = u32> {
    let count = rows.len().min(most);
    (0..count).map(move |index| rows[index * rows.len() / count])
}

/// One dataset's embeddings with what is derived from them.
#[derive(Debug)]
pub struct Atlas {
    matrix: Arc<EmbeddingMatrix>,
    manifest: Arc<Manifest>,
    file_metadata: Arc<FileMetadata>,
    projection: OnceLock<Projection>,
    tsne: Drawing,
    umap: Drawing,
    /// The folder where maps are kept.
    kept: Option<PathBuf>,
    clusters: Mutex<BTreeMap<u32, Arc<Clusters>>>,
}

impl Atlas {
    /// Creates the atlas of these embeddings; nothing is computed yet.
    pub fn new(
        matrix: Arc<EmbeddingMatrix>,
        manifest: Arc<Manifest>,
        file_metadata: Arc<FileMetadata>,
    ) -> Atlas {
        Atlas {
            matrix,
            manifest,
            file_metadata,
            projection: OnceLock::new(),
            tsne: Drawing::new(tsne::METHOD),
            umap: Drawing::new(umap::METHOD),
            kept: None,
            clusters: Mutex::default(),
        }
    }

    /// The same, whose maps of neighborhoods are kept in a folder.
    #[must_use]
    pub fn kept_in(self, folder: PathBuf) -> Atlas {
        Atlas { kept: Some(folder), ..self }
    }

    /// The embeddings.
    pub fn matrix(&self) -> &Arc<EmbeddingMatrix> {
        &self.matrix
    }

    /// The map.
    pub fn projection(&self) -> &Projection {
        self.projection.get_or_init(|| Projection::new(&self.matrix, &|row| self.usable(row)))
    }

    /// A map of neighborhoods; the first call starts computing it. `None` for the map of components.
    pub fn neighborhoods(&self, axes: Axes) -> Option<Neighborhoods<'_>> {
        self.drawing(axes).map(|drawing| {
            drawing.ask(&self.matrix, self.kept.as_deref(), || {
                let rows: Vec<u32> = (0..self.matrix.rows() as u32).filter(|&row| self.usable(row)).collect();
                let points = self.projection().points();
                spaced(&rows, drawing::MOST).map(|row| (row, points[row as usize])).collect()
            })
        })
    }

    /// The positions on a map, 0 to 1 in both directions, NaN without one; `None` until it is made. Starts nothing.
    pub fn points(&self, axes: Axes) -> Option<&[[f32; 2]]> {
        match self.drawing(axes).map(Drawing::now) {
            None => Some(self.projection().points()),
            Some(Neighborhoods::Made(points)) => Some(points),
            Some(_) => None,
        }
    }

    fn drawing(&self, axes: Axes) -> Option<&Drawing> {
        match axes {
            Axes::Components => None,
            Axes::Neighborhoods => Some(&self.tsne),
            Axes::Umap => Some(&self.umap),
        }
    }

    /// The clusters of a class.
    pub fn clusters(&self, class: u32) -> Arc<Clusters> {
        let lock = || self.clusters.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(&class) {
            return known.clone();
        }
        let labels = self.manifest.labels().iter();
        let members: Vec<u32> = (0_u32..)
            .zip(labels)
            .filter(|(row, label)| **label == class && self.usable(*row))
            .map(|(row, _)| row)
            .collect();
        let clusters = Arc::new(Clusters::new(&self.matrix, &members));
        lock().insert(class, clusters.clone());
        clusters
    }

    /// Whether a sample has an embedding.
    pub(crate) fn usable(&self, row: u32) -> bool {
        (row as usize) < self.matrix.rows() && self.file_metadata.decodable(SampleId(row))
    }
}
