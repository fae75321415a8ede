//! Tests of the interface as a whole: keys in, screens and commands out, against a fake engine.

mod colours;
mod deciding;
mod engine;
mod ladder;
mod listing;
mod macros;
mod overview;
mod panels;
mod plurals;
mod reading;
mod rig;
mod screens;
mod views;
mod views_engine;
mod views_screens;
