"""Write a detector for Chaffinch in Python.

A detector is a function that takes a :class:`Data` and returns one score for each sample: **0 = surely an issue,
1 = surely fine**, None or NaN = no answer. Beside it lies a ``detector.toml`` that names it::

    from chaffinch_detector import run

    def detect(data):
        return [1.0 if max(size) < 4 * min(size) else 0.1 for size in data.sizes]

    run(detect)

Arrays are read-only NumPy arrays of memory that Chaffinch lends, not copies. Without NumPy they are memory views, and
matrices are sequences of them. The protocol behind this file is described in ``docs/detector-protocol.md``.

This file needs nothing but Python 3.9; NumPy is used if it is installed.
"""

from __future__ import annotations

import json
import math
import mmap
import os
import select
import struct
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any, Callable, NamedTuple

try:
    import numpy as np
except ImportError:  # Everything works without it, only slower.
    np = None

__all__ = ["PROTOCOL", "REVISION", "NO_LABEL", "Data", "Failure", "Missing", "Picture", "Stopped", "run"]
__version__ = "1.2.0"

PROTOCOL = 1
#: What of that version this file knows.
REVISION = 2
#: The label of a sample that has none.
NO_LABEL = 4294967295

#: NumPy's names of types, as the struct module and memory views know them.
_FORMATS = {"<f4": "f", "<f8": "d", "<u4": "I", "<u8": "Q", "|u1": "B"}


class Failure(Exception):
    """Chaffinch refused a request, or the detector gives up: its message is shown to the user."""


class Missing(Failure):
    """The model or the dataset does not have what was requested. A detector that can do without it goes on."""


class Stopped(Exception):
    """The user requested a stop. Let it pass."""


class Picture(NamedTuple):
    """A decoded picture."""

    #: The sample.
    sample: int
    #: height x width x 3 numbers of 0 to 255 (without NumPy: bytes, row by row).
    rgb: Any
    #: Width in pixels.
    width: int
    #: Height in pixels.
    height: int
    #: Width in the file, before scaling.
    full_width: int
    #: Height in the file, before scaling.
    full_height: int


class Rows(Sequence):
    """A matrix without NumPy: a sequence of rows."""

    def __init__(self, flat: Any, count: int, width: int) -> None:
        self.flat, self.shape = flat, (count, width)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> Any:
        count, width = self.shape
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(count))]
        index = index + count if index < 0 else index
        if not 0 <= index < count:
            raise IndexError(index)
        return self.flat[index * width : (index + 1) * width]


