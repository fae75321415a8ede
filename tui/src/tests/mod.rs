//! Tests of the interface as a whole: keys in, screens and commands out, against an engine that is only pretended.

mod deciding;
mod engine;
mod listing;
mod rig;
mod screens;
