//! A thread that answers requests, so that the command loop never waits for one.

use crossbeam_channel::{Receiver, Sender, unbounded};
use std::thread::JoinHandle;

/// The queue for requests of one kind. How to handle several that are waiting is up to the thread.
pub(crate) struct WorkerQueue<Question> {
    questions: Option<Sender<Question>>,
    thread: Option<JoinHandle<()>>,
}

impl<Question: Send + 'static> WorkerQueue<Question> {
    /// Starts the thread; `serve` ends when no more requests can arrive.
    pub(crate) fn start(serve: impl FnOnce(&Receiver<Question>) + Send + 'static) -> WorkerQueue<Question> {
        let (questions, inbox) = unbounded();
        let thread = std::thread::spawn(move || serve(&inbox));
        WorkerQueue { questions: Some(questions), thread: Some(thread) }
    }

    pub(crate) fn ask(&self, question: Question) {
        if let Some(questions) = &self.questions {
            let _ = questions.send(question);
        }
    }

    /// Waits until all requests are answered.
    pub(crate) fn stop(mut self) {
        drop(self.questions.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
