#![allow(unsafe_code)] // Kernels are launched with the arguments that their sources name.
//! Launches of the kernels in `kernels.cu`. A tensor has fewer than 2^31 numbers, see `budget`.

use super::{Patches, Split, SumNorm, Tokens};
use crate::ops::Activation;
use crate::preprocess::{Crop, Preprocessing};
use candle_core::cuda_backend::cudarc::driver::{
    CudaFunction, CudaSlice, CudaView, CudaViewMut, LaunchConfig, PushKernelArg,
};
use candle_core::cuda_backend::{CudaDType, WrapErr};
use candle_core::{CudaDevice, CudaStorage, Layout, Result, Shape};
use chaffinch_compute::image::RgbImage;
use chaffinch_compute::image::resample::{Pass, Plan};
use half::f16;

/// The kernels as the driver takes them, which compiles them for the card.
const PTX: &str = include_str!(concat!(env!("OUT_DIR"), "/kernels.ptx"));
/// Threads of a block.
const BLOCK: u32 = 256;
/// Threads that do a row together.
const WARP: u64 = 32;
/// Numbers that a thread takes at once where rows are a multiple of it.
const PIECE: usize = 8;

type At<'a> = (&'a CudaStorage, &'a Layout);

fn kernel(device: &CudaDevice, name: &str) -> Result<CudaFunction> {
    Ok(device.get_or_load_custom_func(name, "chaffinch", PTX)?.into_cuda_function())
}

/// Blocks for that many threads.
fn blocks(threads: u64) -> Result<LaunchConfig> {
    let count = u32::try_from(threads.div_ceil(u64::from(BLOCK)).max(1)).map_err(candle_core::Error::wrap)?;
    Ok(LaunchConfig { grid_dim: (count, 1, 1), block_dim: (BLOCK, 1, 1), shared_mem_bytes: 0 })
}

fn small(number: usize) -> Result<u32> {
    u32::try_from(number).map_err(candle_core::Error::wrap)
}

/// The numbers of a contiguous tensor.
fn numbers<'a, T: CudaDType>((storage, layout): At<'a>) -> Result<CudaView<'a, T>> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(storage.as_cuda_slice::<T>()?.slice(start..end)),
        None => candle_core::bail!("a fused step needs contiguous numbers"),
    }
}

/// How many numbers a thread takes: rows are a multiple of it, and tensors start at one.
fn piece(width: usize, tensors: &[&Layout]) -> usize {
    let whole = |number: usize| number.is_multiple_of(PIECE);
    if whole(width) && tensors.iter().all(|layout| whole(layout.start_offset())) { PIECE } else { 1 }
}

/// The inputs `[images, 3, size, size]` of a tower, resized and cropped here to the bytes of [`Preprocessing::apply`].
pub(crate) fn inputs(
    device: &CudaDevice,
    images: &[RgbImage],
    preprocessing: &Preprocessing,
) -> Result<CudaSlice<u8>> {
    let each = preprocessing.len();
    // Black where nothing is kept.
    let mut out = device.alloc_zeros::<u8>(each * images.len())?;
    // Pictures of one dataset often have the same size, and so the same weights.
    let mut sent: Vec<(Pass, CudaSlice<u32>)> = Vec::new();
    for (number, image) in images.iter().enumerate() {
        let Some((plan, crop)) = preprocessing.plan(image.dimensions()) else { continue };
        let mut bytes = device.clone_htod(image.as_raw())?;
        for pass in &plan.passes {
            let known = sent.iter().position(|(known, _)| known == pass);
            let at = match known {
                Some(at) => at,
                None => {
                    let weights = pass.weights.iter().map(|weight| weight.cast_unsigned());
                    let table: Vec<u32> =
                        pass.starts.iter().chain(&pass.counts).copied().chain(weights).collect();
                    sent.push((pass.clone(), device.clone_htod(&table)?));
                    sent.len() - 1
                }
            };
            bytes = resample(device, &bytes, pass, &sent[at].1)?;
        }
        let out = out.slice_mut(number * each..(number + 1) * each);
        planes(device, &bytes, (&plan, &crop), preprocessing.side(), out)?;
    }
    Ok(out)
}

