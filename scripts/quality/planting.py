"""What the scripts share that judge the program by faults which it plants in pictures."""

import os
import random
import subprocess
import sys
from pathlib import Path


def add_arguments(parser):
    parser.add_argument(
        "--pictures",
        type=Path,
        required=True,
        help="folder with a folder of pictures for each class",
    )
    parser.add_argument(
        "--foreign",
        type=Path,
        required=True,
        help="folder of pictures to add as foreign ones",
    )
    parser.add_argument(
        "--work",
        type=Path,
        required=True,
        help="folder for the sets; what is there is used again",
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])


def chosen(options, base, seed):
    """Links some of the pictures into a folder, unless it is there; returns how many it has."""
    if not base.exists():
        pictures = sorted(
            path for path in options.pictures.rglob("*") if path.is_file()
        )
        some = min(options.samples, len(pictures))
        for picture in random.Random(seed).sample(pictures, some):
            to = base / picture.relative_to(options.pictures)
            to.parent.mkdir(parents=True, exist_ok=True)
            to.symlink_to(picture.resolve())
    return sum(path.is_file() for path in base.rglob("*"))


def counted(faults, count):
    """Options of `chaffinch pollute` with counts in the place of shares of the samples."""
    return [
        value if isinstance(value, str) else str(round(value * count))
        for value in faults
    ]


def run(program, *arguments):
    return subprocess.run(
        [str(program), *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "CHAFFINCH_ENGINE": "inside"},
    )


def call(program, *arguments):
    """What the program prints, which must succeed."""
    done = run(program, *arguments)
    if done.returncode != 0:
        words = " ".join(map(str, arguments))
        sys.exit(f"{program} {words} failed: {done.stderr.strip()}")
    return done.stdout
