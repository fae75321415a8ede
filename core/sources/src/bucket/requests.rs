//! Asking a server: for how long, how often, and what its refusals mean.

use super::{Bucket, GONE};
use crate::outages;
use std::env;
use std::io;
use std::thread;
use std::time::Duration;
use ureq::Agent;
use ureq::http::Response;

/// How often a request is tried; the variable of the provider's tools changes it.
const TRIES: u32 = 4;
const TRIES_VARIABLE: &str = "AWS_MAX_ATTEMPTS";
const MOST_TRIES: u32 = 20;
/// The pause before the second try; it doubles with each, up to the longest.
const BACKOFF: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(10);

/// For how long a server is waited for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// It must accept a connection and begin to answer within this time.
    answer: Duration,
    /// The longest pause while it sends.
    pause: Duration,
    /// An answer must be complete within this time ...
    whole: Duration,
    /// ... and one second more for each of so many bytes.
    slowest: u64,
    tries: u32,
}

impl Patience {
    /// What is usual on the Internet.
    pub(super) fn usual() -> Patience {
        let set = env::var(TRIES_VARIABLE).ok().and_then(|text| text.trim().parse::<u32>().ok());
        Patience {
            answer: Duration::from_secs(20),
            pause: Duration::from_secs(30),
            whole: Duration::from_secs(60),
            slowest: 1 << 15,
            tries: set.map_or(TRIES, |tries| tries.clamp(1, MOST_TRIES)),
        }
    }

    pub(super) fn agent(&self) -> Agent {
        Agent::config_builder()
            .http_status_as_error(false)
            // A bucket in another region answers so, and a signature is for one server.
            .max_redirects(0)
            .timeout_resolve(Some(self.answer))
            .timeout_connect(Some(self.answer))
            .timeout_send_request(Some(self.answer))
            .timeout_recv_response(Some(self.answer))
            .timeout_per_read(Some(self.pause))
            .user_agent(concat!("chaffinch/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent()
    }

    /// For how long a request for so many bytes may take.
    fn deadline(&self, bytes: u64) -> Duration {
        self.whole + Duration::from_secs(bytes / self.slowest)
    }
}

/// Why a try failed.
pub(super) struct Failure {
    pub(super) error: io::Error,
    pub(super) helps: Helps,
}

/// What helps after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Helps {
    /// Nothing.
    Nothing,
    /// Another try, unless this object is the trouble.
    Again,
    /// Another try; if not, the server is the trouble, whatever it is asked for.
    Waiting,
    /// Other credentials, whatever it is asked for.
    Credentials,
}

impl Failure {
    pub(super) fn of_object(error: io::Error) -> Failure {
        Failure { error, helps: Helps::Nothing }
    }

    /// The server fell silent, or the connection broke off.
    pub(super) fn broken(error: io::Error) -> Failure {
        Failure { error, helps: Helps::Waiting }
    }
}

impl Bucket {
    /// Sends a request for a whole answer, and again where another try may help.
    pub(super) fn ask(&self, url: impl Fn() -> String, limit: u64) -> io::Result<Vec<u8>> {
        self.again(|| self.try_once(&url(), limit))
    }

    /// Tries something, and again where another try may help.
    ///
    /// # Errors
    /// What the last try says. It is counted among the outages if the server is the trouble.
    pub(super) fn again<T>(&self, attempt: impl Fn() -> Result<T, Failure>) -> io::Result<T> {
        let mut pause = BACKOFF;
        let mut tried = 0;
        loop {
            tried += 1;
            let Failure { error, helps } = match attempt() {
                Ok(got) => return Ok(got),
                Err(failure) => failure,
            };
            let again = matches!(helps, Helps::Again | Helps::Waiting);
            if again && tried < self.patience.tries {
                thread::sleep(pause);
                pause = (pause * 2).min(LONGEST);
                continue;
            }
            if matches!(helps, Helps::Waiting | Helps::Credentials) {
                outages::add(&error.to_string());
            }
            return Err(error);
        }
    }

