#![allow(clippy::print_stdout)] // Cargo reads it.
//! Compiles our kernels for GPUs with the same `nvcc` as candle's build does.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, exit};

const SOURCE: &str = "src/ops/kernels.cu";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={SOURCE}");
    for name in ["CUDA_HOME", "CUDA_COMPUTE_CAP", "CHAFFINCH_NVCC"] {
        println!("cargo::rerun-if-env-changed={name}");
    }
    if env::var_os("CARGO_FEATURE_CUDA").is_none() {
        return;
    }
    let home = env::var_os("CUDA_HOME").map(|home| Path::new(&home).join("bin/nvcc"));
    let compiler = home.filter(|path| path.exists()).unwrap_or_else(|| PathBuf::from("nvcc"));
    let capability = env::var("CUDA_COMPUTE_CAP").unwrap_or_else(|_| "80".into());
    let out = env::var_os("OUT_DIR").unwrap_or_default();
    let mut command = Command::new(&compiler);
    command.args(["--ptx", "-std=c++17", "-O3", &format!("--gpu-architecture=compute_{capability}")]);
    command.arg("--output-directory").arg(out).arg(SOURCE);
    match command.status() {
        Ok(status) if status.success() => {}
        Ok(status) => fail(&format!("{} failed on {SOURCE} ({status})", compiler.display())),
        Err(error) => {
            fail(&format!("cannot run {}: {error}; scripts/build-cuda has one", compiler.display()))
        }
    }
}

fn fail(reason: &str) {
    println!("cargo::error={reason}");
    exit(1);
}
