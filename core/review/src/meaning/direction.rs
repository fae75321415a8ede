//! A direction among the embeddings.

use super::expression::wrong;
use super::{Expression, Part, sample};
use crate::atlas::Atlas;
use crate::{Error, Result};
use chaffinch_compute::matrix::EmbeddingMatrix;
use chaffinch_compute::neighbors::cosine;
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::display::safe_path;
use std::path::Path;

/// Of the weights that were added up, this share of their size has to be left for a direction: below, rounding decides.
const LEAST: f64 = 1e-5;

/// Gives vectors to what an expression names beside samples.
pub trait Towers {
    /// The vector of a text.
    ///
    /// # Errors
    /// When the model cannot be loaded, is not that of the session, or has no text tower.
    fn text(&self, text: &str) -> Result<Vec<f32>>;

    /// The vector of a picture in a file.
    ///
    /// # Errors
    /// When the file is not a picture, or the model cannot be loaded or is not that of the session.
    fn picture(&self, path: &Path) -> Result<Vec<f32>>;
}

/// A direction among the embeddings: a vector of unit length.
#[derive(Debug, Clone, PartialEq)]
pub struct Direction(Vec<f32>);

impl Direction {
    /// Adds up the parts of an expression.
    ///
    /// # Errors
    /// When a sample is not found or has no vector, what `towers` say, or if the parts cancel each other out.
    pub fn of(
        expression: &Expression,
        manifest: &Manifest,
        atlas: &Atlas,
        towers: &dyn Towers,
    ) -> Result<Direction> {
        let matrix = atlas.matrix();
        let mut sum = vec![0.0_f64; matrix.cols()];
        let mut size = 0.0;
        for term in expression.terms() {
            let vector = match &term.part {
                Part::Text(text) => towers.text(text)?,
                Part::Picture(path) => towers.picture(Path::new(path))?,
                Part::Sample(path) => {
                    let id = sample::find(manifest, path, term.at)?;
                    let row = matrix.as_slice().chunks_exact(matrix.cols().max(1)).nth(id.index());
                    row.filter(|row| row.iter().any(|x| *x != 0.0)).map(<[f32]>::to_vec).ok_or_else(|| {
                        let path = safe_path(manifest.path(id));
                        wrong(&format!("{path} has no embedding to compare with"), term.at)
                    })?
                }
            };
            if vector.len() != sum.len() {
                let (is, expected) = (vector.len(), sum.len());
                let message = format!("the model gives vectors of {is} numbers instead of {expected}");
                return Err(Error::Invalid(message));
            }
            let length = length(vector.iter().map(|x| f64::from(*x)));
            if length > 0.0 {
                let factor = term.weight / length;
                sum.iter_mut().zip(&vector).for_each(|(sum, x)| *sum += factor * f64::from(*x));
            }
            size += term.weight.abs();
        }
        let length = length(sum.iter().copied());
        if !length.is_finite() || length <= LEAST * size {
            let message = "the parts cancel each other out: nothing is left to search for";
            return Err(Error::Invalid(message.into()));
        }
        Ok(Direction(sum.into_iter().map(|x| (x / length) as f32).collect()))
    }

    /// The vector, of unit length.
    pub fn vector(&self) -> &[f32] {
        &self.0
    }

    /// The cosine of a sample with it, from -1 to 1; `None` if the sample has no vector.
    pub fn similarity(&self, matrix: &EmbeddingMatrix, row: u32) -> Option<f32> {
        if row as usize >= matrix.rows() || matrix.cols() != self.0.len() {
            return None;
        }
        let vector = matrix.row(row as usize);
        let cosine = cosine(&self.0, vector);
        let known = cosine.is_finite() && (cosine != 0.0 || vector.iter().any(|x| *x != 0.0));
        known.then(|| cosine.clamp(-1.0, 1.0))
    }
}

