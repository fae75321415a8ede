"""Reads the nouns of WordNet 3.0 from its database file `data.noun` and its index `index.noun`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Synset:
    """One meaning: its words, most usual first, its definition, and the meanings above and below it."""

    key: str
    words: list[str]
    gloss: str
    above: list[str]
    below: list[str] = field(default_factory=list)


def read(folder: str) -> dict[str, Synset]:
    """All nouns, by the id that ImageNet uses: n01440764."""
    synsets: dict[str, Synset] = {}
    with open(Path(folder) / "data.noun", encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("  "):
                continue
            data, _, gloss = line.partition("|")
            parts = data.split()
            count = int(parts[3], 16)
            words = [parts[4 + 2 * i].replace("_", " ") for i in range(count)]
            at = 4 + 2 * count
            pointers = int(parts[at])
            above = [
                "n" + parts[at + 2 + 4 * i]
                for i in range(pointers)
                if parts[at + 1 + 4 * i] in ("@", "@i")
            ]
            key = "n" + parts[0]
            gloss = gloss.strip().split('; "')[0]
            synsets[key] = Synset(key, words, gloss, above)
    for synset in synsets.values():
        for key in synset.above:
            synsets[key].below.append(synset.key)
    return synsets


def first_senses(folder: str) -> dict[str, str]:
    """Each noun with its most usual meaning."""
    senses = {}
    with open(Path(folder) / "index.noun", encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("  "):
                continue
            parts = line.split()
            count = int(parts[2])
            senses[parts[0].replace("_", " ")] = "n" + parts[-count]
    return senses


def ancestors(synsets: dict[str, Synset], key: str) -> set[str]:
    """All meanings above one, without itself."""
    found: set[str] = set()
    waiting = list(synsets[key].above)
    while waiting:
        here = waiting.pop()
        if here not in found:
            found.add(here)
            waiting += synsets[here].above
    return found
