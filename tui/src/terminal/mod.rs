//! The terminal itself: bytes in, bytes out, and giving it back as it was found, whatever happens.
//!
//! Events and commands are crossterm's ([`crossterm::event`], [`crossterm::Command`]). Its reader of events is not used;
//! `docs/terminal-input.md` says why.
//!
//! | in | out | around |
//! |---|---|---|
//! | [`reader`] waits for bytes, on a thread | [`output`] turns cells into bytes | [`tty`] opens the terminal |
//! | [`parser`] turns them into an [`input::Input`] | [`commands`] are those that crossterm lacks | [`restore`] takes it and gives it back |
//! | [`probe`] understands answers | [`placements`] knows which pictures lie where | [`signals`] and [`tmux`] tell what happens to it |
//! | [`traits`] decides from them | [`pacing`] says how much may be on its way | [`wake`] is how all of them tell the loop |
//! | | [`writer`] writes, on a thread | |

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
