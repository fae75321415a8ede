//! View commands: some are decisions and pictures, the others go to the view queue.

use super::Service;
use crate::answers::pictures::Request;
use crate::answers::views::ViewQuestion;
use chaffinch_protocol::ViewCommand;

impl Service {
    pub(super) fn view(&mut self, command: ViewCommand) {
        match command {
            ViewCommand::KeepOnly { keep, remove } => {
                let all = [&[keep], remove.as_slice()].concat();
                self.enter(&all, |journal| journal.keep_only(keep, &remove));
            }
            ViewCommand::Part { ticket, slot, sample, middle, width, height, regions } => {
                let manifest = self.state.findings.manifest.clone();
                let (fit, outlines) = ((width, height), self.outlines(sample, regions));
                let part = Some(middle);
                self.pictures.ask(Request { manifest, ticket, slot, sample, fit, part, outlines });
            }
            command => {
                let list = match &command {
                    ViewCommand::Map { list, .. }
                    | ViewCommand::Inside { list, .. }
                    | ViewCommand::Search { list, .. } => self.order(*list),
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
                let (state, decisions) = (self.state.clone(), self.journal.snapshot());
                self.views.ask(ViewQuestion { command, state, decisions, list });
            }
        }
    }
}
