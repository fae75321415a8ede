"""How a scan grows from a thousand pictures to a million: seconds, processor time, memory and disk of each stage, in one plot.

    python scripts/quality/growth.py --work /tmp/growth --plot docs/growth.svg

The pictures are made: 32 by 32 pixels in tar files of 10,000 each, ten classes, each picture of its own. Of a hundred, one is a copy of
an earlier picture and one has the label of another class. All default detectors run with the small bundled model. A million takes
1.5 GB of disk for the pictures and most of an hour on two cores.
"""

import argparse
import io
import itertools
import json
import math
import os
import shutil
import subprocess
import tarfile
import time
from pathlib import Path

import numpy
from cleaning import CLASSES
from PIL import Image

SHARD = 10_000
# A stage that takes less in the larger of two sizes says nothing about growth.
SECONDS = 1.0


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--program", default="target/release/chaffinch")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000, 1_000_000]
    )
    parser.add_argument("--model", default="bundled-small")
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    measured = options.work / "growth.json"
    known = json.loads(measured.read_text()) if measured.exists() else {}
    for size in options.sizes:
        if str(size) not in known:
            known[str(size)] = scan(options, size)
            measured.write_text(json.dumps(known, indent=1))
    known = {int(size): figures for size, figures in known.items()}
    table(known)
    if options.plot:
        plot(known, options.plot)


def scan(options, size):
    """Makes the pictures, and what a scan of them takes."""
    data, session = options.work / f"data-{size}", options.work / f"session-{size}"
    make(data, size)
    shutil.rmtree(session, ignore_errors=True)
    words = [options.program, "scan", data, "--session", session]
    words += ["--model", options.model, "--json"]
    before, started = os.times(), time.monotonic()
    ran = subprocess.run(words, stdout=subprocess.PIPE, check=True)
    seconds, after = time.monotonic() - started, os.times()
    report = json.loads(ran.stdout)
    assert report["samples"] == size and not report["unreadable"], report
    user = after.children_user - before.children_user
    system = after.children_system - before.children_system
    files = [path for path in session.rglob("*") if path.is_file()]
    stages = {}
    for name, took in report["stages"]:
        # Some are embedded while they are read, the others after it.
        name = "read and embed" if name == "embed" else name
        stages[name] = stages.get(name, 0.0) + took
    shutil.rmtree(data)
    return {
        "seconds": seconds,
        "processor": user + system,
        "memory": report["peak_memory"],
        "disk": sum(path.stat().st_size for path in files),
        "suspects": report["suspects"],
        "stages": stages,
    }


def make(folder, size):
    """Tar files of pictures, the first ones the same whatever the size."""
    folder.mkdir(exist_ok=True)
    for first in range(0, size, SHARD):
        target = folder / f"{first // SHARD:06}.tar"
        with tarfile.open(target, "w", format=tarfile.USTAR_FORMAT) as shard:
            for number in range(first, min(first + SHARD, size)):
                label = number % len(CLASSES)
                said = (label + 1) % len(CLASSES) if number % 100 == 7 else label
                # A copy of the picture before it.
                bytes_ = picture(number - 1 if number % 100 == 55 else number)
                member = tarfile.TarInfo(f"{CLASSES[said]}/{number:07}.png")
                member.size = len(bytes_)
                shard.addfile(member, io.BytesIO(bytes_))


def picture(number):
    """Its class in the colors of its halves, and 64 tiles of its own with the noise of a camera."""
    random = numpy.random.default_rng(number)
    label = number % len(CLASSES)
    angle = 2 * math.pi * label / len(CLASSES)
    base = 128 + 60 * numpy.array(
        [math.cos(angle), math.sin(angle), math.cos(2 * angle)]
    )
    tiles = base + random.normal(0, 45, (8, 8, 3))
    tiles[:4] += 30 * (label % 2) - 15
    pixels = tiles.repeat(4, axis=0).repeat(4, axis=1)
    pixels += random.normal(0, 4, (32, 32, 1))
    image = Image.fromarray(pixels.clip(0, 255).astype(numpy.uint8))
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=1)
    return out.getvalue()


def exponents(known, of):
    """Between each size and the next: the power of the size with which something grows."""
    sizes = sorted(known)
    for small, large in itertools.pairwise(sizes):
        one, two = of(known[small]), of(known[large])
        yield math.log(two / one) / math.log(large / small) if one and two else None


def rows(known):
    sizes = sorted(known)
    yield "the scan, seconds", lambda figures: figures["seconds"]
    yield "the scan, processor seconds", lambda figures: figures["processor"]
    yield "memory at most, MiB", lambda figures: figures["memory"] / 2**20
    yield "the session on disk, MiB", lambda figures: figures["disk"] / 2**20
    for name in known[sizes[-1]]["stages"]:
        yield f"{name}, seconds", lambda figures, name=name: figures["stages"].get(name)


def table(known):
    sizes = sorted(known)
    print("| | " + " | ".join(f"{size:,}" for size in sizes) + " | exponents |")
    print("|---" * (len(sizes) + 2) + "|")
    for name, of in rows(known):
        cells = [of(known[size]) for size in sizes]
        numbers = [
            "" if cell is None else f"{cell:,.{2 if cell < 10 else 0}f}"
            for cell in cells
        ]
        powers = [
            "–" if power is None or cells[at + 1] < SECONDS else f"{power:.2f}"
            for at, power in enumerate(exponents(known, of))
        ]
        print(f"| {name} | {' | '.join(numbers)} | {', '.join(powers)} |")


def plot(known, target):
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update(
        {"svg.hashsalt": "growth", "svg.fonttype": "none", "font.family": "sans-serif"}
    )
    from matplotlib import pyplot

    sizes = sorted(known)
    figure, axes = pyplot.subplots(figsize=(8, 5.5))
    marks = "osD^v<>pPX*hd"
    stages = [
        name
        for name in known[sizes[-1]]["stages"]
        if known[sizes[-1]]["stages"][name] >= SECONDS
    ]
    stages.sort(key=lambda name: -known[sizes[-1]]["stages"][name])
    total = [known[size]["seconds"] for size in sizes]
    axes.loglog(sizes, total, "-k", linewidth=2.5, label="the whole scan")
    for at, name in enumerate(stages):
        took = [known[size]["stages"].get(name) or None for size in sizes]
        pairs = [(size, one) for size, one in zip(sizes, took) if one]
        style = f"-{marks[at % len(marks)]}"
        axes.loglog(*zip(*pairs), style, markersize=4, linewidth=1.2, label=name)
    start = total[-1] / sizes[-1] / math.log(sizes[-1])
    ideal = [start * size * math.log(size) for size in sizes]
    axes.loglog(sizes, ideal, "--", color="gray", linewidth=1, label="n log n")
    axes.set(xlabel="pictures", ylabel="seconds", ylim=(0.01, None))
    axes.grid(True, which="major", color="#dddddd")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    figure.savefig(target, metadata={"Date": None}, bbox_inches="tight")


if __name__ == "__main__":
    main()
