//! Which part a terminal takes in a session that may be open in others: decide, watch, or take over. Asks, where that is left
//! open and there is someone to ask.

use super::args::{AttachArgs, reviewer};
use super::ask;
use super::output::remark;
use anyhow::{Result, bail};
use chaffinch_protocol::display::safe_text;
use chaffinch_protocol::{Attached, BlindWish, How, Join};
use std::path::Path;

/// What a terminal wants before it is known who is there.
pub(super) struct Wish<'a> {
    pub(super) args: &'a AttachArgs,
    /// The reviewer's name.
    pub(super) reviewer: String,
    pub(super) blind: Option<BlindWish>,
}

impl Wish<'_> {
    /// The part it takes, with these terminals there; `None` to leave it.
    ///
    /// # Errors
    /// If it cannot have the part that it wants, and no one can be asked for another.
    pub(super) fn settle(self, there: &[Attached]) -> Result<Option<Join>> {
        let join = |reviewer: String, how: How| {
            Some(Join {
                reviewer,
                how,
                terminal: terminal(),
                blind: self.blind.filter(|_| how != How::Watch),
            })
        };
        if let Some(whom) = &self.args.watch {
            return Ok(join(whom.clone(), How::Watch));
        }
        if self.args.take_over {
            return Ok(join(self.reviewer.clone(), How::TakeOver));
        }
        let shown = safe_text(&self.reviewer);
        let Some(other) = there.iter().find(|one| !one.watches && one.reviewer == shown) else {
            return Ok(join(self.reviewer.clone(), How::Review));
        };
        let name = &other.reviewer;
        let place = if other.terminal.is_empty() { String::new() } else { format!(" ({})", other.terminal) };
        let question = format!(
            "{name} is reviewing this session in another terminal{place}. Here you can\n  w  watch: see what {name} decides, \
             without deciding\n  r  review as another reviewer, with a journal of your own\n  t  take over: go on as {name} \
             here; the other terminal ends, and nothing is lost\n  q  leave it as it is\n"
        );
        match ask::choice(&question, &['w', 'r', 't', 'q']) {
            Some('w') => Ok(join(name.clone(), How::Watch)),
            Some('t') => Ok(join(self.reviewer.clone(), How::TakeOver)),
            Some('r') => Ok(another(there).and_then(|name| join(name, How::Review))),
            Some(_) => Ok(None),
            None => bail!(other.in_the_way()),
        }
    }
}

/// Asks for the name of a reviewer who is not there yet; `None` to leave it.
fn another(there: &[Attached]) -> Option<String> {
    loop {
        let name = ask::line("Your name as a reviewer:")?;
        match reviewer(&name) {
            Err(why) => remark(&why),
            Ok(_) if there.iter().any(|one| !one.watches && one.reviewer == safe_text(&name)) => {
                remark(&format!("{} is reviewing this session already", safe_text(&name)));
            }
            Ok(name) => return Some(name),
        }
    }
}

/// The name of this terminal; empty if there is none.
fn terminal() -> String {
    let name = rustix::termios::ttyname(std::io::stdin(), Vec::new());
    name.map_or_else(|_| String::new(), |name| name.to_string_lossy().into_owned())
}

/// Why no one can be watched where no engine is running.
pub(super) fn refuse_to_watch(join: &Join, session: &Path) -> Result<()> {
    if join.how == How::Watch {
        bail!(
            "no one is reviewing {} now, so there is no one to watch",
            chaffinch_protocol::display::safe_path(session)
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(args: &AttachArgs, there: &[(&str, bool)]) -> Result<Option<Join>> {
        let attached = |(reviewer, watches): &(&str, bool)| Attached {
            reviewer: (*reviewer).to_owned(),
            terminal: "/dev/pts/9".into(),
            watches: *watches,
            own: false,
        };
        let there: Vec<Attached> = there.iter().map(attached).collect();
        Wish { args, reviewer: "anna".into(), blind: Some(BlindWish::default()) }.settle(&there)
    }

    #[test]
    fn the_part_follows_from_flags_and_from_who_is_there() {
        let part = |args: &AttachArgs, there: &[(&str, bool)]| {
            let join = settled(args, there).unwrap().unwrap();
            (join.reviewer, join.how, join.blind.is_some())
        };
        let none = AttachArgs::default();
        for there in [&[][..], &[("ben", false)], &[("anna", true)]] {
            assert_eq!(part(&none, there), ("anna".into(), How::Review, true));
        }
        let watch = |whom: &str| AttachArgs { watch: Some(whom.into()), ..AttachArgs::default() };
        assert_eq!(part(&watch("ben"), &[("ben", false)]), ("ben".into(), How::Watch, false));
        let over = AttachArgs { take_over: true, ..AttachArgs::default() };
        assert_eq!(part(&over, &[("anna", false)]), ("anna".into(), How::TakeOver, true));
    }
}
