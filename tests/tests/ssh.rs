//! The reviewer's journey over a real SSH connection to this machine, which is lost in the middle.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a failed step fails the test; figures are its result"
)]

use chaffinch_tests::artefacts::program;
use chaffinch_tests::random::Random;
use chaffinch_tests::review::{Reviewer, tail};
use chaffinch_tests::sandbox::Sandbox;
use chaffinch_tests::terminal::Terminal;
use chaffinch_tests::{digest, pictures, process, tools};
use rustix::process::Signal;
use std::fs::{self, Permissions};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server on the loopback with its own keys, which ends with the test.
struct Server {
    child: Child,
    port: u16,
    place: PathBuf,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

impl Server {
    fn start(place: &Path) -> Server {
        fs::create_dir_all(place).unwrap();
        fs::set_permissions(place, Permissions::from_mode(0o700)).unwrap();
        for key in ["host_key", "user_key"] {
            run(Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(place.join(key)));
        }
        fs::copy(place.join("user_key.pub"), place.join("authorized_keys")).unwrap();
        if rustix::process::geteuid().is_root() {
            // Debian's server wants this folder, which only the service makes.
            let _ = fs::create_dir_all("/run/sshd");
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let at = |name: &str| place.join(name).display().to_string();
        let config = format!(
            "ListenAddress 127.0.0.1\nPort {port}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nUsePAM no\n\
             StrictModes no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\n\
             PrintMotd no\nPrintLastLog no\nPermitUserEnvironment no\nLogLevel ERROR\n",
            at("host_key"),
            at("authorized_keys"),
        );
        fs::write(place.join("sshd_config"), config).unwrap();
        let host = fs::read_to_string(place.join("host_key.pub")).unwrap();
        fs::write(place.join("known_hosts"), format!("[127.0.0.1]:{port} {host}")).unwrap();
        let log = fs::File::create(place.join("sshd.log")).unwrap();
        let mut command = Command::new(tools::find("sshd").unwrap());
        command.args(["-D", "-e", "-f"]).arg(place.join("sshd_config"));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let server = Server { child, port, place: place.to_path_buf() };
        let up =
            process::wait_for(Duration::from_secs(20), || TcpStream::connect(("127.0.0.1", port)).is_ok());
        assert!(up.is_ok(), "sshd does not respond: {}", server.log());
        server
    }

    fn log(&self) -> String {
        fs::read_to_string(self.place.join("sshd.log")).unwrap_or_default()
    }

    /// The program, opening the sandbox's session, at the other end of a new connection in a new terminal.
    fn open(&self, sandbox: &Sandbox) -> Terminal {
        let quote = |text: &str| format!("'{}'", text.replace('\'', "'\\''"));
        let environment: Vec<String> =
            sandbox.environment().iter().map(|(key, value)| quote(&format!("{key}={value}"))).collect();
        let remote = format!(
            "exec env {} {} open {}",
            environment.join(" "),
            quote(program().to_str().unwrap()),
            quote(sandbox.session().to_str().unwrap())
        );
        let user = Command::new("id").arg("-un").output().unwrap();
        let user = String::from_utf8(user.stdout).unwrap().trim().to_owned();
        let mut ssh = Command::new("ssh");
        ssh.args(["-tt", "-F", "none", "-p", &self.port.to_string(), "-o", "BatchMode=yes"]);
        ssh.args([
            "-o",
            "IdentitiesOnly=yes",
            "-o",
            "StrictHostKeyChecking=yes",
            "-o",
            "LogLevel=ERROR",
            "-i",
        ]);
        ssh.arg(self.place.join("user_key"));
        ssh.arg("-o").arg(format!("UserKnownHostsFile={}", self.place.join("known_hosts").display()));
        ssh.arg(format!("{user}@127.0.0.1")).arg(remote);
        ssh.envs(sandbox.environment()).current_dir(sandbox.path());
        Terminal::start(&ssh, 110, 34)
    }
}

#[test]
fn a_review_over_ssh_survives_the_loss_of_the_link() {
    if !tools::installed(&["sshd", "ssh", "ssh-keygen"], "openssh-server and openssh-client") {
        return;
    }
    let sandbox = Sandbox::new();
    let server = Server::start(&sandbox.path().join("ssh"));
    pictures::dataset(&sandbox.data(), 10, 30, 32);
    sandbox.scan();
    let before = digest::untouched(&sandbox.data());
    let mut reviewer = Reviewer::new(&sandbox);
    let mut random = Random::new(23);
    let session = sandbox.session();
    let remote = || {
        let mut all = process::running(program(), session.to_str().unwrap());
        all.retain(|pid| !process::is_engine(*pid));
        all
    };
    let anything = || process::running(program(), session.to_str().unwrap());

    let mut terminal = server.open(&sandbox);
    reviewer.begin(&terminal);
    let [far] = remote()[..] else {
        panic!("expected one program on the remote side: {:?}\n{}", remote(), server.log())
    };
    reviewer.work(&terminal, &sandbox, 40, &mut random);
    std::thread::sleep(Duration::from_millis(2_600));
    let used = process::cpu_seconds(far).unwrap();
    terminal.signal(Signal::KILL);
    let lost = Instant::now();
    let gone = process::wait_for(Duration::from_secs(10), || !process::alive(far));
    println!("the far end was gone {:?} after the client was killed", lost.elapsed());
    if gone.is_err() {
        let burnt = process::cpu_seconds(far).map_or(0.0, |now| now - used);
        panic!("the program outlived its terminal, with {burnt:.2} s of CPU time\n{}", server.log());
    }
    terminal.end(Duration::from_secs(5));
    drop(terminal);

    let mut terminal = server.open(&sandbox);
    terminal.wait_text(tail(reviewer.path()));
    terminal.settle(Duration::from_millis(800));
    reviewer.decide(&terminal, "remove", "");
    reviewer.saved(&sandbox);
    let left = 100 - reviewer.record.len();
    reviewer.work(&terminal, &sandbox, left, &mut random);
    terminal.keys("q");
    assert_eq!(terminal.end(Duration::from_secs(15)), Some(0), "{}\n{}", terminal.screen(), server.log());
    assert_eq!(terminal.left_behind(), Vec::<String>::new());
    let ended = process::wait_for(Duration::from_secs(10), || anything().is_empty());
    assert!(ended.is_ok(), "{:?} are left at the far end", anything());
    assert_eq!(reviewer.record.len(), 100);
    reviewer.compare(&sandbox, "manifest.csv");
    assert!(digest::untouched(&sandbox.data()) == before, "the dataset was changed");
}
