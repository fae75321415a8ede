#!/usr/bin/env python3
"""Draws the demo set: clip art on generated backgrounds, with planted faults and their list.

    apt-get download openclipart-png && dpkg -x openclipart-png_*.deb art
    python scripts/demo/make_demo.py --art art/usr/share/openclipart/png --output demo

Needs Pillow and numpy. The seed is fixed: the same versions of both draw the same files.
"""

from __future__ import annotations

import argparse
import csv
import io
import random
import shutil
from pathlib import Path

import numpy as np
from pieces import FOREIGN, PIECES
from PIL import Image, ImageEnhance, ImageFilter

SEED = 20240
PER_CLASS = 25
SIDES = [72, 80, 88, 96, 104, 112]
# Backgrounds by name: the two colors of a vertical gradient, and the ground that starts in the middle, if any.
SKY = [
    ((110, 160, 220), (205, 225, 245)),
    ((150, 175, 200), (225, 228, 232)),
    ((80, 130, 200), (170, 205, 235)),
]
GRASS = [(88, 130, 62), (112, 148, 74), (70, 108, 56), (140, 150, 90)]
ROAD = [(120, 120, 122), (95, 96, 100), (150, 146, 140)]
SEA = [(40, 92, 130), (52, 116, 142), (70, 110, 140)]
HAZE = [((214, 216, 218), (226, 226, 224)), ((198, 202, 206), (222, 222, 220))]
TREES = [((60, 84, 52), (80, 104, 60)), ((50, 70, 40), (58, 82, 48))]
FIELD = [((176, 186, 160), (150, 160, 120))]
EARTH = [((120, 96, 70), (90, 70, 50)), ((132, 110, 84), (100, 82, 60))]
SAND = [((206, 186, 150), (190, 168, 130)), ((188, 172, 142), (172, 152, 122))]
WALL = [((150, 150, 152), (180, 180, 182)), ((238, 238, 238), (250, 250, 250))]
ROOM = [
    ((196, 176, 150), (150, 122, 92)),
    ((190, 150, 140), (150, 110, 100)),
    ((170, 150, 140), (110, 80, 64)),
]
DARK = [((40, 42, 44), (60, 60, 58)), ((54, 50, 46), (70, 64, 58))]
# What suits a class.
SCENES = {
    "airplane": [(SKY, None)],
    "automobile": [(EARTH, None), (SAND, None), (WALL, None)],
    "bird": [(FIELD, GRASS), (TREES, GRASS), (TREES, None)],
    "cat": [(ROOM, None), (SAND, None)],
    "dog": [(TREES, GRASS), (FIELD, GRASS), (ROOM, None)],
    "frog": [(DARK, None), (EARTH, None), (ROOM, None)],
    "horse": [(SKY, GRASS), (FIELD, GRASS)],
    "ship": [(SKY, SEA)],
    "truck": [(HAZE, ROAD), (WALL, None)],
}


def gradient(side: int, top, bottom) -> np.ndarray:
    """A vertical gradient from one color to another."""
    ramp = np.linspace(0.0, 1.0, side)[:, None, None]
    return np.repeat(
        (1 - ramp) * np.array(top, float) + ramp * np.array(bottom, float), side, axis=1
    )


def background(
    rng: random.Random, noise: np.random.Generator, label: str, side: int
) -> Image.Image:
    """A scene of the class with some texture."""
    above, ground = rng.choice(SCENES[label])
    canvas = gradient(side, *rng.choice(above))
    if ground:
        line = int(side * rng.uniform(0.45, 0.65))
        colour = np.array(rng.choice(ground), float)
        canvas[line:] = colour * np.linspace(1.08, 0.82, side - line)[:, None, None]
    coarse = noise.normal(0, 1, (12, 12, 1)).repeat(3, axis=2)
    coarse = Image.fromarray(
        np.clip(coarse * 40 + 128, 0, 255).astype(np.uint8)
    ).resize((side, side), Image.BICUBIC)
    canvas += (np.asarray(coarse, float) - 128) * rng.uniform(0.06, 0.2)
    canvas += noise.normal(0, rng.uniform(1.5, 4), canvas.shape)
    return Image.fromarray(np.clip(canvas, 0, 255).astype(np.uint8))


def piece(art: Path, name: str) -> Image.Image:
    """One drawing, cut to what is visible in it."""
    image = Image.open(art / f"{name}.png").convert("RGBA")
    image.thumbnail((600, 600))
    box = image.getchannel("A").point(lambda a: 255 if a > 16 else 0).getbbox()
    return image.crop(box) if box else image


