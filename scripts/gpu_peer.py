#!/usr/bin/env python3
"""Seeded checkpoints, pictures and vectors, torch's figures, and comparisons, for `scripts/gpu-measure`.

Reads and writes in the folder that GPU_WORK names. Needs NumPy; pictures need Pillow, checkpoints torch and transformers.
"""

import collections
import csv
import glob
import io
import json
import multiprocessing
import os
import sys
import time

import numpy as np

WORK = os.environ.get("GPU_WORK", ".gpu-work")
# Width, inner width, layers, heads, side of the picture and of a patch. "null" costs nothing; "long" has more than 2^31
# scores in a batch of 256.
SHAPES = {
    "b32": (768, 3072, 12, 12, 224, 32),
    "l14": (1024, 4096, 24, 16, 224, 14),
    "null": (64, 64, 1, 1, 224, 32),
    "long": (768, 3072, 2, 12, 512, 16),
}


def checkpoints(*names):
    import torch
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    for name in names:
        width, inner, layers, heads, side, patch = SHAPES[name]
        draw = torch.Generator().manual_seed(0)
        config = CLIPVisionConfig(
            hidden_size=width,
            intermediate_size=inner,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            image_size=side,
            patch_size=patch,
            projection_dim=512,
        )
        model = CLIPVisionModelWithProjection(config)
        # Larger than usual, so that attention is not uniform and every step shows in the vectors.
        with torch.no_grad():
            for key, values in sorted(model.named_parameters()):
                noise, norm = (
                    torch.randn(values.shape, generator=draw),
                    "norm" in key or "layrnorm" in key,
                )
                matrix = values.ndim > 1 and "embedding" not in key
                scale = 1.2 / values.flatten(1).shape[1] ** 0.5 if matrix else 0.3
                values.copy_(
                    noise * (0.1 if norm else scale) + (norm and key.endswith("weight"))
                )
        model.save_pretrained(f"{WORK}/{name}")
        with open(f"{WORK}/{name}/preprocessor_config.json", "w") as file:
            json.dump(
                {
                    "size": {"shortest_edge": side},
                    "crop_size": {"height": side, "width": side},
                },
                file,
            )


def jpeg(number):
    from PIL import Image

    draw = np.random.default_rng(number)
    rough = Image.fromarray(draw.integers(0, 256, (12, 16, 3), dtype=np.uint8))
    rough = rough.resize((500, 375), Image.Resampling.BICUBIC)
    grained = np.asarray(rough, np.int16) + draw.normal(0, 9, (375, 500, 1)).astype(
        np.int16
    )
    out = io.BytesIO()
    Image.fromarray(np.clip(grained, 0, 255).astype(np.uint8)).save(
        out, "JPEG", quality=90
    )
    return out.getvalue()


def pictures(folder, count, different=512):
    """Files that differ in a comment are different contents, and take as long to decode."""
    count = int(count)
    with multiprocessing.Pool() as pool:
        drawn = pool.map(jpeg, range(min(count, different)), 8)
    for number in range(count):
        place = f"{WORK}/{folder}/class{number % 10}"
        os.makedirs(place, exist_ok=True)
        data = drawn[number % len(drawn)]
        with open(f"{place}/{number:06}.jpg", "wb") as file:
            file.write(data[:2] + b"\xff\xfe\x00\x0b" + b"%09d" % number + data[2:])


def rows(count, cols=512):
    """Unit vectors around 1,000 centers, with lengths of coordinates as embeddings have them."""
    count = int(count)
    draw = np.random.default_rng(4)
    fall = (1 / np.sqrt(np.arange(1, cols + 1))).astype("f4")
    groups = draw.standard_normal((1000, cols), dtype="f4") * fall
    with open(f"{WORK}/rows.f32", "wb") as file:
        for start in range(0, count, 50_000):
            some = groups[draw.integers(0, 1000, min(50_000, count - start))]
            some = some + draw.standard_normal(some.shape, dtype="f4") * (0.7 * fall)
            file.write((some / np.linalg.norm(some, axis=1, keepdims=True)).tobytes())


def torch_figures(*names, batch=256):
    import torch
    from transformers import CLIPVisionModelWithProjection

    def timed(work, rounds=20):
        for number in range(rounds + 3):
            if number == 3:
                torch.cuda.synchronize()
                start = time.perf_counter()
            work()
        torch.cuda.synchronize()
        return (time.perf_counter() - start) / rounds

    a = torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16)
    print(
        f"product of 8192 in bf16: {2 * 8192**3 / timed(lambda: a @ a) / 1e12:.0f} TFLOP/s"
    )
    host = torch.rand(batch, 3, 224, 224)
    for kind, source in ("pageable", host), ("pinned", host.pin_memory()):
        seconds = timed(lambda source=source: source.to("cuda", non_blocking=True))
        print(f"{kind} to the GPU: {host.nbytes / seconds / 1e9:.1f} GB/s")
    for name in names:
        for dtype in torch.bfloat16, torch.float16:
            pixels = torch.randn(batch, 3, 224, 224, device="cuda", dtype=dtype)
            model = (
                CLIPVisionModelWithProjection.from_pretrained(
                    f"{WORK}/{name}", dtype=dtype
                )
                .cuda()
                .eval()
            )
            forms = [("", model)]
            if (name, dtype) == ("b32", torch.bfloat16):
                forms.append((" compiled", torch.compile(model)))
            for words, form in forms:
                with torch.inference_mode():
                    seconds = timed(
                        lambda form=form, pixels=pixels: (
                            form(pixel_values=pixels).image_embeds
                        )
                    )
                rate = batch / seconds
                print(
                    f"torch {name} {dtype}{words}: {rate:.0f} images/s, {seconds * 1e3:.2f} ms",
                    flush=True,
                )


