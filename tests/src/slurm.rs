//! A real Slurm of one node on loopback: munged, slurmctld and slurmd in a folder of their own, without systemd.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long its parts may take to be there, and jobs to end.
const PATIENCE: Duration = Duration::from_secs(120);

/// The programs that it needs, and Debian's packages of them.
pub const PROGRAMS: [&str; 5] = ["munged", "slurmctld", "slurmd", "sbatch", "squeue"];
/// Debian's packages with [`PROGRAMS`].
pub const PACKAGES: &str = "slurm-wlm and munge";

/// A running Slurm, which ends with it.
pub struct Slurm {
    folder: PathBuf,
    servers: Vec<Child>,
}

fn program(name: &str) -> PathBuf {
    crate::tools::find(name).unwrap_or_else(|| panic!("{name} is not installed"))
}

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {out}{err}");
    out.trim().to_owned()
}

/// A free port.
fn port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

impl Slurm {
    /// Starts it in a new folder, with as many processors as jobs run at a time.
    ///
    /// # Panics
    ///
    /// When a part does not start; the message has its log.
    pub fn start(folder: &Path, processors: u32) -> Slurm {
        for name in ["", "state", "spool", "log"] {
            fs::create_dir_all(folder.join(name)).unwrap();
        }
        // munged refuses folders that others can write to.
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
        let (at, key) = (folder.display(), folder.join("munge.key"));
        let secret: Vec<u8> = (0..1024_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        fs::write(&key, secret).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o400)).unwrap();
        let (host, user) =
            (output(Command::new("hostname").arg("-s")), output(Command::new("id").arg("-un")));
        let (controller, node) = (port(), port());
        let configuration = format!(
            "ClusterName=test\nSlurmctldHost={host}(127.0.0.1)\nSlurmUser={user}\nSlurmdUser={user}\n\
             AuthType=auth/munge\nAuthInfo=socket={at}/munge.sock\nCredType=cred/munge\n\
             StateSaveLocation={at}/state\nSlurmdSpoolDir={at}/spool\nSlurmctldPidFile={at}/slurmctld.pid\n\
             SlurmdPidFile={at}/slurmd.pid\nProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\n\
             SelectType=select/cons_tres\nSelectTypeParameters=CR_Core\nSlurmctldPort={controller}\n\
             SlurmdPort={node}\nSlurmdParameters=config_overrides\nJobRequeue=1\n\
             NodeName={host} NodeAddr=127.0.0.1 CPUs={processors} RealMemory=1024 State=UNKNOWN\n\
             PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n"
        );
        fs::write(folder.join("slurm.conf"), configuration).unwrap();
        let mut slurm = Slurm { folder: folder.to_owned(), servers: Vec::new() };
        slurm.serve(
            "munged",
            &[
                "--foreground".into(),
                "--force".into(),
                format!("--key-file={}", key.display()),
                format!("--socket={at}/munge.sock"),
                format!("--pid-file={at}/munged.pid"),
                format!("--seed-file={at}/seed"),
            ],
        );
        slurm.until("munged has a socket", || folder.join("munge.sock").exists());
        slurm.serve("slurmctld", &["-D".into()]);
        slurm.serve("slurmd", &["-D".into()]);
        slurm.until("the node is idle", || {
            let states = slurm.command("sinfo").args(["-h", "-o", "%t"]).output();
            states.is_ok_and(|output| output.stdout.starts_with(b"idle"))
        });
        slurm
    }

    fn serve(&mut self, name: &str, args: &[String]) {
        let log = fs::File::create(self.folder.join("log").join(name)).unwrap();
        let mut command = self.command(name);
        command.args(args).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        self.servers.push(command.spawn().unwrap_or_else(|error| panic!("{name}: {error}")));
    }

    /// One of its programs, for this Slurm.
    pub fn command(&self, name: &str) -> Command {
        let mut command = Command::new(program(name));
        command.env("SLURM_CONF", self.folder.join("slurm.conf")).current_dir(&self.folder);
        command
    }

    /// Submits a script, and waits until all its tasks have ended.
    ///
    /// # Panics
    ///
    /// When it is not accepted, or takes too long.
    pub fn run(&self, script: &Path, args: &[&str]) {
        /// Times in a row that there is no job: one that is being requeued is listed by nothing for a moment.
        const EMPTY: u32 = 10;
        let mut empty = 0;
        output(self.command("sbatch").args(args).arg(script));
        self.until("the jobs have ended", || {
            let jobs = output(self.command("squeue").args(["-h", "-o", "%A %r"]));
            // One that was requeued would wait for two minutes.
            for job in jobs.lines().filter_map(|line| line.strip_suffix(" BeginTime")) {
                let now = [format!("JobId={job}"), "StartTime=now".to_owned()];
                let _ = self.command("scontrol").arg("update").args(now).output();
            }
            empty = if jobs.is_empty() { empty + 1 } else { 0 };
            empty == EMPTY
        });
    }

    fn until(&self, what: &str, mut there: impl FnMut() -> bool) {
        let started = Instant::now();
        while !there() {
            if started.elapsed() > PATIENCE {
                let logs = fs::read_dir(self.folder.join("log")).unwrap().map(|entry| entry.unwrap().path());
                let said: String = logs
                    .map(|log| format!("--- {}\n{}", log.display(), fs::read_to_string(&log).unwrap()))
                    .collect();
                panic!("never: {what}\n{said}");
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Slurm {
    fn drop(&mut self) {
        // Last in, first out: the node before what it reports to.
        for server in self.servers.iter_mut().rev() {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}
