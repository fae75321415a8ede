//! Pictures that are lit where the model sees something in them.

use crate::meaning::{Asking, Reader, Toward};
use crate::{Error, Result};
use chaffinch_compute::image::RgbImage;
use chaffinch_compute::image::decode::Rendering;
use chaffinch_compute::sorting::Unwanted;
use chaffinch_data::uses::LoadedModel;
use chaffinch_review::explanation::Map;
use std::sync::Arc;

/// What lights a picture.
pub(crate) struct Light {
    pub(crate) reader: Arc<Reader>,
    /// The model of the last scan.
    pub(crate) loaded: Option<LoadedModel>,
    /// What is looked for; nothing without a label and a search.
    pub(crate) toward: Option<Toward>,
    pub(crate) rendering: Rendering,
}

impl Light {
    /// Where a picture is lit.
    pub(crate) fn map(&self, picture: &RgbImage, unwanted: Unwanted<'_>) -> Result<Map> {
        let Some(toward) = &self.toward else {
            let why = "the sample has no label, and the list is not searched by meaning";
            return Err(Error::Invalid(why.into()));
        };
        let (loaded, rendering) = (self.loaded.clone(), self.rendering);
        let asking = Asking { loaded, common: None, rendering, slow: &|_| (), cut: &|_| (), unwanted };
        self.reader.explain(asking, picture, toward)
    }
}
