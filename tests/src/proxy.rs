//! A server between the program and another one, which counts requests, delays answers, and may give its own.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// An answer in the place of the server's: the status line and the body, for a request line; `None` to ask the server.
pub type Answer = fn(&str) -> Option<(&'static str, &'static str)>;

/// A running proxy. Its threads end with the tests.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// Starts one before the server on a port of this machine.
    pub fn start(server: u16, delay: Duration, answer: Answer) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let requests = seen.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let requests = requests.clone();
                // A client that went away is no matter.
                thread::spawn(move || pass(client, server, delay, answer, &requests).is_ok());
            }
        });
        Proxy { port, seen }
    }

    /// Its address.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The lines of all requests so far whose address has a word in it.
    pub fn seen(&self, word: &str) -> Vec<String> {
        self.seen.lock().unwrap().iter().filter(|line| line.contains(word)).cloned().collect()
    }
}

fn pass(
    mut client: TcpStream,
    server: u16,
    delay: Duration,
    answer: Answer,
    seen: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    let line = text.lines().next().unwrap_or_default().to_owned();
    thread::sleep(delay);
    if let Some((status, body)) = answer(&line) {
        // Before the answer, after which the program may have ended.
        seen.lock().unwrap().push(line);
        let length = body.len();
        write!(client, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")?;
    } else {
        let mut upstream = TcpStream::connect(("127.0.0.1", server))?;
        upstream.write_all(text.replacen("\r\n", "\r\nConnection: close\r\n", 1).as_bytes())?;
        std::io::copy(&mut upstream, &mut client)?;
        seen.lock().unwrap().push(line);
    }
    Ok(())
}