/// One pass; `table` has its starts, counts and weights.
fn resample(
    device: &CudaDevice,
    bytes: &CudaSlice<u8>,
    pass: &Pass,
    table: &CudaSlice<u32>,
) -> Result<CudaSlice<u8>> {
    let (bytes, positions) = (bytes.slice(pass.skipped..), pass.starts.len());
    let (starts, counts) = (table.slice(..positions), table.slice(positions..2 * positions));
    let weights = table.slice(2 * positions..);
    // SAFETY: every byte is written by the kernel.
    let out = unsafe { device.alloc::<u8>(pass.len())? };
    // Places fit in 32 bits.
    let (count, positions) = (u64::from(small(pass.len())?), small(positions)?);
    let (stream, function) = (device.cuda_stream(), kernel(device, "resample_u8")?);
    let mut launch = stream.launch_builder(&function);
    launch.arg(&count).arg(&bytes).arg(&out).arg(&starts).arg(&counts).arg(&weights);
    launch.arg(&pass.length).arg(&positions).arg(&pass.inner).arg(&pass.longest).arg(&Pass::BITS);
    // SAFETY: the arguments are those of `resample_u8`, and a plan reads what the last pass wrote, or the picture.
    unsafe { launch.launch(blocks(count)?) }.w()?;
    drop(launch);
    Ok(out)
}

/// What is kept of the resized picture, as planes.
fn planes(
    device: &CudaDevice,
    bytes: &CudaSlice<u8>,
    (plan, Crop { window, x, y, .. }): (&Plan, &Crop),
    size: usize,
    mut out: CudaViewMut<'_, u8>,
) -> Result<()> {
    let (count, size) = (3 * (size * size) as u64, small(size)?);
    let (stream, function) = (device.cuda_stream(), kernel(device, "planes_u8")?);
    let mut launch = stream.launch_builder(&function);
    launch.arg(&count).arg(bytes).arg(&mut out).arg(&plan.stride).arg(&plan.left).arg(&plan.top);
    launch.arg(&window.width).arg(&window.height).arg(x).arg(y).arg(&size);
    // SAFETY: the arguments are those of `planes_u8`; `out` has three planes, and the window is a part of the bytes.
    unsafe { launch.launch(blocks(count)?) }.w()?;
    Ok(())
}

pub(super) fn patches(op: &Patches, storage: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
    let device = storage.device.clone();
    let sides @ [_, size, side] = op.sides(layout)?;
    let shape = op.shape(sides);
    let piece = if op.patch.is_multiple_of(PIECE) { PIECE } else { op.patch };
    let bytes = numbers::<u8>((storage, layout))?;
    // SAFETY: every number is written by the kernel.
    let out = unsafe { device.alloc::<f16>(shape.elem_count())? };
    let count = (shape.elem_count() / piece) as u64;
    let [size, side, patch, piece] = [small(size)?, small(side)?, small(op.patch)?, small(piece)?];
    let (stream, function) = (device.cuda_stream(), kernel(&device, "patches_f16")?);
    let mut launch = stream.launch_builder(&function);
    launch.arg(&count).arg(&bytes).arg(&out).arg(&size).arg(&side).arg(&patch).arg(&piece);
    for which in 0..2 {
        op.line.iter().for_each(|line| {
            launch.arg(&line[which]);
        });
    }
    // SAFETY: the arguments are those of `patches_f16`; it reads the bytes of `images` pictures and writes `out`.
    unsafe { launch.launch(blocks(count)?) }.w()?;
    drop(launch);
    Ok((CudaStorage::wrap_cuda_slice(out, device), shape))
}

