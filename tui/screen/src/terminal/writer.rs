//! The thread that writes. A frame goes out in one piece; while it is going the loop draws nothing, so a slow link
//! gets fewer frames and never a queue of old ones.

use super::tty::Tty;
use super::wake::Wake;
use crossbeam_channel::{Receiver, Sender, unbounded};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The thread and the way to it. Ends when it is dropped; what the terminal does not take is then left.
pub struct Writer {
    frames: Option<Sender<Vec<u8>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(tty: &Tty, wake: &Sender<Wake>) -> std::io::Result<Writer> {
        let (frames, queue) = unbounded::<Vec<u8>>();
        let stop = Arc::new(AtomicBool::new(false));
        let (tty, wake, stopped) = (tty.clone(), wake.clone(), stop.clone());
        let thread = std::thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || write_all(&tty, &queue, &wake, &stopped))?;
        Ok(Writer { frames: Some(frames), stop, thread: Some(thread) })
    }

    /// Hands bytes over; [`Wake::Written`] tells when they are out.
    pub fn send(&self, bytes: Vec<u8>) {
        if let Some(frames) = &self.frames {
            let _ = frames.send(bytes);
        }
    }
}

fn write_all(tty: &Tty, queue: &Receiver<Vec<u8>>, wake: &Sender<Wake>, stop: &AtomicBool) {
    for frame in queue {
        let mut limit = None;
        // The rest of the last frame gets a moment when the program ends.
        let give_up = || {
            stop.load(Ordering::Relaxed)
                && Instant::now() > *limit.get_or_insert_with(|| Instant::now() + Duration::from_millis(300))
        };
        if !write(tty, &frame, give_up) {
            let _ = wake.send(Wake::Lost);
            return;
        }
        if wake.send(Wake::Written).is_err() {
            return;
        }
    }
}

/// Writes everything, unless canceled while the terminal accepts nothing. Returns whether the terminal is still
/// there.
pub(super) fn write(tty: &Tty, mut bytes: &[u8], mut give_up: impl FnMut() -> bool) -> bool {
    while !bytes.is_empty() {
        match rustix::io::write(tty, bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) => {
                if give_up() {
                    return true;
                }
                let mut fds = [PollFd::new(tty, PollFlags::OUT)];
                let _ = poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 50_000_000 }));
            }
            Err(_) => return false,
        }
    }
    true
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.frames = None;
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
