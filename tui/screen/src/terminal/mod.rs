//! The terminal itself: bytes in, bytes out, and restoring its state whatever happens.
//!
//! Events and commands are crossterm's ([`crossterm::event`], [`crossterm::Command`]). Its reader is not used:
//! `docs/terminal-input.md` says why.
//!
//! In: [`reader`] waits for bytes, [`parser`] turns them into [`input`], [`probe`] understands answers, and [`traits`]
//! decides from them what the terminal can do. Out: [`output`] turns cells into bytes, [`placements`] pictures,
//! [`commands`] are those that crossterm lacks, [`pacing`] says how much may be on its way, [`writer`] writes. Around:
//! [`tty`] opens the terminal, [`restore`] takes it and gives it back, [`signals`] and [`tmux`] say what becomes of it,
//! and [`wake`] is how all threads tell the loop.

pub mod commands;
pub mod input;
pub mod output;
pub mod pacing;
pub mod parser;
pub mod placements;
pub mod probe;
pub mod reader;
pub mod restore;
pub mod signals;
pub mod tmux;
pub mod traits;
pub mod tty;
pub mod wake;
pub mod writer;