class Data:
    """The dataset, and everything that Chaffinch computes for detectors."""

    #: Number of samples.
    count: int
    #: Names of the classes, by label.
    classes: list[str]
    #: Values of the parameters in ``detector.toml``.
    parameters: dict[str, Any]
    #: The label of each sample, NO_LABEL if it has none.
    labels: Any
    #: The split of each sample: 0 none, 1 train, 2 validation, 3 test.
    splits: Any
    #: 1 where the picture could be decoded. The others get no score.
    decodable: Any
    #: 32 bytes for each sample that identify the contents of its file.
    contents: Any
    #: Width and height of each sample.
    sizes: Any
    #: Bytes of each file.
    file_sizes: Any

    def __init__(self, message: dict[str, Any], channel: _Channel) -> None:
        self._channel = channel
        self._known: dict[Any, Any] = {}
        self._items: list[dict[str, Any]] = []
        self._told = 0.0
        self._out = message["out"]
        self._revision = message.get("revision", 1)
        self.detector: str = message["detector"]
        self.count = message["count"]
        self.classes = message["classes"]
        self.parameters = message["parameters"]
        for name in "labels splits decodable contents sizes file_sizes".split():
            setattr(self, name, _lent(message[name]))
        undeclared = message.get("undeclared", ())
        decided = [name for name in ("decisions", "relabels") if name not in undeclared]
        self._decided = {name: _lent(message[name]) for name in decided}

    def __len__(self) -> int:
        return self.count

    @property
    def decisions(self) -> Any:
        """What the reviewer decided: 0 nothing, 1 keep, 2 remove, 3 relabel, 4 unsure. Needs "decisions"."""
        return self._of_decided("decisions")

    @property
    def relabels(self) -> Any:
        """The new label of samples that were relabeled. Needs "decisions"."""
        return self._of_decided("relabels")

    def _of_decided(self, name: str) -> Any:
        if name not in self._decided:
            raise RuntimeError(f'data.{name} needs "decisions" under needs in detector.toml')
        return self._decided[name]

    # What Chaffinch computes. Each needs its word under `needs` in detector.toml.

    @property
    def embeddings(self) -> Any:
        """One row of unit length for each sample, zeros if it could not be decoded. Needs "embeddings"."""
        return self._once("embeddings", "embeddings", "rows")

    def neighbors(self, k: int) -> tuple[Any, Any]:
        """The k nearest samples of each sample by cosine, and their cosines. Where there are fewer: NO_LABEL and -1.
        Needs "neighbors"."""
        key = ("neighbors", k)
        if key not in self._known:
            answer = self._ask("neighbors", k=_whole(k, "the number of neighbors"))
            self._known[key] = (_lent(answer["indices"]), _lent(answer["similarities"]))
        return self._known[key]

    @property
    def probabilities(self) -> Any:
        """One row of class probabilities for each sample, by a model that was not trained on it. Needs
        "probabilities"."""
        return self._once("probabilities", "probabilities", "rows")

    def hashes(self, kind: str = "phash") -> Any:
        """A perceptual hash of each sample: "phash" or "dhash". Needs "hashes"."""
        return self._once(("hashes", kind), "hashes", "hashes", hash=_hash(kind))

    def near_hashes(self, radius: int, kind: str = "phash") -> Any:
        """Pairs of samples whose hashes differ in at most so many bits, as rows of two samples and the distance. Needs
        "hashes"."""
        asked = {"hash": _hash(kind), "radius": _whole(radius, "a radius")}
        return self._once(("near", kind, radius), "near-hashes", "pairs", **asked)

    def similarities(self, vectors: Any) -> Any:
        """Cosines of all samples with vectors: one row for each sample. Needs "embeddings"."""
        flat, count = _flat(vectors)
        out = self._write(flat)
        answer = self._ask("similarities", vectors=out, count=count)
        return _lent(answer["cosines"], copy=True)

    def block(self, rows: Sequence[int], cols: Sequence[int]) -> Any:
        """Cosines of some samples with others. Needs "embeddings"."""
        answer = self._ask("block", rows=_samples(rows), cols=_samples(cols))
        return _lent(answer["cosines"], copy=True)

    def embed_texts(self, texts: Sequence[str]) -> Any:
        """One row of unit length for each text. Needs "texts"."""
        return _lent(self._ask("embed-texts", texts=[str(text) for text in texts])["rows"], copy=True)

    def prompts(self, label: int | None = None) -> list[str]:
        """The prompts of a class, or those for anything else. Needs "texts"."""
        return self._ask("prompts", **({"class": None if label is None else _whole(label, "a label")}))["texts"]

    @property
    def logit_scale(self) -> float:
        """What the model multiplies cosines with to get logits. Needs "embeddings" or "texts"."""
        if "model" not in self._known:
            self._known["model"] = self._ask("model")
        return self._known["model"]["logit_scale"]

    def pictures(self, max_side: int = 0) -> Iterator[Picture]:
        """All pictures that can be decoded, scaled to fit `max_side` (0 = full size). Needs "pixels"."""
        start: int | None = 0
        while start is not None and start < self.count:
            answer = self._ask("pixels", **{"from": start, "max_side": _whole(max_side, "the longest side")})
            start = answer["next"]
            if not answer["pictures"]:
                continue
            # A copy, since the next request overwrites what is lent: who collects pictures keeps them.
            with open(answer["path"], "rb") as file:
                lent = file.read()
            for one in answer["pictures"]:
                width, height = one["width"], one["height"]
                if np is not None:
                    rgb = np.frombuffer(lent, np.uint8, width * height * 3, one["offset"])
                    rgb = rgb.reshape(height, width, 3)
                else:
                    rgb = memoryview(lent)[one["offset"] : one["offset"] + width * height * 3]
                yield Picture(one["sample"], rgb, width, height, one["full_width"], one["full_height"])

    def column(self, name: str) -> list[str]:
        """The values of a column of the dataset as text, empty where there is none: one of its own, or "path", "label",
        "split", "width", "height" or "bytes". It must stand under `columns` in detector.toml."""
        key = ("column", name)
        if key not in self._known:
            self._known[key] = self._ask("column", name=str(name))["values"]
        return self._known[key]

    def column_numbers(self, name: str) -> Any:
        """The values of a column as numbers, NaN where there is none; name it under `columns` in detector.toml."""
        return self._once(("numbers", name), "column-numbers", "numbers", since=2, name=str(name))

    def labels_of(self, column: str) -> Any:
        """The values of a column as labels, such as those of another annotator: NO_LABEL where it names no class; name
        the column under `columns` in detector.toml."""
        return self._once(("labels", column), "labels-of", "labels", since=2, name=str(column))

    def scores_of(self, detector: str) -> Any:
        """The scores of another detector, NaN where it has none. It must stand under `after` in detector.toml; where it
        has no result, this raises :class:`Missing`."""
        return self._once(("scores", detector), "scores-of", "scores", since=2, detector=str(detector))

    def kept(self, name: str, version: int | None = None) -> bytes | None:
        """Bytes that an earlier run on this dataset kept under a name, or None."""
        version = None if version is None else _whole(version, "a version")
        answer = self._ask("kept", name=str(name), version=version)
        return bytes(_lent(answer["bytes"])) if answer["version"] else None

    def keep(self, name: str, data: bytes) -> int:
        """Keeps bytes for later runs on this dataset if this run succeeds, and returns their version."""
        return self._ask("keep", name=str(name), bytes=self._write(data, size=1))["version"]

    # What the detector says.

    def issue(
        self,
        sample: int,
        score: float,
        reason: str = "",
        suggested: int | None = None,
        group: int | None = None,
        related: Sequence[tuple[int, float]] = (),
    ) -> None:
        """Gives a score to one sample, with a reason (one sentence), a suggested label, a group (as of duplicates) and
        other samples as evidence. It takes precedence over the scores of all samples."""
        number = _number(score)
        if not 0 <= number <= 1:
            raise Failure(f"gives sample {sample} the score {number}, which is not between 0 and 1")
        item: dict[str, Any] = {"sample": _whole(sample, "a sample"), "score": number}
        if reason:
            item["reason"] = str(reason)
        if suggested is not None:
            item["suggested"] = _whole(suggested, "a suggested label")
        if group is not None:
            item["group"] = _whole(group, "a group")
        if len(related):
            item["related"] = [[_whole(other, "a sample"), float(similarity)] for other, similarity in related]
        self._items.append(item)
        if len(self._items) >= 500:
            self._flush()

    def scores(self, scores: Any) -> None:
        """Gives the scores of all samples at once; the same as returning them.

        Whatever they are in, the same holds: one number for each sample, and None, NaN or what is masked in an
        array means no answer. A number that is not between 0 and 1 is not a score, and Chaffinch names its sample."""
        flat = _numbers(scores, self.count, "scores")
        self._flush()
        self._channel.send({"type": "scores", "out": self._write(flat, offset=0)})

    def attribute(self, name: str, values: Any, unit: str = "") -> None:
        """Gives a number to each sample, None or NaN where there is none; each name once. It is shown, and lists can be
        sorted and filtered by it: ``attr.NAME<2``."""
        flat = _numbers(values, self.count, f"values of {name}")
        # Infinity is not JSON, and refused by name rather than by its line.
        flat = flat.tolist() if np is not None and isinstance(flat, np.ndarray) else flat
        if any(math.isinf(value) for value in flat):
            raise Failure(f"the attribute {name} has a value that is infinite, or beyond what four bytes hold (3.4e38)")
        sent = [None if math.isnan(value) else value for value in flat]
        self._say("attribute", name=str(name), unit=str(unit), values=sent)

    def finding(self, text: str, severity: str = "warning", evidence: Sequence[int] = ()) -> None:
        """Says something about the dataset as a whole: "info", "warning" or "serious", with samples that show it."""
        self._say("finding", text=str(text), severity=str(severity), evidence=_samples(evidence))

    def regions(self, sample: int, boxes: Sequence[Any]) -> None:
        """Marks parts of a picture, which are drawn over it: each is (left, top, right, bottom), in fractions of the
        picture from its upper left corner, or (left, top, right, bottom, label). Several calls
        for a sample add up."""
        items = []
        for box in boxes:
            edges = [float(edge) for edge in box[:4]]
            if not all(math.isfinite(edge) for edge in edges):
                raise Failure(f"a region of sample {sample} has an edge that is not a number")
            items.append({"edges": edges, "label": str(box[4]) if len(box) > 4 else ""})
        self._say("regions", items=[{"sample": _whole(sample, "a sample"), "boxes": items}])

    def note(self, name: str, text: str) -> None:
        """Says something about the whole run; "warning" and "remark" are shown with what reading the dataset found."""
        self._channel.send({"type": "note", "name": str(name), "text": str(text)})

    def log(self, text: str, level: int = 1) -> None:
        """Writes a line to the log: level 0 debug, 1 info, 2 warning, 3 error."""
        self._channel.send({"type": "log", "level": _whole(level, "a level"), "text": str(text)})

    def progress(self, done: int, total: int) -> None:
        """Says how far the detector is, and ends it if the user requested a stop. Call it in long loops: a run that
        says nothing for long is taken to hang."""
        now = time.monotonic()
        if now - self._told >= 0.05 or done >= total:
            self._told = now
            self._channel.send({"type": "progress", "done": max(0, int(done)), "total": max(0, int(total))})
        self.checkpoint()

    def checkpoint(self) -> None:
        """Ends the detector if the user requested a stop."""
        self._channel.look()

    def _ask(self, what: str, **more: Any) -> dict[str, Any]:
        return self._channel.ask(dict(more, type="request", what=what))

    def _say(self, kind: str, **more: Any) -> None:
        self._since(2, kind)
        self._channel.send(dict(more, type=kind))

    def _since(self, revision: int, what: str) -> None:
        if self._revision < revision:
            raise Failure(f"this version of Chaffinch does not know '{what}'; update it")

    def _once(self, key: Any, what: str, field: str, since: int = 1, **more: Any) -> Any:
        self._since(since, what)
        if key not in self._known:
            self._known[key] = _lent(self._ask(what, **more)[field])
        return self._known[key]

    def _write(self, numbers: Any, offset: int | None = None, size: int = 4) -> dict[str, int]:
        """Writes numbers where Chaffinch reads them: scores at the beginning, everything else behind them."""
        offset = (self.count * 4 + 63) // 64 * 64 if offset is None else offset
        if size == 1:
            data, length = bytes(numbers), len(numbers)
        elif np is not None and isinstance(numbers, np.ndarray):
            data, length = numbers.astype("<f4").tobytes(), numbers.size
        else:
            data, length = struct.pack(f"<{len(numbers)}f", *numbers), len(numbers)
        with open(self._out, "r+b", buffering=0) as file:
            file.seek(offset)
            view = memoryview(data)
            while len(view):
                view = view[file.write(view) :]
        return {"offset": offset, "length": length}

    def _flush(self) -> None:
        if self._items:
            self._channel.send({"type": "issues", "items": self._items})
            self._items = []


