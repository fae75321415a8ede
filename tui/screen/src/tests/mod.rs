//! Tests of the interface as a whole: keys in, screens and commands out, against an engine that is only pretended.

mod colours;
mod deciding;
mod engine;
mod ladder;
mod listing;
mod macros;
mod overview;
mod panels;
mod rig;
mod screens;
mod views;
mod views_engine;
mod views_screens;