pub(super) fn tokens(op: &Tokens, products: At, table: At, norm: At) -> Result<(CudaStorage, Shape)> {
    let device = products.0.device.clone();
    let (images, patches, width) = products.1.shape().dims3()?;
    let tokens = table.1.shape().elem_count() / width;
    let shape: Shape = (images, tokens, width).into();
    let (products, table, norm) = (numbers::<f16>(products)?, numbers::<f16>(table)?, numbers::<f16>(norm)?);
    // SAFETY: every number is written by the kernel.
    let out = unsafe { device.alloc::<f16>(shape.elem_count())? };
    let (rows, eps, none) = ((images * tokens) as u64, op.eps.unwrap_or_default(), 0_u64);
    let [before, tokens, width] = [small(tokens - patches)?, small(tokens)?, small(width)?];
    let (stream, function) = (device.cuda_stream(), kernel(&device, "tokens_f16")?);
    let mut launch = stream.launch_builder(&function);
    launch.arg(&rows).arg(&products).arg(&table);
    match op.eps {
        Some(_) => launch.arg(&norm),
        None => launch.arg(&none),
    };
    launch.arg(&out).arg(&tokens).arg(&before).arg(&width).arg(&eps);
    // SAFETY: the arguments are those of `tokens_f16`, and tensors have the shapes that they say.
    unsafe { launch.launch(blocks(rows * WARP)?) }.w()?;
    drop(launch);
    Ok((CudaStorage::wrap_cuda_slice(out, device), shape))
}

pub(in crate::ops) fn bias(
    x: (&mut CudaStorage, &Layout),
    bias: At,
    activation: Option<Activation>,
) -> Result<()> {
    let (storage, layout) = x;
    let Some((start, end)) = layout.contiguous_offsets() else {
        candle_core::bail!("a fused step needs contiguous numbers");
    };
    let width = bias.1.shape().elem_count();
    let piece = piece(width, &[layout, bias.1]);
    let bias = numbers::<f16>(bias)?;
    let device = storage.device.clone();
    let mut x = storage.as_cuda_slice_mut::<f16>()?.slice_mut(start..end);
    let (count, width) = (((end - start) / piece) as u64, small(width)?);
    let which: u32 = match activation {
        None => 0,
        Some(Activation::QuickGelu) => 1,
        Some(Activation::Gelu) => 2,
        Some(Activation::GeluTanh) => 3,
    };
    let (stream, function) =
        (device.cuda_stream(), kernel(&device, if piece == 1 { "bias_1_f16" } else { "bias_8_f16" })?);
    let mut launch = stream.launch_builder(&function);
    launch.arg(&count).arg(&mut x).arg(&bias).arg(&width).arg(&which);
    // SAFETY: the arguments are those of `bias_N_f16`; `x` has `count` pieces, whole rows of `width`.
    unsafe { launch.launch(blocks(count)?) }.w()?;
    Ok(())
}

pub(super) fn split(op: &Split, x: At, bias: At) -> Result<(CudaStorage, Shape)> {
    let device = x.0.device.clone();
    let sides @ [tokens, size] = op.sides(x.1)?;
    let piece = piece(size, &[x.1, bias.1]);
    let (x, bias) = (numbers::<f16>(x)?, numbers::<f16>(bias)?);
    let shape = op.shape(sides);
    // SAFETY: every number is written by the kernel.
    let out = unsafe { device.alloc::<f16>(shape.elem_count())? };
    let count = (shape.elem_count() / piece) as u64;
    let [images, tokens, parts] = [small(op.images)?, small(tokens)?, small(op.parts)?];
    let [heads, size] = [small(op.heads)?, small(size)?];
    let (stream, function) =
        (device.cuda_stream(), kernel(&device, if piece == 1 { "split_1_f16" } else { "split_8_f16" })?);
    let mut launch = stream.launch_builder(&function);
    launch
        .arg(&count)
        .arg(&x)
        .arg(&bias)
        .arg(&out)
        .arg(&images)
        .arg(&tokens)
        .arg(&parts)
        .arg(&heads)
        .arg(&size);
    // SAFETY: the arguments are those of `split_N_f16`, and tensors have the shapes that they say.
    unsafe { launch.launch(blocks(count)?) }.w()?;
    drop(launch);
    Ok((CudaStorage::wrap_cuda_slice(out, device), shape))
}