def _lent(array: dict[str, Any], copy: bool = False) -> Any:
    """The numbers of an array, not copied unless they are only there for a moment."""
    shape, offset = tuple(array["shape"]), array["offset"]
    count = math.prod(shape)
    kind = _FORMATS[array["dtype"]]
    if np is not None:
        if count == 0:
            return np.empty(shape, array["dtype"])
        lent = np.memmap(array["path"], array["dtype"], "r", offset, shape)
        return np.array(lent) if copy else lent
    if count == 0:
        flat: Any = memoryview(b"").cast(kind)
    else:
        size = struct.calcsize(kind) * count
        start = offset // mmap.ALLOCATIONGRANULARITY * mmap.ALLOCATIONGRANULARITY
        with open(array["path"], "rb") as file:
            lent = mmap.mmap(file.fileno(), size + offset - start, access=mmap.ACCESS_READ, offset=start)
        flat = memoryview(lent)[offset - start :].cast(kind)
        if copy:
            flat = memoryview(bytes(flat)).cast("B").cast(kind)
    return flat if len(shape) == 1 else Rows(flat, shape[0], math.prod(shape[1:]))


def _number(value: Any) -> float:
    """A number as four bytes can hold it. None and what is masked in an array are NaN: they have no value."""
    if value is None or (np is not None and value is np.ma.masked):
        return math.nan
    number = float(value)
    if abs(number) > _LARGEST:
        return math.copysign(math.inf, number)
    return number


