//! The terminal workbench of Chaffinch: it shows what the engine found and sends back what the user decides.
//!
//! The interface is a single Elm-style loop. Keys become [`action::Action`]s through a [`keymap::Keymap`],
//! [`update`] turns actions and the engine's events into a new [`model::Model`] and a list of effects, [`view`]
//! draws the model. Only [`run`] touches the terminal.
//!
//! Its tests alone: `cargo test --release -p chaffinch-screen`.

pub mod action;
pub mod effect;
pub mod fuzzy;
pub mod key;
pub mod key_card;
pub mod keymap;
pub mod looks;
pub mod model;
pub mod pages;
pub mod paint;
pub mod picture;
pub mod plain;
mod run;
mod synonyms;
pub mod terminal;
pub mod text;
pub mod theme;
pub mod update;
pub mod view;

pub use run::{ExitReason, Options, run};

#[cfg(test)]
mod tests;