def vectors(session):
    found = {}
    for path in glob.glob(f"{WORK}/{session}/embeddings/*/chunk-*.safetensors"):
        with open(path, "rb") as file:
            raw = file.read()
        start = 8 + int.from_bytes(raw[:8], "little")
        part = {}
        for key, at in json.loads(raw[8:start]).items():
            if "dtype" in at:
                kind, count = (
                    {"F32": "<f4", "U8": "u1"}[at["dtype"]],
                    int(np.prod(at["shape"])),
                )
                numbers = np.frombuffer(raw, kind, count, start + at["data_offsets"][0])
                part[key] = numbers.reshape(at["shape"])
        triples = zip(part["hashes"], part["embeddings"], part["usable"])
        found.update((key.tobytes(), row) for key, row, usable in triples if usable)
    return found


def compare(left, right, neighbours=10):
    """The vectors of two sessions: bits, cosines, and whether neighbours are the same."""
    left, right = vectors(left), vectors(right)
    keys = sorted(left.keys() & right.keys())
    a, b = (np.array([side[key] for key in keys]) for side in (left, right))
    same = {}
    for count in sorted({neighbours, min(887, len(keys) - 1)}):
        near = [
            np.argsort(-(some @ some.T - 2 * np.eye(len(some))), 1)[:, :count]
            for some in (a, b)
        ]
        same[count] = np.mean([len(set(x) & set(y)) for x, y in zip(*near)]) / count
    cosines = (a.astype("f8") * b).sum(1)
    print(
        f"{len(keys)} on both sides, {len(left.keys() ^ right.keys())} on one; bits equal {(a == b).all(1).mean():.4f}; "
        f"least cosine {cosines.min():.7f}, most apart {abs(a - b).max():.1e}; same neighbours "
        + ", ".join(f"{share:.4f} of {count}" for count, share in same.items())
    )


def lists(left, right):
    """Two files of `bench neighbors --output`."""
    a, b = (
        np.fromfile(f"{WORK}/{name}", "<u4").reshape(-1, 10) for name in (left, right)
    )
    same = np.mean([len(np.intersect1d(x, y)) for x, y in zip(a[::50], b[::50])]) / 10
    print(f"same of ten neighbours {same:.5f}, rows equal {(a == b).all(1).mean():.5f}")


def kernels(path):
    """Sums of the times that `ncu` reports, by kernel."""
    sums, scale = (
        collections.defaultdict(lambda: [0.0, 0]),
        {"n": 1e-6, "u": 1e-3, "m": 1},
    )
    with open(path) as file:
        for row in csv.DictReader(line for line in file if line.startswith('"')):
            if row["Metric Name"] == "gpu__time_duration.sum":
                at = sums[row["Kernel Name"].split("(")[0][:70]]
                at[0] += (
                    float(row["Metric Value"].replace(",", ""))
                    * scale[row["Metric Unit"][0]]
                )
                at[1] += 1
    largest = sorted(sums.items(), key=lambda item: -item[1][0])[:16]
    for name, (millis, count) in [*largest, ("all", np.sum([*sums.values()], 0))]:
        print(f"{millis:9.2f} ms {count:6.0f} x {name}")


def counted(*wanted):
    """What the emulated GPU counted in the last program. Fails where that is not what was wanted: `on`, work on the GPU; `off`, none;
    a number, at most so many MiB in use with the context."""
    path = os.environ["EMULATED_GPU_LOG"]
    with open(path) as file:
        told = json.load(file)
    # The next program's are its own.
    os.remove(path)
    calls = sum(told["calls"].values())
    peak = told["peak"] + int(os.environ["EMULATED_GPU_CONTEXT"])
    print(
        f"emulated: {told['launches']} launches, {calls} calls of the driver, {told['uploaded']} bytes there, "
        f"{told['downloaded']} back, at most {told['peak']} in use beside the context, {told['left']} left"
    )
    for one in wanted:
        if one in ("on", "off"):
            met = (told["launches"] > 0) == (one == "on")
        else:
            met = peak <= int(one) << 20
        if not met:
            sys.exit(f"emulated: not as wanted, which was {one}")


def rate():
    """The rate of a scan's or a benchmark's report on standard input. The first stage of a scan reads and embeds."""
    told = json.load(sys.stdin)
    times = dict(told.get("stages", [(told.get("what"), told["seconds"])]))
    items = told.get("embedded", told.get("items"))
    each = items / max(next(iter(times.values())), 1e-9)
    print(
        f"{each:.0f} a second; {items} items; seconds {times}; failed {told.get('failed', [])}"
    )


WORKS = {
    "checkpoints": checkpoints,
    "pictures": pictures,
    "rows": rows,
    "torch": torch_figures,
    "compare": compare,
    "lists": lists,
    "kernels": kernels,
    "counted": counted,
    "rate": rate,
}

if __name__ == "__main__":
    WORKS[sys.argv[1]](*sys.argv[2:])
