//! A worker with a library: loads it, says what is in it, and runs one of its detectors if it is told to.

use super::death::NOT_STARTED;
use super::message::{FromWorker, Kind, PROTOCOL, REVISION, ToWorker, Unusable};
use super::remote::{Line, Remote};
use crate::PluginError;
use crate::declared::{Declared, declared};
use crate::exported::Exported;
use crate::library;
use chaffinch_plugin::abi::ABI_VERSION;
use chaffinch_plugin::host::run_detector;
use chaffinch_plugin::{Error, Info, Param, ParamKind};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::ExitCode;

/// The descriptors that the protocol moves to, away from what a library may print and read.
const ELSEWHERE: i32 = 200;

/// Loads a library and does what the engine says.
pub(super) fn library(path: &Path) -> ExitCode {
    let Ok((input, output)) = ends() else { return ExitCode::from(NOT_STARTED) };
    let mut input = BufReader::new(File::from(input));
    let line = Line::new(output.into());
    let detectors = match library::load(path) {
        Ok(detectors) => detectors,
        Err(error) => {
            line.send(&FromWorker::Unusable(unusable(error)));
            return ExitCode::SUCCESS;
        }
    };
    let of = |detector: &Exported| Declared { abi: detector.abi(), ..declared(detector.info()) };
    let all = detectors.iter().map(of).collect();
    line.send(&FromWorker::Hello { protocol: PROTOCOL, revision: REVISION, detectors: all });
    let mut text = String::new();
    let run = match input.read_line(&mut text) {
        // Nobody wants to know more.
        Ok(0) | Err(_) => return ExitCode::SUCCESS,
        Ok(_) => match serde_json::from_str(&text) {
            Ok(ToWorker::Run(run)) => *run,
            _ => return ExitCode::from(NOT_STARTED),
        },
    };
    let Some(detector) = detectors.iter().find(|detector| detector.info().name() == run.detector) else {
        let message = format!("its library has no detector {} any more", run.detector);
        line.send(&FromWorker::Failed { message, kind: Kind::Failed });
        return ExitCode::SUCCESS;
    };
    let params = parameters(detector.info(), &run.parameters);
    let ended = Remote::new(run, *detector, line, input).and_then(|remote| work(&remote, detector, &params));
    if let Err(why) = ended {
        use std::io::Write;
        let _ = writeln!(std::io::stderr(), "{why}");
        return ExitCode::from(NOT_STARTED);
    }
    ExitCode::SUCCESS
}

fn work(remote: &Remote, detector: &Exported, params: &BTreeMap<String, f64>) -> Result<(), Error> {
    let ended = run_detector(remote, detector.info(), params, |table| detector.call(table));
    remote.finish(ended);
    Ok(())
}

/// The ends of the protocol. What a library prints goes where its errors go, and it has nothing to read.
fn ends() -> std::io::Result<(OwnedFd, OwnedFd)> {
    let input = rustix::io::fcntl_dupfd_cloexec(std::io::stdin(), ELSEWHERE)?;
    let output = rustix::io::fcntl_dupfd_cloexec(std::io::stdout(), ELSEWHERE)?;
    rustix::stdio::dup2_stdout(std::io::stderr())?;
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    Ok((input, output))
}

fn unusable(error: PluginError) -> Unusable {
    match error {
        PluginError::NoSymbol { .. } => Unusable::NoSymbol,
        PluginError::Loader { reason, .. } => Unusable::Loader { reason },
        PluginError::AbiMismatch { theirs, .. } => Unusable::OtherAbi { theirs },
        PluginError::BadTable { reason, .. } => Unusable::BadTable { reason },
        other => Unusable::Loader { reason: other.to_string() },
    }
}

/// Why a library cannot be used, as its own process would have said it.
pub(super) fn refused(unusable: Unusable, path: &Path) -> PluginError {
    let path = path.to_path_buf();
    match unusable {
        Unusable::NoSymbol => PluginError::NoSymbol { path },
        Unusable::Loader { reason } => PluginError::Loader { path, reason },
        Unusable::OtherAbi { theirs } => PluginError::AbiMismatch {
            path,
            theirs,
            ours: ABI_VERSION,
            build: "another version of chaffinch-plugin".into(),
        },
        Unusable::BadTable { reason } => PluginError::BadTable { path, reason },
    }
}

/// The numbers that the values of a message stand for.
fn parameters(info: &Info, values: &Map<String, Value>) -> BTreeMap<String, f64> {
    let number = |param: &Param| {
        let value = values.get(param.name())?;
        match param.kind() {
            ParamKind::Flag => Some(f64::from(u8::from(value.as_bool()?))),
            ParamKind::Choice => {
                let name = value.as_str()?;
                param.choices().iter().position(|choice| *choice == name).map(|index| index as f64)
            }
            _ => value.as_f64(),
        }
    };
    let value = |param: &Param| (param.name().to_owned(), number(param).unwrap_or(param.default()));
    info.parameters().iter().map(value).collect()
}
