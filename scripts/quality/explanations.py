#!/usr/bin/env python3
"""Whether explanations find the object: the share of pictures whose relevance is higher inside the object's box than outside.

    python scripts/quality/explanations.py --pictures CIFAR10_DIR/test --side 64 --model bundled-small --work /tmp/explanations
    python scripts/quality/explanations.py --pictures CATS_DOGS_DIR --side 400 --model bundled-photo --work /tmp/explanations

The pictures are in a folder for each class, or called `CLASS.N.jpg` in one folder. Each is pasted at half the side of a background at
a place drawn at random: on clouds of random colors, and on a picture of another class. `chaffinch explain --class` maps the true
class; a cell counts inside by the part of it that the box covers. Chance is one half. Needs Pillow.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

from PIL import Image

BACKGROUNDS = ["clouds", "another class"]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--program", default="target/release/chaffinch")
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--model", default="bundled-small")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", type=Path, required=True)
    options = parser.parse_args()
    classes = by_class(options.pictures)
    print("| model | background | pictures | inside above outside |")
    print("|---|---|---|---|")
    for background in BACKGROUNDS:
        folder = options.work / f"{options.model}-{background.replace(' ', '-')}"
        shutil.rmtree(folder, ignore_errors=True)
        boxes = paste(options, classes, background, folder / "data")
        right = measure(options, folder, boxes)
        share = 100 * right / len(boxes)
        print(
            f"| {options.model} | {background} | {len(boxes)} | {share:.1f} % |",
            flush=True,
        )


def by_class(folder):
    """The pictures of each class."""
    classes = {}
    for path in sorted(folder.rglob("*.jpg")):
        flat = path.parent == folder
        name = path.name.split(".")[0] if flat else path.parent.name
        classes.setdefault(name, []).append(path)
    if len(classes) < 2:
        sys.exit(f"{folder}: expected JPEG files of at least two classes")
    return classes


def paste(options, classes, background, data):
    """Writes the pictures, and returns the box of each object in pixels by the path of its picture."""
    chance = random.Random(f"{options.seed} {background}")
    side, names, boxes = options.side, sorted(classes), {}
    for number in range(options.count):
        name = names[number % len(names)]
        if background == "clouds":
            picture = clouds(chance, side)
        else:
            other = chance.choice([other for other in names if other != name])
            picture = opened(chance.choice(classes[other]), side)
        size = side // 2
        left, top = (chance.randrange(side - size + 1) for _ in range(2))
        picture.paste(opened(chance.choice(classes[name]), size), (left, top))
        path = f"{name}/{number:03}.png"
        (data / name).mkdir(parents=True, exist_ok=True)
        picture.save(data / path)
        boxes[path] = (left, top, left + size, top + size)
    return boxes


def opened(path, side):
    return (
        Image.open(path).convert("RGB").resize((side, side), Image.Resampling.BICUBIC)
    )


def clouds(chance, side):
    """Random colors in layers, each twice as fine and half as strong as the one before."""
    color = tuple(chance.randrange(40, 216) for _ in range(3))
    picture, cells, strength = Image.new("RGB", (side, side), color), 2, 0.5
    while cells <= side // 2:
        layer = Image.frombytes("RGB", (cells, cells), chance.randbytes(3 * cells**2))
        layer = layer.resize((side, side), Image.Resampling.BICUBIC)
        picture = Image.blend(picture, layer, strength)
        cells, strength = 2 * cells, strength / 2
    return picture


def measure(options, folder, boxes):
    """In how many pictures the mean relevance inside the box is above that outside."""
    session = folder / "session"
    call(options, "scan", folder / "data", "--session", session, "--model", options.model, "--quiet")  # fmt: skip
    right = 0
    for name in sorted({path.split("/")[0] for path in boxes}):
        paths = [path for path in boxes if path.startswith(f"{name}/")]
        found = call(options, "explain", session, *paths, "--class", name, "--json", "--quiet")  # fmt: skip
        for one in json.loads(found):
            inside, outside = means(one, boxes[one["path"]])
            right += inside > outside
    return right


def means(one, box):
    """The mean relevance inside and outside of a box."""
    relevance = one["explanations"][0]["relevance"]
    left, top, right, bottom = one["seen"]
    high, wide = (bottom - top) / len(relevance), (right - left) / len(relevance[0])
    sums, weights = [0.0, 0.0], [0.0, 0.0]
    for row, values in enumerate(relevance):
        for column, value in enumerate(values):
            x, y = left + column * wide, top + row * high
            across = max(0.0, min(x + wide, box[2]) - max(x, box[0])) / wide
            down = max(0.0, min(y + high, box[3]) - max(y, box[1])) / high
            for part, weight in enumerate([across * down, 1 - across * down]):
                sums[part] += weight * value
                weights[part] += weight
    return sums[0] / weights[0], sums[1] / weights[1]


def call(options, *arguments):
    """Standard output of the program."""
    command = [options.program, *map(str, arguments)]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, env=environment
    )
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: {done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()