pub(super) fn merge(x: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
    let device = x.device.clone();
    let (images, heads, tokens, size) = layout.shape().dims4()?;
    let piece = piece(size, &[layout]);
    let x = numbers::<f16>((x, layout))?;
    // SAFETY: every number is written by the kernel.
    let out = unsafe { device.alloc::<f16>(layout.shape().elem_count())? };
    let count = (layout.shape().elem_count() / piece) as u64;
    let [tokens_, heads_, size_] = [small(tokens)?, small(heads)?, small(size)?];
    let (stream, function) =
        (device.cuda_stream(), kernel(&device, if piece == 1 { "merge_1_f16" } else { "merge_8_f16" })?);
    let mut launch = stream.launch_builder(&function);
    launch.arg(&count).arg(&x).arg(&out).arg(&tokens_).arg(&heads_).arg(&size_);
    // SAFETY: the arguments are those of `merge_N_f16`, and tensors have the shapes that they say.
    unsafe { launch.launch(blocks(count)?) }.w()?;
    drop(launch);
    Ok((CudaStorage::wrap_cuda_slice(out, device), (images * tokens, heads * size).into()))
}

pub(in crate::ops) fn softmax(x: &mut CudaStorage, layout: &Layout, causal: bool) -> Result<()> {
    let ([.., queries, keys], Some((start, end))) = (layout.dims(), layout.contiguous_offsets()) else {
        candle_core::bail!("softmax needs two dimensions of contiguous numbers");
    };
    let device = x.device.clone();
    let mut x = x.as_cuda_slice_mut::<f16>()?.slice_mut(start..end);
    let (rows, causal) = (((end - start) / (*keys).max(1)) as u64, u32::from(causal));
    let [queries, keys] = [small(*queries)?, small(*keys)?];
    let (stream, function) = (device.cuda_stream(), kernel(&device, "attention_f16")?);
    let mut launch = stream.launch_builder(&function);
    launch.arg(&rows).arg(&mut x).arg(&queries).arg(&keys).arg(&causal);
    // SAFETY: the arguments are those of `attention_f16`; `x` has `rows` rows of `keys` numbers.
    unsafe { launch.launch(blocks(rows * WARP)?) }.w()?;
    Ok(())
}

pub(super) fn sum_norm(op: &SumNorm, product: At, residual: At, with: At) -> Result<(CudaStorage, Shape)> {
    let device = product.0.device.clone();
    let (rows, width) = product.1.shape().dims2()?;
    let rows = rows / op.every;
    let shape: Shape = (2, rows, width).into();
    let (product, residual, with) =
        (numbers::<f16>(product)?, numbers::<f16>(residual)?, numbers::<f16>(with)?);
    // SAFETY: every number is written by the kernel.
    let out = unsafe { device.alloc::<f16>(shape.elem_count())? };
    let (rows, every, width) = (rows as u64, small(op.every)?, small(width)?);
    let (stream, function) = (device.cuda_stream(), kernel(&device, "sum_norm_f16")?);
    let mut launch = stream.launch_builder(&function);
    launch.arg(&rows).arg(&product).arg(&residual).arg(&with).arg(&out).arg(&every).arg(&width).arg(&op.eps);
    // SAFETY: the arguments are those of `sum_norm_f16`, and tensors have the shapes that they say.
    unsafe { launch.launch(blocks(rows * WARP)?) }.w()?;
    drop(launch);
    Ok((CudaStorage::wrap_cuda_slice(out, device), shape))
}