    /// Sends a request that should be answered with so many bytes.
    pub(super) fn send(
        &self,
        url: &str,
        range: Option<String>,
        bytes: u64,
    ) -> Result<Response<ureq::Body>, Failure> {
        let mut request = self.agent.get(url);
        if let Some(range) = range {
            request = request.header("Range", range);
        }
        let request = request.config().timeout_global(Some(self.patience.deadline(bytes))).build();
        request.call().map_err(|error| self.unreachable(&error))
    }

    /// One try to read a whole answer.
    fn try_once(&self, url: &str, limit: u64) -> Result<Vec<u8>, Failure> {
        let response = self.send(url, None, limit)?;
        if !response.status().is_success() {
            return Err(self.refusal(response));
        }
        let body = response.into_body().into_with_config().limit(limit.saturating_add(1)).read_to_vec();
        let bytes = body.map_err(|error| self.unreachable(&error))?;
        if bytes.len() as u64 > limit {
            let message = format!("it has more than {limit} bytes");
            return Err(Failure::of_object(io::Error::new(io::ErrorKind::FileTooLarge, message)));
        }
        Ok(bytes)
    }

    /// Why an answer is none.
    pub(super) fn refusal(&self, response: Response<ureq::Body>) -> Failure {
        let status = response.status().as_u16();
        let body = response.into_body().into_with_config().limit(1 << 16).read_to_vec();
        let body = String::from_utf8_lossy(&body.unwrap_or_default()).into_owned();
        let helps = match status {
            429 | 502..=504 => Helps::Waiting,
            408 | 500.. => Helps::Again,
            400 | 401 | 403 if code_in(&body).is_some_and(|code| is_about_credentials(&code)) => {
                Helps::Credentials
            }
            _ => Helps::Nothing,
        };
        Failure { error: self.refused(status, &body), helps }
    }

    /// What the address of a request says is kept out of the message, since it holds a signature.
    pub(super) fn unreachable(&self, error: &ureq::Error) -> Failure {
        let server = self.address.base_url();
        let port = server.port().map(|port| format!(":{port}")).unwrap_or_default();
        let host = format!("{}{port}", server.host_str().unwrap_or_default());
        let reason = match error {
            ureq::Error::Timeout(_) => "it does not answer in time".to_owned(),
            ureq::Error::Io(error) if error.kind() == io::ErrorKind::TimedOut => {
                "it does not answer in time".to_owned()
            }
            ureq::Error::HostNotFound => "there is no such host".to_owned(),
            ureq::Error::Io(error) => error.to_string(),
            ureq::Error::ConnectionFailed => "the connection failed".to_owned(),
            _ => "the request failed".to_owned(),
        };
        Failure::broken(io::Error::new(
            io::ErrorKind::HostUnreachable,
            format!("{host}: {reason}; check the network and AWS_ENDPOINT_URL"),
        ))
    }

