//! Tests of the interface as a whole: keys in, screens and commands out, against an engine that is only pretended.

mod deciding;
mod engine;
mod ladder;
mod listing;
mod rig;
mod screens;
mod views;
mod views_engine;
mod views_screens;
