//! A detector that writes to every descriptor of its process, that of its protocol among them.
#![allow(unsafe_code, reason = "that is what is wrong with it")]
use chaffinch_plugin::prelude::*;

unsafe extern "C" {
    fn write(descriptor: i32, bytes: *const u8, length: usize) -> isize;
}

struct Bad;

impl Detector for Bad {
    const INFO: Info = Info::new("forges", "Writes where others write");

    fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
        let _ = (view, report);
        let line = b"what is this\n";
        for descriptor in 3..1024 {
            // SAFETY: the bytes are there during the call; whom the descriptor belongs to is what is wrong with it.
            unsafe { write(descriptor, line.as_ptr(), line.len()) };
        }
        loop {
            std::thread::sleep(std::time::Duration::from_secs(3600));
        }
    }
}

export_detector!(Bad);