def draw(
    rng: random.Random, noise: np.random.Generator, drawing: Image.Image, label: str
) -> Image.Image:
    """Puts a drawing somewhere on a background of its class."""
    side = rng.choice(SIDES)
    canvas = background(rng, noise, label, side)
    if rng.random() < 0.5:
        drawing = drawing.transpose(Image.FLIP_LEFT_RIGHT)
    turn = rng.uniform(-18, 18) if label == "airplane" else rng.uniform(-5, 5)
    drawing = drawing.rotate(turn, Image.BICUBIC, expand=True)
    scale = rng.uniform(0.85, 1.0) * side / max(drawing.size)
    size = (max(8, round(drawing.width * scale)), max(8, round(drawing.height * scale)))
    drawing = drawing.resize(size, Image.LANCZOS)
    drawing = ImageEnhance.Color(drawing).enhance(rng.uniform(0.75, 1.1))
    drawing = ImageEnhance.Brightness(drawing).enhance(rng.uniform(0.85, 1.1))
    x = (side - size[0]) // 2 + rng.randint(-side // 20, side // 20)
    y = (side - size[1]) // 2 + rng.randint(-side // 20, side // 20)
    canvas.paste(drawing, (x, y), drawing)
    canvas = canvas.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.0)))
    return ImageEnhance.Contrast(canvas).enhance(rng.uniform(0.85, 1.1))


def jpeg(image: Image.Image, quality: int) -> bytes:
    """The bytes of a JPEG."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def faults(
    rng: random.Random, noise: np.random.Generator, art: Path, files: dict[str, bytes]
) -> list[tuple]:
    """Plants the faults into `files` and lists all of them as (path, true label, whether it is an error, fault).

    The original of a copy is listed as neither, because nothing says which of two copies is the redundant one.
    """
    clean = sorted(files)
    classes = sorted(PIECES)
    chosen = rng.sample(clean, 20)
    number = {label: PER_CLASS for label in classes}
    listed = {path: (path.split("/")[0], "0", "") for path in clean}

    def place(label: str, data: bytes, true_label: str, fault: str) -> None:
        number[label] += 1
        path = f"{label}/{number[label]:03d}.jpg"
        files[path] = data
        listed[path] = (true_label, "1", fault)

    for path in chosen[:8]:
        label = path.split("/")[0]
        wrong = rng.choice([other for other in classes if other != label])
        del listed[path]
        place(wrong, files.pop(path), label, "label")
    for path in chosen[8:13]:
        label = path.split("/")[0]
        listed[path] = (label, "", "")
        place(label, files[path], label, "exact-copy")
    for path in chosen[13:18]:
        label = path.split("/")[0]
        image = Image.open(io.BytesIO(files[path]))
        side = round(image.width * rng.uniform(0.8, 1.15))
        listed[path] = (label, "", "")
        copy = jpeg(image.resize((side, side), Image.BICUBIC), rng.randint(55, 75))
        place(label, copy, label, "near-copy")
    for label, name in FOREIGN:
        image = draw(rng, noise, piece(art, name), label)
        place(label, jpeg(image, 82), "", "foreign")
    truncated = files[chosen[18]]
    place(chosen[18].split("/")[0], truncated[: len(truncated) // 3], "", "broken")
    place(chosen[19].split("/")[0], b"", "", "broken")
    return [(path, *row) for path, row in sorted(listed.items())]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument(
        "--art", type=Path, required=True, help="the png folder of openclipart-png"
    )
    arguments.add_argument(
        "--output",
        type=Path,
        required=True,
        help="where images/ and truth.csv are written",
    )
    options = arguments.parse_args()
    files: dict[str, bytes] = {}
    for label, names in sorted(PIECES.items()):
        rng = random.Random(f"{SEED}-{label}")
        noise = np.random.default_rng([SEED, sum(label.encode())])
        drawings = [piece(options.art, name) for name in names]
        for index in range(PER_CLASS):
            image = draw(rng, noise, drawings[index % len(drawings)], label)
            files[f"{label}/{index + 1:03d}.jpg"] = jpeg(image, rng.randint(78, 90))
    listed = faults(
        random.Random(SEED), np.random.default_rng(SEED), options.art, files
    )
    images = options.output / "images"
    shutil.rmtree(images, ignore_errors=True)
    for path, data in sorted(files.items()):
        (images / path).parent.mkdir(parents=True, exist_ok=True)
        (images / path).write_bytes(data)
    with open(options.output / "truth.csv", "w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["path", "label", "is_error", "fault"])
        table.writerows(listed)
    print(
        f"{len(files)} images, {sum(map(len, files.values()))} bytes, {sum(row[3] != '' for row in listed)} faults"
    )


if __name__ == "__main__":
    main()
