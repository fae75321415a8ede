"""What an order that learns from decisions finds: a simulated reviewer decides truthfully, along the rank and along the learned order.

    python scripts/quality/learning.py --pictures CIFAR10_DIR/test --foreign PHOTOS_DIR --work /tmp/learning

`chaffinch pollute` plants faults of several kinds, `chaffinch scan` judges. The reviewer takes the first undecided samples, decides
about them, and takes the order anew: of `chaffinch rank --by learned` once there is one, of `chaffinch rank` until then. The other
reviewer goes on along the rank. A copy and what it was made from count once: whichever comes first and is flagged as a copy is removed.
"""

import argparse
import csv
import json
import shutil
import sys

import planting

# By name: options of `chaffinch pollute`, with counts as shares of the samples.
SETS = {
    "mixed": [
        "--symmetric", "0.04", "--copies", 0.02, "--reencoded", 0.02, "--blurred", 0.02, "--dark", 0.02,
        "--foreign", 0.02,
    ],
    "mixed, noisy labels": [
        "--symmetric", "0.15", "--copies", 0.015, "--reencoded", 0.01, "--blurred", 0.015, "--dark", 0.01,
        "--foreign", 0.015,
    ],
}  # fmt: skip


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--program", default="target/release/chaffinch")
    planting.add_arguments(parser)
    parser.add_argument("--samples", type=int, default=8_000)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument(
        "--every",
        type=int,
        default=50,
        help="decisions after which the order is taken anew",
    )
    parser.add_argument("--at", type=int, nargs="+", default=[200, 1_000])
    options = parser.parse_args()
    columns = [
        f"{order}, first {count}"
        for count in options.at
        for order in ["rank", "learned"]
    ]
    print(f"| faults | seed | planted | {' | '.join(columns)} | more | since |")
    print("|---|---|---|" + "---|" * (len(columns) + 2))
    sums = [0] * (len(columns))
    for name in options.sets:
        for seed in options.seeds:
            planted = Planted(options, name, seed)
            fixed, _ = planted.review(options, False)
            learned, since = planted.review(options, True)
            found = [
                sum(hits[:count]) for count in options.at for hits in (fixed, learned)
            ]
            sums = [total + one for total, one in zip(sums, found)]
            line(name, seed, len(planted.faults), found, since)
    line("all", "", "", sums, "")


def line(name, seed, planted, found, since):
    more = found[-1] / max(1, found[-2]) - 1
    cells = " | ".join(str(count) for count in found)
    print(
        f"| {name} | {seed} | {planted} | {cells} | {more:+.1%} | {since} |", flush=True
    )


class Planted:
    """A dataset with planted faults, scanned."""

    def __init__(self, options, name, seed):
        plain = name.replace(" ", "-").replace(",", "")
        self.folder = options.work / f"{plain}-{options.samples}-{seed}"
        self.session = self.folder / "session"
        self.program = options.program
        if not self.session.exists():
            self.make(options, SETS[name], seed)
        # What is wrong with a sample, and its label if that is what is wrong.
        self.faults, self.labels = set(), {}
        with open(self.folder / "planted.csv") as file:
            for row in csv.DictReader(file):
                self.faults.add(row["path"])
                if row["true_label"] and row["true_label"] != row["label"]:
                    self.labels[row["path"]] = row["true_label"]
        self.twin = {}
        with open(self.folder / "truth.csv") as file:
            for row in csv.DictReader(file):
                if row["copy_of"]:
                    self.twin[row["path"]] = row["copy_of"]
                    self.twin[row["copy_of"]] = row["path"]

    def make(self, options, faults, seed):
        base = options.work / f"base-{options.samples}-{seed}"
        count = planting.chosen(options, base, seed)
        arguments = planting.counted(faults, count)
        self.call(
            "pollute", base, "--output", self.folder, "--seed", seed, "--copy", "copy",
            "--foreign-from", options.foreign, *arguments,
        )  # fmt: skip
        self.call("scan", self.folder / "data", "--session", self.session, "--quiet")

    def review(self, options, learns):
        """Whether each decision found a fault, in the order of deciding; and from how many decisions on the order was learned."""
        folder = self.folder / ("learned" if learns else "rank")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.session, folder)
        decisions, hits, since, most = (
            folder.with_suffix(".csv"),
            [],
            "",
            max(options.at),
        )
        settled = set()
        while len(hits) < most:
            rows = self.learned(folder, options.every) if learns else None
            if rows is None:
                rows = self.ranked(folder, options.every)
            elif since == "":
                since = len(hits)
            if not rows:
                break
            with open(decisions, "w", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(["image_path", "user_action", "new_label"])
                for row in rows:
                    action, label = self.truth(row, settled)
                    hits.append(action != "keep")
                    writer.writerow([row["path"], action, label])
            self.call("import", "csv", decisions, "--session", folder, "--quiet")
        return hits[:most], since

    def truth(self, row, settled):
        """What a reviewer says who knows the truth: the action, and the new label."""
        path = row["path"]
        if path in self.labels:
            return "relabel", self.labels[path]
        twin = self.twin.get(path)
        if twin is not None and path not in settled:
            # Which one of a pair is the copy is not known.
            copied = {"duplicates", "leaks"} & set(row["detectors"])
            if copied:
                settled.update([path, twin])
                return "remove", ""
        bad = path in self.faults and twin is None
        return ("remove", "") if bad else ("keep", "")

    def ranked(self, folder, count, *by):
        return json.loads(
            self.call(
                "rank", folder, *by, "--all", "--filter", "undecided", "--top", count,
                "--format", "json", "--quiet",
            )
        )  # fmt: skip

    def learned(self, folder, count):
        """The same in the learned order; nothing if there is none yet."""
        done = planting.run(
            self.program, "rank", folder, "--by", "learned", "--all", "--filter", "undecided", "--top", count,
            "--format", "json", "--quiet",
        )  # fmt: skip
        if done.returncode == 0:
            return json.loads(done.stdout)
        if "not yet" in done.stderr:
            return None
        sys.exit(f"rank --by learned failed: {done.stderr.strip()}")

    def call(self, *arguments):
        return planting.call(self.program, *arguments)


if __name__ == "__main__":
    main()
