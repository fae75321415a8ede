//! Where the towers run.

#[cfg(feature = "cuda")]
mod cuda;
mod gpus;
#[cfg(feature = "cuda")]
mod locked;
#[cfg(any(feature = "cuda", test))]
#[cfg_attr(not(feature = "cuda"), allow(dead_code))] // Why it fails is told by a GPU only.
mod smoke;

use crate::batches::filled_up;
use crate::error::ClipError;
use crate::tiles;
use candle_core::{DType, Device, Result as Computed, Tensor};
#[cfg(any(feature = "cuda", test))]
pub(crate) use gpus::Kind;
#[cfg(test)]
pub(crate) use gpus::Otherwise;
pub(crate) use gpus::{Gpu, Gpus, names};
use half::f16;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::JoinHandle;

/// The requested device: `auto`, `cpu`, `cpu:bf16`, `cuda`, `cuda:N` or `cuda:N,M`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum DeviceChoice {
    /// All GPUs of one kind if the program was built with GPU support and one works, else the CPU.
    #[default]
    Auto,
    /// The CPU, in single precision.
    Cpu,
    /// The CPU with its layers in bf16, if it supports AMX: several times as fast, with cosines of at least .999 to
    /// single precision; an error otherwise.
    CpuBf16,
    /// All NVIDIA GPUs of one kind; an error if none can be used.
    Cuda,
    /// The NVIDIA GPUs with these numbers, of one kind; an error if one of them cannot be used.
    CudaAt(Vec<usize>),
}

impl FromStr for DeviceChoice {
    type Err = ClipError;

    fn from_str(text: &str) -> Result<DeviceChoice, ClipError> {
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse().ok()).flatten()
        };
        let numbers = |text: &str| {
            let numbers: Vec<usize> = text.split(',').map(number).collect::<Option<_>>()?;
            let twice = (1..numbers.len()).any(|at| numbers[..at].contains(&numbers[at]));
            (!twice).then_some(DeviceChoice::CudaAt(numbers))
        };
        match (text, text.strip_prefix("cuda:")) {
            ("auto", _) => Some(DeviceChoice::Auto),
            ("cpu", _) => Some(DeviceChoice::Cpu),
            ("cpu:bf16", _) => Some(DeviceChoice::CpuBf16),
            ("cuda", _) => Some(DeviceChoice::Cuda),
            (_, Some(text)) => numbers(text),
            _ => None,
        }
        .ok_or_else(|| ClipError::UnknownDevice { text: text.into() })
    }
}

/// Where tensors are.
#[derive(Clone)]
pub(crate) enum Place {
    /// In this computer's memory, computed by its own kernels.
    Host,
    /// Where candle computes, step by step. In tests, that is the CPU, too.
    Device(Device),
}

/// A device in use.
pub(crate) struct DeviceContext {
    pub(crate) device: Device,
    /// The precision of the towers.
    pub(crate) dtype: DType,
    /// Whether candle computes, in batches of one size, as on a GPU.
    pub(crate) stepwise: bool,
    /// Whether layers are still multiplied in bf16.
    pub(crate) in_tiles: bool,
    /// In words.
    pub(crate) name: String,
    /// Warnings, such as that it is a fallback.
    pub(crate) notes: Vec<String>,
    /// Bytes of its memory that were free when it was opened, if it has memory of its own.
    pub(crate) free: Option<u64>,
    /// Which GPU it is, if it is one.
    pub(crate) gpu: Option<Gpu>,
    /// Memory that a GPU copies from and to while the program goes on.
    #[cfg(feature = "cuda")]
    locked: locked::Locked,
}

/// Vectors that a device computes, on their way back.
pub(crate) enum Fetched {
    /// Still there: whoever asks for them waits for all that the device has been given.
    Here(Tensor),
    /// Copied when they are computed, whatever the device is given later.
    #[cfg(feature = "cuda")]
    Copied(locked::Copied),
}

impl DeviceContext {
    /// The first device that a choice allows and that works: the first of these GPUs, or the CPU.
    pub(crate) fn first(choice: &DeviceChoice, gpus: &mut Gpus) -> Result<DeviceContext, ClipError> {
        match choice {
            DeviceChoice::Cpu => Ok(DeviceContext::cpu(None)),
            DeviceChoice::CpuBf16 => DeviceContext::cpu_in_tiles(),
            DeviceChoice::Auto if !cfg!(feature = "cuda") => Ok(DeviceContext::cpu(idle_gpu())),
            DeviceChoice::Auto | DeviceChoice::Cuda | DeviceChoice::CudaAt(_) => gpus.first(),
        }
    }

