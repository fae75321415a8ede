//! Tests of the interface as a whole: keys in, screens and commands out, against a fake engine.

mod ahead;
mod attributes;
mod back;
mod colors;
mod deciding;
mod engine;
mod ladder;
mod listing;
mod macros;
mod manage;
mod marks;
mod messages;
mod outputs;
mod outputs_engine;
mod overview;
mod panels;
mod plain;
mod plurals;
mod reading;
mod reviewers;
mod rig;
mod screens;
mod scripts;
mod views;
mod views_engine;
mod views_screens;