def _whole(value: Any, what: str) -> int:
    """A whole number as the protocol has them: a negative one would end the run without a word about its place."""
    # Numbers of every library, but none that would lose a part: 3.7 is not a sample.
    try:
        number = int(value)
        whole = not isinstance(value, (str, bytes)) and number == value
    except (TypeError, ValueError, OverflowError):
        whole = False
    if not whole:
        raise Failure(f"gave {value!r:.60} as {what}, which is not a whole number")
    if not 0 <= number <= NO_LABEL:
        raise Failure(f"gave {number} as {what}, which is not between 0 and {NO_LABEL}")
    return number


def _samples(values: Any) -> list[int]:
    return [_whole(value, "a sample") for value in values]


def _hash(kind: Any) -> str:
    known = ("phash", "dhash", "turned-phash")
    if kind not in known:
        raise Failure(f"asked for the hash {kind!r:.40}; there are {', '.join(known)}")
    return str(kind)


#: The largest number of four bytes.
_LARGEST = 3.4028234663852886e38


def _numbers(values: Any, count: int, what: str) -> Any:
    """The numbers of a list, an array or anything else that can be gone through: one for each sample."""
    shape = getattr(values, "shape", None)
    if isinstance(values, (str, bytes, dict, set)) or not hasattr(values, "__iter__"):
        raise Failure(f"gave a {type(values).__name__} as {what} instead of one number for each of {count} samples")
    if not hasattr(values, "__len__"):
        values = list(values)
    if shape is not None and len(shape) != 1:
        raise Failure(f"gave {what} of the shape {tuple(shape)} instead of one number for each of {count} samples")
    array = np is not None and isinstance(values, np.ndarray)
    items = values.tolist() if array and (values.dtype.kind not in "fiub" or np.ma.isMA(values)) else values
    if len(items) != count:
        raise Failure(f"wrote {len(items)} {what} for {count} samples")
    if array and items is values:
        # All of them are numbers, so this is the same as one by one.
        with np.errstate(over="ignore"):
            return values.astype(np.float32)
    flat = []
    for sample, value in enumerate(items):
        try:
            flat.append(_number(value))
        except (TypeError, ValueError):
            raise Failure(f"gave sample {sample} {value!r:.60} among {what}, which is not a number") from None
    return flat