    /// The CPU in place of a GPU that failed with that.
    pub(crate) fn instead_of_gpu(error: &ClipError) -> DeviceContext {
        DeviceContext::cpu(Some(format!("the GPU is not usable, so the model runs on the CPU: {error}")))
    }

    /// A device for towers in that precision.
    pub(crate) fn at(place: Place, dtype: DType, name: String) -> DeviceContext {
        let stepwise = matches!(place, Place::Device(_));
        let device = match place {
            Place::Host => Device::Cpu,
            Place::Device(device) => device,
        };
        DeviceContext {
            device,
            dtype,
            stepwise,
            in_tiles: false,
            name,
            notes: Vec::new(),
            free: None,
            gpu: None,
            #[cfg(feature = "cuda")]
            locked: locked::Locked::default(),
        }
    }

    /// Sends `count` rows of that shape, filled up to `rows` with the first one. They are no longer needed when this returns.
    pub(crate) fn upload(
        &self,
        bytes: &[u8],
        (count, rows): (usize, usize),
        shape: &[usize],
    ) -> Computed<Tensor> {
        let shape = [&[rows][..], shape].concat();
        #[cfg(feature = "cuda")]
        if let Device::Cuda(device) = &self.device {
            return self.locked.upload(device, bytes, count, shape);
        }
        Tensor::from_slice(filled_up(bytes, count, rows).as_ref(), shape, &self.device)
    }

    /// Starts to copy vectors back.
    pub(crate) fn fetch(&self, vectors: Tensor) -> Computed<Fetched> {
        #[cfg(feature = "cuda")]
        if let Device::Cuda(device) = &self.device {
            return self.locked.fetch(device, vectors);
        }
        Ok(Fetched::Here(vectors))
    }

    /// Waits for vectors; the first `count` numbers of them.
    pub(crate) fn wait(&self, fetched: Fetched, count: usize) -> Computed<Vec<f32>> {
        let vectors = match fetched {
            Fetched::Here(vectors) => vectors.flatten_all()?.narrow(0, 0, count)?,
            #[cfg(feature = "cuda")]
            Fetched::Copied(copied) => return self.locked.wait(copied, count),
        };
        match vectors.dtype() {
            // Exact, and half as much to copy.
            DType::F16 => Ok(vectors.to_vec1::<f16>()?.into_iter().map(f16::to_f32).collect()),
            _ => vectors.to_dtype(DType::F32)?.to_vec1(),
        }
    }

    fn cpu(note: Option<String>) -> DeviceContext {
        let threads = candle_core::utils::get_num_threads();
        let name = format!("cpu ({threads} thread{})", if threads == 1 { "" } else { "s" });
        let notes = note.into_iter().collect();
        DeviceContext { notes, ..DeviceContext::at(Place::Host, DType::F32, name) }
    }

    fn cpu_in_tiles() -> Result<DeviceContext, ClipError> {
        if !tiles::available() {
            let reason = "this CPU has no bf16 matrix instructions (AMX, in Intel server CPUs since Sapphire Rapids), or \
                          Linux is older than 5.16; use --device cpu";
            return Err(ClipError::Device { device: "cpu:bf16".into(), reason: reason.into() });
        }
        let cpu = DeviceContext::cpu(None);
        Ok(DeviceContext { in_tiles: true, name: cpu.name.replacen("cpu", "cpu:bf16", 1), ..cpu })
    }

    /// Gives memory that the device keeps for later back to other programs.
    pub(crate) fn trim(&self) {
        cuda::trim(&self.device);
    }
}

/// Lets that thread, which uses GPUs, end before the driver does, at the end of the program. `stop` tells it to end.
pub(crate) fn ends_before_the_driver(stop: Arc<AtomicBool>, thread: JoinHandle<()>) {
    cuda::ends_before_the_driver(stop, thread);
}

#[cfg(not(feature = "cuda"))]
mod cuda {
    //! In place of a GPU in a build without.

    use super::{Arc, AtomicBool, ClipError, Device, DeviceContext, JoinHandle};

    pub(super) fn count() -> usize {
        0
    }

    pub(super) fn open(number: usize) -> Result<DeviceContext, ClipError> {
        Err(ClipError::Device {
            device: format!("cuda:{number}"),
            reason: "this program was built without GPU support; use a build with the feature `cuda`, or --device cpu"
                .into(),
        })
    }

    pub(super) fn trim(_: &Device) {}

    pub(super) fn ends_before_the_driver(_: Arc<AtomicBool>, _: JoinHandle<()>) {}
}

