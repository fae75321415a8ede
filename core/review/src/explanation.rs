//! Explanations of a picture: where in it the model sees what a text says, and which words of the text carry it.
//!
//! | module | purpose |
//! |---|---|
//! | `map` | what each part of the picture adds to its likeness with a text |
//! | `overlay` | a map over the picture |
//! | `words` | what each word adds |

mod map;
mod overlay;
mod words;

pub use map::{Map, explain};
pub use overlay::overlay;
pub use words::{Word, carried};
