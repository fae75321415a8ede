"""What an order that learns from decisions finds: a simulated reviewer decides truthfully, along the rank and along the learned order.

    python scripts/quality/learning.py --pictures CIFAR10_DIR/test --foreign PHOTOS_DIR --work /tmp/learning
    python scripts/quality/learning.py --pictures CIFAR10_DIR --foreign PHOTOS_DIR --work /tmp/learning \
        --given LABELS.csv aggre_label random_label1 --from 40000

`--given` takes pictures and their wrong labels from a table with columns path, class_name, clean_label and those named, beside which no
labels are planted; the other faults are those of the first set.
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
    "few": [
        "--symmetric", "0.01", "--copies", 0.005, "--reencoded", 0.005, "--blurred", 0.005, "--dark", 0.005,
        "--foreign", 0.005,
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
    parser.add_argument(
        "--given", nargs="+", metavar="FILE", help="table of labels, and its columns"
    )
    parser.add_argument("--from", type=int, default=0, help="its first row")
    options = parser.parse_args()
    columns = [
        f"{order}, first {count}"
        for count in options.at
        for order in ["rank", "learned"]
    ]
    print(f"| faults | seed | planted | {' | '.join(columns)} | more | since |")
    print("|---|---|---|" + "---|" * (len(columns) + 2))
    sums = [0] * (len(columns))
    for name in options.given[1:] if options.given else options.sets:
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
        given = GivenLabels(options, name) if options.given else None
        if not self.session.exists():
            self.make(options, given, SETS[name if given is None else "mixed"], seed)
        # What is wrong with a sample, and its label if that is what is wrong.
        self.faults, self.labels = set(), {}
        with open(self.folder / "planted.csv") as file:
            for row in csv.DictReader(file):
                self.faults.add(row["path"])
                if row["true_label"] and row["true_label"] != row["label"]:
                    self.labels[row["path"]] = row["true_label"]
        if given is not None:
            self.labels.update(given.wrong)
            self.faults.update(given.wrong)
        self.twin = {}
        with open(self.folder / "truth.csv") as file:
            for row in csv.DictReader(file):
                if row["copy_of"]:
                    self.twin[row["path"]] = row["copy_of"]
                    self.twin[row["copy_of"]] = row["path"]

    def make(self, options, given, faults, seed):
        base = options.work / f"base-{options.samples}-{seed}"
        if given is None:
            count = planting.chosen(options, base, seed)
        else:
            base = options.work / f"base-{self.folder.name}"
            count = given.link(base)
            faults = faults[2:]
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


class GivenLabels:
    """Pictures with labels of a table, some of which are wrong."""

    def __init__(self, options, column):
        with open(options.given[0]) as file:
            rows = list(csv.DictReader(file))[vars(options)["from"] :]
        names = {row["clean_label"]: row["class_name"] for row in rows}
        self.pictures = options.pictures
        # By their paths as they are linked.
        self.sources, self.wrong = {}, {}
        for row in rows:
            source = options.pictures / row["path"]
            name = f"{names[row['clean_label']]}-{source.name}"
            path = f"{names[row[column]]}/{name}"
            self.sources[path] = source
            if row[column] != row["clean_label"]:
                self.wrong[path] = names[row["clean_label"]]

    def link(self, base):
        """Links them into a folder, unless it is there; returns how many there are."""
        if not base.exists():
            for path, source in self.sources.items():
                (base / path).parent.mkdir(parents=True, exist_ok=True)
                (base / path).symlink_to(source.resolve())
        return len(self.sources)


if __name__ == "__main__":
    main()
