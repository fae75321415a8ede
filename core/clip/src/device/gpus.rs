//! Several GPUs: they are opened one after another, and those that work together are of one kind.

use super::{DeviceChoice, DeviceContext, cuda};
use crate::error::ClipError;
use std::collections::VecDeque;

/// A GPU in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gpu {
    pub(crate) number: usize,
    pub(crate) kind: Kind,
}

/// What decides how a GPU computes: its libraries choose the order of sums by it, and with it the last bits. Models of one name
/// can have different numbers of processors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    /// The name that the driver has for it; empty if it says none.
    pub(crate) model: String,
    pub(crate) capability: (i32, i32),
    pub(crate) processors: i32,
}

impl Kind {
    /// The name behind that of a device: ` (NVIDIA H200)`; empty if there is none.
    pub(crate) fn behind(&self) -> String {
        if self.model.is_empty() { String::new() } else { format!(" ({})", self.model) }
    }
}

type Open = Box<dyn Fn(usize) -> Result<DeviceContext, ClipError> + Send>;

/// The GPUs that a choice allows and that are not open yet.
pub(crate) struct Gpus {
    left: VecDeque<usize>,
    open: Open,
    /// What happens where one of them cannot be used.
    otherwise: Otherwise,
    /// Why others are not used.
    pub(crate) left_out: Vec<ClipError>,
}

/// What takes the place of GPUs that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Otherwise {
    /// Others, and the CPU if there are none.
    Cpu,
    /// Others; it is an error if there are none.
    Others,
    /// Nothing: each of them was named.
    Error,
}

impl Gpus {
    pub(crate) fn of(choice: &DeviceChoice) -> Gpus {
        // Without any, the first one has the reason.
        let all = || (0..cuda::count().max(1)).collect();
        let (left, otherwise) = match choice {
            DeviceChoice::Cpu | DeviceChoice::CpuBf16 => (VecDeque::new(), Otherwise::Cpu),
            DeviceChoice::Auto if !cfg!(feature = "cuda") => (VecDeque::new(), Otherwise::Cpu),
            DeviceChoice::Auto => (all(), Otherwise::Cpu),
            DeviceChoice::Cuda => (all(), Otherwise::Others),
            DeviceChoice::CudaAt(numbers) => (numbers.iter().copied().collect(), Otherwise::Error),
        };
        Gpus::opened_by(left, otherwise, Box::new(cuda::open))
    }

    pub(crate) fn opened_by(left: VecDeque<usize>, otherwise: Otherwise, open: Open) -> Gpus {
        Gpus { left, open, otherwise, left_out: Vec::new() }
    }

