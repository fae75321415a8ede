"""Runs programs, and asks ours for its commands."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Failed(Exception):
    """What went wrong, for a person."""


def run(*command: str | Path, **options: object) -> str:
    """Runs a program at the top of the repository and returns what it prints."""
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT, **options
        )
    except FileNotFoundError as error:
        raise Failed(f"{command[0]} is not installed") from error
    except subprocess.CalledProcessError as error:
        words = " ".join(map(str, command))
        raise Failed(
            f"{words} failed (status {error.returncode})\n{error.stdout}"
        ) from error
    return done.stdout


def subcommands(text: str) -> list[str]:
    """The commands that a help text lists."""
    found = re.search(r"^Commands:\n((?:  .*\n)+)", text, re.MULTILINE)
    names = re.findall(r"^  ([a-z-]+)", found[1], re.MULTILINE) if found else []
    return [name for name in names if name != "help"]
