//! View commands: some are decisions and pictures, the others go to the view queue.

use super::Service;
use crate::answers::pictures::Request;
use crate::answers::views::ViewQuestion;
use chaffinch_protocol::ViewCommand;

impl Service {
    pub(super) fn view(&mut self, at: u64, command: ViewCommand) {
        match command {
            ViewCommand::KeepOnly { keep, remove } => {
                let all = [&[keep], remove.as_slice()].concat();
                self.enter(at, &all, |journal| journal.keep_only(keep, &remove));
            }
            ViewCommand::Part { ticket, slot, sample, middle, width, height, regions, relevance } => {
                let manifest = self.state.findings.manifest.clone();
                let fit = (width, height);
                let request = Request::new(manifest, (ticket, slot), sample, fit, Some(middle));
                self.picture(at, (regions, relevance), request);
            }
            command => {
                let list = match &command {
                    ViewCommand::Map { list, .. }
                    | ViewCommand::Inside { list, .. }
                    | ViewCommand::Search { list, .. } => self.order(at, *list),
                    _ => None,
                };
                if !matches!(
                    command,
                    ViewCommand::Groups { .. }
                        | ViewCommand::Group { .. }
                        | ViewCommand::GroupBest { .. }
                        | ViewCommand::FindGroup { .. }
                        | ViewCommand::Search { .. }
                ) {
                    self.open_matrix();
                }
                if let (Some(desk), Some(seat)) = (self.desks.get(&at), self.seat(at)) {
                    let (state, decisions) = (seat.state.clone(), seat.journal.snapshot());
                    desk.views.ask(ViewQuestion { command, state, decisions, list });
                }
            }
        }
    }
}