/// A sentence if there is an NVIDIA GPU that this build cannot use, and which build would; `None` otherwise.
pub fn idle_gpu() -> Option<String> {
    if cfg!(feature = "cuda") { None } else { idle_gpu_in(Path::new("/")) }
}

/// The same of another root folder.
fn idle_gpu_in(root: &Path) -> Option<String> {
    let count = |folder: &str, wanted: &dyn Fn(&str) -> bool| {
        let entries = root.join(folder).read_dir().into_iter().flatten().filter_map(Result::ok);
        entries.filter(|entry| entry.file_name().to_str().is_some_and(wanted)).count()
    };
    let numbered = |name: &str| {
        let number = name.strip_prefix("nvidia");
        number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    // Only what this process can reach counts; in a container, /proc also shows the others. WSL has another device.
    let gpus = count("dev", &numbered);
    let wsl = root.join("dev/dxg").exists() && root.join("usr/lib/wsl/lib/libcuda.so.1").exists();
    if gpus == 0 && !wsl {
        return None;
    }
    let name = model_of_gpu(root).map_or("an NVIDIA GPU".to_owned(), |name| {
        if gpus > 1 { format!("{gpus} NVIDIA GPUs ({name})") } else { name }
    });
    let stands = if gpus > 1 { "stand" } else { "stands" };
    Some(format!(
        "{name} {stands} idle: this program was built without GPU support, so the model runs on the CPU; a build with \
         `--features cuda` (scripts/build-cuda) would use it, --device cpu says that the CPU is meant"
    ))
}

/// The first GPU's name, from the driver.
fn model_of_gpu(root: &Path) -> Option<String> {
    let entries = root.join("proc/driver/nvidia/gpus").read_dir().ok()?.filter_map(Result::ok);
    let mut files: Vec<_> = entries.map(|entry| entry.path().join("information")).collect();
    files.sort_unstable();
    let text = files.iter().find_map(|file| std::fs::read_to_string(file).ok())?;
    let line = text.lines().find_map(|line| line.strip_prefix("Model:"))?;
    Some(line.trim().to_owned()).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gpu_that_this_build_cannot_use_is_named() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            path
        };
        std::fs::write(at("dev/nvidiactl"), "").unwrap();
        std::fs::write(at("proc/driver/nvidia/gpus/0/information"), "Model: \t NVIDIA H100\nIRQ: 1\n")
            .unwrap();
        assert_eq!(idle_gpu_in(root.path()), None, "a container without the device");
        std::fs::write(at("dev/nvidia0"), "").unwrap();
        let words = idle_gpu_in(root.path()).unwrap();
        assert!(words.starts_with("NVIDIA H100 stands idle") && words.contains("--features cuda"), "{words}");
        std::fs::write(at("dev/nvidia1"), "").unwrap();
        assert!(idle_gpu_in(root.path()).unwrap().starts_with("2 NVIDIA GPUs (NVIDIA H100) stand idle"));
    }

    #[test]
    fn devices_are_read_from_text() {
        let read = |text: &str| text.parse::<DeviceChoice>().ok();
        assert_eq!(read("auto"), Some(DeviceChoice::Auto));
        assert_eq!(read("cpu"), Some(DeviceChoice::Cpu));
        assert_eq!(read("cpu:bf16"), Some(DeviceChoice::CpuBf16));
        assert_eq!(read("cuda"), Some(DeviceChoice::Cuda));
        assert_eq!(read("cuda:3"), Some(DeviceChoice::CudaAt(vec![3])));
        assert_eq!(read("cuda:2,0,1"), Some(DeviceChoice::CudaAt(vec![2, 0, 1])));
        let wrong =
            ["", "gpu", "cuda:", "cuda:x", "cuda:+1", "CPU", "cuda:0,", "cuda:,1", "cuda:1,1", "cuda:0 1"];
        for wrong in wrong {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn a_cpu_build_says_so_when_asked_for_a_gpu() {
        let first = |choice: DeviceChoice| DeviceContext::first(&choice, &mut Gpus::of(&choice));
        for (choice, name) in [(DeviceChoice::CudaAt(vec![1]), "cuda:1"), (DeviceChoice::Cuda, "cuda:0")] {
            let error = first(choice).err().unwrap().to_string();
            assert!(error.contains(name) && error.contains("built without GPU support"), "{error}");
        }
        let auto = first(DeviceChoice::Auto).unwrap();
        assert!(auto.name.starts_with("cpu (") && auto.notes == idle_gpu().into_iter().collect::<Vec<_>>());
    }
}
