//! The terminal's file: opening it, and its size.

use anyhow::{Context, Result, bail};
use ratatui::layout::Size;
use rustix::fs::{Mode, OFlags};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

/// The terminal, open for reading and writing.
#[derive(Clone, Debug)]
pub struct Tty {
    fd: Arc<OwnedFd>,
    /// Whether the file description is ours alone, so that it may be set not to block.
    own: bool,
}

impl Tty {
    /// Opens the terminal that controls this process, or takes standard input where there is none.
    ///
    /// # Errors
    /// If there is no terminal.
    pub fn open() -> Result<Tty> {
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        if let Ok(fd) = rustix::fs::open("/dev/tty", flags, Mode::empty()) {
            return Ok(Tty { fd: Arc::new(fd), own: true });
        }
        let stdin = rustix::stdio::stdin();
        if !rustix::termios::isatty(stdin) {
            bail!("not a terminal: in scripts use `chaffinch rank` or `chaffinch scan`");
        }
        // Not set to non-blocking: the shell that started us shares this file description.
        let fd = rustix::io::fcntl_dupfd_cloexec(stdin, 3).context("cannot open the terminal")?;
        Ok(Tty { fd: Arc::new(fd), own: false })
    }

    /// Its size in cells; 80 by 24 if unknown.
    pub fn size(&self) -> Size {
        match rustix::termios::tcgetwinsize(&*self.fd) {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => Size::new(size.ws_col, size.ws_row),
            _ => Size::new(80, 24),
        }
    }

    /// Its size in cells and in pixels, as the system has them; 0 where it has not.
    pub fn window(&self) -> ((u16, u16), (u16, u16)) {
        let size = rustix::termios::tcgetwinsize(&*self.fd);
        size.map(|size| ((size.ws_col, size.ws_row), (size.ws_xpixel, size.ws_ypixel))).unwrap_or_default()
    }

    /// Whether writing can say that it would block.
    pub fn own(&self) -> bool {
        self.own
    }
}

impl AsFd for Tty {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
