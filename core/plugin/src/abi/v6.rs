//! The declarations of version 6, which had neither columns nor an order of detectors. Everything else is as it is now.

use super::{Measure, Param, Slice, Status, Str};

/// As [`PluginTable`](super::PluginTable) was.
#[derive(Debug)]
#[repr(C)]
pub struct PluginTable {
    /// 6.
    pub abi: u32,
    /// `size_of::<PluginTable>()` of the build that produced it.
    pub size: u32,
    /// The package that was built.
    pub build: Str,
    /// The detectors.
    pub detectors: Slice<DetectorTable>,
}

/// As [`Info`](super::Info) was.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Info {
    name: Str,
    version: Str,
    summary: Str,
    docs: Str,
    needs: u64,
    threshold: f32,
    scope: u32,
    params: Slice<Param>,
}

/// As [`DetectorTable`](super::DetectorTable) was.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct DetectorTable {
    info: Info,
    run: Option<unsafe extern "C" fn(*const super::HostTable) -> Status>,
    measure: Option<Measure>,
    measure_bytes: u32,
    measure_side: u32,
}

impl From<DetectorTable> for super::DetectorTable {
    fn from(old: DetectorTable) -> super::DetectorTable {
        let Info { name, version, summary, docs, needs, threshold, scope, params } = old.info;
        let (columns, after) = (Slice::empty(), Slice::empty());
        super::DetectorTable {
            info: super::Info {
                name,
                version,
                summary,
                docs,
                needs,
                threshold,
                scope,
                params,
                columns,
                after,
            },
            run: old.run,
            measure: old.measure,
            measure_bytes: old.measure_bytes,
            measure_side: old.measure_side,
        }
    }
}
