//! What a failing device says, in words.

use chaffinch_compute::embedding::EmbedError;

/// What candle reports of the driver, cuBLAS or cuRAND, and what it means for whoever uses the program. The first that is
/// found counts. Names are those of `CUresult`, `cublasStatus_t` and `curandStatus_t`.
const MEANINGS: [(&[&str], Meaning); 6] = [
    (
        &[
            "OUT_OF_MEMORY",
            "OUT OF MEMORY",
            "ALLOC_FAILED",
            "ALLOCATION_FAILED",
            "CUBLAS_STATUS_NOT_INITIALIZED",
        ],
        Meaning::NoMemory,
    ),
    (&["CUDA_ERROR_STUB_LIBRARY"], Meaning::NoDriver),
    (&["CUBLAS_STATUS_NOT_SUPPORTED", "CURAND_STATUS_INITIALIZATION_FAILED"], Meaning::NoLibrary),
    (
        &["INSUFFICIENT_DRIVER", "SYSTEM_DRIVER_MISMATCH", "UNSUPPORTED_PTX_VERSION", "COMPAT_NOT_SUPPORTED"],
        Meaning::OldDriver,
    ),
    (&["CUDA_ERROR_NO_DEVICE", "CUDA_ERROR_INVALID_DEVICE"], Meaning::NoDevice),
    (&["NO_BINARY_FOR_GPU", "INVALID_PTX", "INVALID_IMAGE", "INVALID_SOURCE"], Meaning::OtherCode),
];

/// Kinds of failures that ask for different actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    NoMemory,
    NoDriver,
    NoLibrary,
    OldDriver,
    NoDevice,
    OtherCode,
}

impl Meaning {
    /// By the text of an error.
    pub(crate) fn of(text: &str) -> Option<Meaning> {
        let upper = text.to_ascii_uppercase();
        MEANINGS
            .iter()
            .find(|(names, _)| names.iter().any(|name| upper.contains(name)))
            .map(|(_, meaning)| *meaning)
    }

    /// Why the device cannot be used, and what to do; the end of a sentence.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Meaning::NoMemory => "its memory is full; end other programs on it, see nvidia-smi",
            Meaning::NoDriver => {
                "there is no NVIDIA driver (libcuda.so.1); install it, and in a container, pass the GPU through"
            }
            Meaning::NoLibrary => {
                "libcublas.so.13 or libcurand.so.10 is missing; install CUDA 13, or set CHAFFINCH_CUDA_LIBRARIES to the \
                 folder with its libraries"
            }
            Meaning::OldDriver => "the NVIDIA driver is too old; install version 580 or later (CUDA 13.0)",
            Meaning::NoDevice => "there is no such NVIDIA GPU; nvidia-smi lists those that there are",
            Meaning::OtherCode => {
                "this program has no code for it; GPUs of compute capability 8.0 and up are supported (Ampere and later)"
            }
        }
    }
}

/// Candle's message in one line, without its backtrace.
pub(crate) fn first_line(error: &candle_core::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

/// Classifies candle's errors: a device that is out of memory can continue with smaller batches.
pub(crate) fn failed(device: &str, error: &candle_core::Error, batch: usize) -> EmbedError {
    let reason = first_line(error);
    if Meaning::of(&reason) == Some(Meaning::NoMemory) {
        return EmbedError::OutOfMemory { device: device.to_owned(), batch };
    }
    EmbedError::Model(format!("{device} failed: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_full_memory_is_out_of_memory() {
        for text in [
            "DriverError(CUDA_ERROR_OUT_OF_MEMORY, \"out of memory\")",
            "CublasError(CUBLAS_STATUS_ALLOC_FAILED)",
            "CublasError(CUBLAS_STATUS_NOT_INITIALIZED)",
            "CurandError(CURAND_STATUS_ALLOCATION_FAILED)",
        ] {
            let error = candle_core::Error::Cuda(text.into());
            let found = failed("cuda:0", &error, 16);
            assert!(matches!(found, EmbedError::OutOfMemory { batch: 16, .. }), "{text}: {found}");
        }
        let other = candle_core::Error::Cuda("DriverError(CUDA_ERROR_ILLEGAL_ADDRESS, \"illegal\")".into());
        assert!(matches!(failed("cuda:0", &other, 16), EmbedError::Model(_)));
    }
}
