//! Fetches a complete list from the engine, window by window.

use anyhow::{Context, Result, bail};
use chaffinch_engine::Client;
use chaffinch_protocol::{Command, Event, Query, Row};

/// Number of rows per request.
const WINDOW: u32 = 4096;

/// All rows of a query.
///
/// # Errors
/// If the engine refuses the query or exits.
pub(super) fn fetch(client: &Client, query: Query) -> Result<Vec<Row>> {
    let ticket = 1;
    ask(client, Command::List { ticket, query })?;
    let mut all = Vec::new();
    loop {
        match client.events.recv().context("the engine exited before it answered")? {
            Event::Listed { total: 0, .. } => return Ok(all),
            Event::Listed { .. } => ask(client, Command::Rows { ticket, start: 0, len: WINDOW })?,
            Event::Rows { rows, .. } => {
                let last = rows.len() < WINDOW as usize;
                all.extend(rows);
                if last {
                    return Ok(all);
                }
                ask(client, Command::Rows { ticket, start: all.len() as u64, len: WINDOW })?;
            }
            Event::Refused { message } | Event::NotListed { message, .. } => bail!(message),
            _ => {}
        }
    }
}

fn ask(client: &Client, command: Command) -> Result<()> {
    client.commands.send(command).ok().context("the engine exited")
}
