//! The recipe of StableLabel (ArtificialIntellectuals/StableLabel), followed beside the method of this detector, whose
//! classifiers are linfa's: its texts (`texts`), its training set (`examples`), its small networks (`mlp`) and its support
//! vector classifier (`svc`). linfa has no networks, and linfa-svm no sigmoid kernel, so both are written here as
//! scikit-learn trains them.

mod examples;
mod mlp;
mod svc;
mod texts;

pub(crate) use examples::{Drawn, Sources, draw};
pub(crate) use mlp::{Layer, Mlp, sigmoid};
pub(crate) use svc::Svc;
pub(crate) use texts::{MORE_NOUNS, WORDS, about};