def _flat(vectors: Any) -> tuple[Any, int]:
    """The numbers of vectors one after another, and how many vectors there are."""
    if np is not None:
        matrix = np.atleast_2d(np.asarray(vectors, np.float32))
        return matrix.reshape(-1), matrix.shape[0]
    rows = [list(row) for row in vectors]
    return [float(number) for row in rows for number in row], len(rows)


class _Channel:
    """The two ends of the protocol, away from what a library may print and read."""

    def __init__(self) -> None:
        self._in, self._out = os.dup(0), os.dup(1)
        sys.stdout.flush()
        os.dup2(2, 1)
        # What is printed is shown after the run, and in the order in which it came.
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(line_buffering=True)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        self._rest = b""
        self._next = 0

    def send(self, message: dict[str, Any]) -> None:
        line = memoryview((json.dumps(message, allow_nan=False) + "\n").encode())
        while len(line):
            line = line[os.write(self._out, line) :]

    def receive(self) -> dict[str, Any]:
        while b"\n" not in self._rest:
            part = os.read(self._in, 1 << 16)
            if not part:
                raise Stopped()
            self._rest += part
        line, self._rest = self._rest.split(b"\n", 1)
        message = json.loads(line)
        if message["type"] == "stop":
            raise Stopped()
        return message

    def look(self) -> None:
        """Raises Stopped if the user requested a stop."""
        if b"\n" in self._rest or select.select([self._in], [], [], 0)[0]:
            # Nothing else comes unasked.
            self.receive()

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        self._next += 1
        self.send(dict(request, id=self._next))
        while True:
            message = self.receive()
            if message.get("id") == self._next:
                break
        if message["type"] == "answer":
            return message["value"]
        if message["kind"] == "stopped":
            raise Stopped()
        raise (Missing if message["kind"] == "missing" else Failure)(message["message"])


def run(detect: Callable[[Data], Any]) -> None:
    """Runs a detector for Chaffinch, which has started this program.

    `detect` returns the scores of all samples, or None if it has called :meth:`Data.scores` or :meth:`Data.issue`.
    """
    if sys.stdin.isatty():
        sys.exit(
            "This is a detector for Chaffinch. Try it with: chaffinch plugins check " + os.path.dirname(sys.argv[0])
        )
    channel = _Channel()
    channel.send({"type": "hello", "protocol": PROTOCOL, "revision": REVISION, "sdk": "python " + __version__})
    try:
        message = channel.receive()
        if message.get("protocol") != PROTOCOL:
            raise Failure(f"this detector speaks version {PROTOCOL} of the protocol")
        data = Data(message, channel)
        scores = detect(data)
        if scores is not None:
            data.scores(scores)
        data._flush()
        channel.send({"type": "done"})
    except Stopped:
        channel.send({"type": "failed", "message": "stopped", "kind": "stopped"})
    except Missing as error:
        channel.send({"type": "failed", "message": str(error), "kind": "missing"})
    except Failure as error:
        channel.send({"type": "failed", "message": str(error)})
    except Exception as error:  # What it says is for the user; where it happened is for the author.
        import traceback

        traceback.print_exc()
        frames = traceback.extract_tb(error.__traceback__)
        folder = os.path.abspath(sys.path[0] or ".")
        # The author's last line, where it is a library that complains.
        own = [f for f in frames if f.filename != __file__ and os.path.abspath(f.filename).startswith(folder)]
        where = (own or frames)[-1]
        place = f"{os.path.basename(where.filename)}:{where.lineno}"
        text = f"raised {type(error).__name__} at {place}: {error}"
        channel.send({"type": "failed", "message": text})