fn length(numbers: impl Iterator<Item = f64>) -> f64 {
    numbers.map(|x| x * x).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meaning::quoted;
    use chaffinch_data::file_metadata::FileMetadata;
    use chaffinch_data::manifest::NewSample;
    use chaffinch_protocol::sample::Split;
    use proptest::prelude::*;
    use std::sync::Arc;

    /// Knows texts of the form `x,y,z`.
    struct Numbers;

    impl Towers for Numbers {
        fn text(&self, text: &str) -> Result<Vec<f32>> {
            let number = |word: &str| word.parse().map_err(|_| Error::Invalid(format!("no vector: {text}")));
            text.split(',').map(number).collect()
        }

        fn picture(&self, path: &Path) -> Result<Vec<f32>> {
            Err(Error::Invalid(format!("no picture: {}", path.display())))
        }
    }

    const PATHS: [&str; 4] = ["cat/1.jpg", "dog/1.jpg", "dog/21.jpg", "odd\u{7}/2.jpg"];

    fn world() -> (Arc<Manifest>, Atlas) {
        let samples = PATHS.map(|path| NewSample { path: path.into(), label: None, split: Split::None });
        let manifest = Arc::new(Manifest::new("/data", samples));
        let vectors = vec![1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.6, 0.8];
        let matrix = Arc::new(EmbeddingMatrix::from_vec(vectors, 3));
        (manifest.clone(), Atlas::new(matrix, manifest, Arc::new(FileMetadata::default())))
    }

    fn direction(text: &str) -> Result<Direction> {
        let (manifest, atlas) = world();
        Direction::of(&Expression::parse(text)?, &manifest, &atlas, &Numbers)
    }

    #[test]
    fn parts_are_added_up_at_unit_length() {
        assert_eq!(direction("3,0,0").unwrap().0, [1.0, 0.0, 0.0]);
        assert_eq!(direction("5,0,0 + 0,0.1,0").unwrap(), direction("1,1,0").unwrap());
        assert_eq!(direction("like:cat/1.jpg - 0.75*0,9,0").unwrap().0, [0.8, -0.6, 0.0]);
        assert_eq!(direction("2*0,0,1 + 0,0,1").unwrap().0, [0.0, 0.0, 1.0]);
    }

    #[test]
    fn samples_are_near_by_their_cosine_and_some_have_none() {
        let (_, atlas) = world();
        let direction = direction("0,1,0").unwrap();
        let all: Vec<_> = (0..5).map(|row| direction.similarity(atlas.matrix(), row)).collect();
        assert_eq!(all, [Some(0.0), Some(1.0), None, Some(0.6), None]);
    }

    #[test]
    fn samples_are_named_by_their_path_or_its_end() {
        for named in ["cat/1.jpg", "./cat/1.jpg", "/data/cat/1.jpg"] {
            assert_eq!(direction(&format!("like:{named}")).unwrap().0, [1.0, 0.0, 0.0], "{named}");
        }
        assert_eq!(direction("like:2.jpg").unwrap().0, [0.0, 0.6, 0.8]);
        let shown = safe_path(Path::new(PATHS[3]));
        assert_eq!(direction(&format!("like:{}", quoted(&shown))).unwrap().0, [0.0, 0.6, 0.8]);
    }

    #[test]
    fn what_has_no_direction_is_an_error() {
        let error = |text: &str| direction(text).unwrap_err().to_string();
        assert_eq!(error("like:3.jpg"), "no sample has the path '3.jpg'");
        let several =
            "'1.jpg' may be any of 2 samples, such as cat/1.jpg and dog/1.jpg; give more of the path";
        assert_eq!(error("like:1.jpg"), several);
        assert_eq!(error("like:21.jpg"), "dog/21.jpg has no embedding to compare with");
        let nothing = "the parts cancel each other out: nothing is left to search for";
        for text in ["1,2,0 - 2,4,0", "0*1,0,0", "0,0,0"] {
            assert_eq!(error(text), nothing, "{text}");
        }
        assert_eq!(error("1,2"), "the model gives vectors of 2 numbers instead of 3");
    }

    proptest! {
        #[test]
        fn the_order_of_parts_does_not_matter(
            parts in prop::collection::vec((-40_i32..40, -9_i32..9, -9_i32..9, 1_i32..9), 1..6),
            turn in 0_usize..6,
        ) {
            let written = |parts: &[(i32, i32, i32, i32)]| -> String {
                let one = |(weight, x, y, z): &(i32, i32, i32, i32)| {
                    let sign = if *weight < 0 { '-' } else { '+' };
                    format!("{sign} {}*\"{x},{y},{z}\"", f64::from(weight.abs()) / 7.0)
                };
                parts.iter().map(one).collect::<Vec<_>>().join(" ")
            };
            let mut other = parts.clone();
            let by = turn % other.len();
            other.rotate_left(by);
            if turn % 2 == 1 {
                other.reverse();
            }
            let bytes = |direction: Result<Direction>| direction.ok().map(|it| it.0.into_iter().map(f32::to_bits).collect::<Vec<_>>());
            prop_assert_eq!(bytes(direction(&written(&parts))), bytes(direction(&written(&other))));
        }
    }
}