    fn refused(&self, status: u16, body: &str) -> io::Error {
        let code = code_in(body).unwrap_or_else(|| format!("status {status}"));
        let (kind, message) = match (status, code.as_str()) {
            (404, "NoSuchBucket") => (
                io::ErrorKind::NotFound,
                format!("there is no bucket {} on this server", self.address.name()),
            ),
            (404, _) => (io::ErrorKind::NotFound, GONE.to_owned()),
            (400 | 401 | 403, code) if WRONG_CREDENTIALS.contains(&code) => (
                io::ErrorKind::PermissionDenied,
                format!("the server does not accept the credentials ({code}): check AWS_ACCESS_KEY_ID"),
            ),
            (400 | 401 | 403, code) if EXPIRED.contains(&code) => (
                io::ErrorKind::PermissionDenied,
                format!("the credentials have expired ({code}): renew them"),
            ),
            (401 | 403, _) if self.credentials.is_none() => (
                io::ErrorKind::PermissionDenied,
                format!(
                    "the server wants credentials ({code}): set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
                ),
            ),
            (401 | 403, _) => {
                (io::ErrorKind::PermissionDenied, format!("the server refuses access ({code})"))
            }
            (301 | 307 | 400, "PermanentRedirect" | "AuthorizationHeaderMalformed") => {
                (io::ErrorKind::Other, format!("the bucket is in another region ({code}): set AWS_REGION"))
            }
            _ => (io::ErrorKind::Other, format!("the server answered {code}")),
        };
        io::Error::new(kind, message)
    }
}

/// What servers answer to credentials that they do not know, and to those that were good until now.
const WRONG_CREDENTIALS: [&str; 3] = ["SignatureDoesNotMatch", "InvalidAccessKeyId", "InvalidToken"];
const EXPIRED: [&str; 3] = ["ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"];

fn is_about_credentials(code: &str) -> bool {
    WRONG_CREDENTIALS.contains(&code) || EXPIRED.contains(&code)
}

/// The code in the description of an error.
fn code_in(body: &str) -> Option<String> {
    let (_, rest) = body.split_once("<Code>")?;
    rest.split_once('<').map(|(code, _)| code.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// A bucket on a server that answers each connection with a function, and how often it was asked.
    fn bucket(answer: fn(&mut dyn Write)) -> (Bucket, Arc<AtomicU32>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(AtomicU32::new(0));
        let count = asked.clone();
        thread::spawn(move || {
            for mut client in listener.incoming().map_while(Result::ok) {
                count.fetch_add(1, Ordering::Relaxed);
                thread::spawn(move || {
                    let mut head = [0; 4096];
                    let _ = client.read(&mut head);
                    answer(&mut client);
                });
            }
        });
        let patience = Patience {
            answer: Duration::from_millis(300),
            pause: Duration::from_millis(300),
            whole: Duration::from_millis(600),
            slowest: 1 << 15,
            tries: 2,
        };
        let server = format!("http://127.0.0.1:{port}").parse().unwrap();
        let address = rusty_s3::Bucket::new(server, rusty_s3::UrlStyle::Path, "b", "r").unwrap();
        let agent = patience.agent();
        let shown = "s3://b/p".to_owned();
        (Bucket { address, credentials: None, prefix: "p/".into(), shown, agent, patience }, asked)
    }

    #[test]
    fn a_server_that_falls_silent_is_waited_for_only_so_long() {
        let silent: fn(&mut dyn Write) = |_| thread::sleep(Duration::from_secs(600));
        let dripping: fn(&mut dyn Write) = |client| {
            let _ = client.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
            while client.write_all(b"x").and_then(|()| client.flush()).is_ok() {
                thread::sleep(Duration::from_millis(50));
            }
        };
        for answer in [silent, dripping] {
            let (bucket, asked) = bucket(answer);
            let before = outages::count();
            let error = bucket.read("x", 1000).unwrap_err();
            assert!(error.to_string().contains("does not answer in time"), "{error}");
            let error = bucket.read_range("p/x", 0..1000, 1_000_000).unwrap_err();
            assert!(error.to_string().contains("in time"), "{error}");
            assert_eq!(asked.load(Ordering::Relaxed), 4);
            assert!(outages::since(before).is_some_and(|reason| reason.contains("in time")));
        }
    }

    #[test]
    fn what_helps_depends_on_the_answer() {
        let (bucket, _) = bucket(|_| {});
        let helps = |status: u16, code: &str| {
            let body = ureq::Body::builder().data(format!("<Error><Code>{code}</Code></Error>"));
            let failure = bucket.refusal(Response::builder().status(status).body(body).unwrap());
            (failure.helps, failure.error.to_string())
        };
        assert_eq!(helps(503, "SlowDown").0, Helps::Waiting);
        assert_eq!(helps(500, "InternalError").0, Helps::Again);
        assert_eq!(helps(404, "NoSuchKey"), (Helps::Nothing, GONE.to_owned()));
        assert_eq!(helps(403, "AccessDenied").0, Helps::Nothing);
        let (expired, text) = helps(400, "ExpiredToken");
        assert!(expired == Helps::Credentials && text.contains("have expired"), "{text}");
        let (wrong, text) = helps(403, "InvalidAccessKeyId");
        assert!(wrong == Helps::Credentials && text.contains("check AWS_ACCESS_KEY_ID"), "{text}");
    }
}
