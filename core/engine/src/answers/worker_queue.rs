//! A thread that answers questions, so that the loop of commands never waits for one.

use crossbeam_channel::{Receiver, Sender, unbounded};
use std::thread::JoinHandle;

/// Where questions of one kind are asked. What becomes of several that wait is the thread's own matter.
pub(crate) struct WorkerQueue<Question> {
    questions: Option<Sender<Question>>,
    thread: Option<JoinHandle<()>>,
}

impl<Question: Send + 'static> WorkerQueue<Question> {
    /// Starts the thread; `serve` ends when no more questions can come.
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

    /// Waits until what was asked is answered.
    pub(crate) fn stop(mut self) {
        drop(self.questions.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