    /// Whether each of them was named, so that none may be left out.
    pub(crate) fn are_named(&self) -> bool {
        self.otherwise == Otherwise::Error
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    /// Opens the next one.
    pub(crate) fn next(&mut self) -> Option<Result<DeviceContext, ClipError>> {
        self.left.pop_front().map(|number| (self.open)(number))
    }

    /// The first one that works, or what takes their place.
    pub(crate) fn first(&mut self) -> Result<DeviceContext, ClipError> {
        while let Some(opened) = self.next() {
            match opened {
                Err(error) if !self.are_named() => self.left_out.push(error),
                opened => return opened,
            }
        }
        self.instead()
    }

    /// What takes the place of GPUs of which none can be used.
    ///
    /// # Errors
    /// Why the first one cannot be used, if nothing does.
    pub(crate) fn instead(&mut self) -> Result<DeviceContext, ClipError> {
        match (self.left_out.drain(..).next(), self.otherwise) {
            (Some(error), Otherwise::Cpu) => Ok(DeviceContext::instead_of_gpu(&error)),
            (Some(error), _) => Err(error),
            (None, _) => Ok(DeviceContext::cpu(None)),
        }
    }
}

/// Names of several devices in one: `cuda:0,1 (NVIDIA H200)`, as `--device` takes them.
pub(crate) fn names(contexts: &[&DeviceContext]) -> String {
    let gpus: Option<Vec<&Gpu>> = contexts.iter().map(|context| context.gpu.as_ref()).collect();
    match gpus.as_deref() {
        Some([first, _, ..]) => {
            let numbers: Vec<String> = gpus.iter().flatten().map(|gpu| gpu.number.to_string()).collect();
            format!("cuda:{}{}", numbers.join(","), first.kind.behind())
        }
        _ => contexts.iter().map(|context| context.name.as_str()).collect::<Vec<_>>().join(" and "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Place;
    use candle_core::{DType, Device};

    /// What candle says for each of them, from the driver's and cuBLAS's codes.
    const FAILURES: [(&str, &str); 6] = [
        (
            "DriverError(CUDA_ERROR_STUB_LIBRARY, \"<Failure when calling cuGetErrorString()>\")",
            "no NVIDIA driver",
        ),
        ("DriverError(CUDA_ERROR_UNSUPPORTED_PTX_VERSION, \"...\")", "driver is too old"),
        ("DriverError(CUDA_ERROR_NO_DEVICE, \"no CUDA-capable device is detected\")", "no such NVIDIA GPU"),
        ("DriverError(CUDA_ERROR_OUT_OF_MEMORY, \"out of memory\")", "memory is full"),
        ("DriverError(CUDA_ERROR_NO_BINARY_FOR_GPU, \"...\") when loading cast", "no code for it"),
        ("CublasError(CUBLAS_STATUS_NOT_SUPPORTED)", "libcublas.so.13"),
    ];

    #[test]
    fn auto_ends_on_the_processor_with_one_sentence_for_each_failure() {
        for (text, words) in FAILURES {
            let open = |number: usize| {
                let meaning = crate::failure::Meaning::of(text).unwrap();
                Err(ClipError::Device { device: format!("cuda:{number}"), reason: meaning.words().into() })
            };
            let gpus = |otherwise| Gpus::opened_by(VecDeque::from([0, 1]), otherwise, Box::new(open)).first();
            let context = gpus(Otherwise::Cpu).unwrap();
            assert!(
                context.name.starts_with("cpu (") && context.device.is_cpu() && context.dtype == DType::F32
            );
            let [note] = context.notes.as_slice() else { panic!("{:?}", context.notes) };
            assert!(note.contains(words) && note.contains("runs on the CPU: cannot use cuda:0"), "{note}");
            assert!(!note.contains('\n'), "{note}");
            for otherwise in [Otherwise::Others, Otherwise::Error] {
                let error = gpus(otherwise).err().unwrap().to_string();
                assert!(error.starts_with("cannot use cuda:0") && error.contains(words), "{error}");
            }
        }
    }

    #[test]
    fn a_broken_gpu_is_left_out_unless_it_was_named() {
        let open = |number: usize| match number {
            1 => Ok(DeviceContext::at(Place::Device(Device::Cpu), DType::F16, "cuda:1".into())),
            _ => Err(ClipError::Device { device: format!("cuda:{number}"), reason: "it is broken".into() }),
        };
        let gpus = |otherwise| Gpus::opened_by(VecDeque::from([0, 1, 2]), otherwise, Box::new(open));
        let mut all = gpus(Otherwise::Cpu);
        assert_eq!(all.first().unwrap().name, "cuda:1");
        let left_out: Vec<String> = all.left_out.iter().map(ToString::to_string).collect();
        assert_eq!(left_out, ["cannot use cuda:0: it is broken"]);
        assert!(!all.is_empty(), "the last one is opened when it is needed");
        let error = gpus(Otherwise::Error).first().err().unwrap().to_string();
        assert_eq!(error, "cannot use cuda:0: it is broken");
    }

    #[test]
    fn several_names_are_one_that_can_be_typed() {
        let context = |number: usize| DeviceContext {
            gpu: Some(Gpu {
                number,
                kind: Kind { model: "H200".into(), capability: (9, 0), processors: 132 },
            }),
            ..DeviceContext::at(Place::Device(Device::Cpu), DType::F16, format!("cuda:{number} (H200)"))
        };
        let contexts = [context(0), context(3)];
        assert_eq!(names(&[&contexts[0]]), "cuda:0 (H200)");
        assert_eq!(names(&[&contexts[0], &contexts[1]]), "cuda:0,3 (H200)");
    }
}
