"""How good the order of suspects is, on datasets with planted faults: one table.

    python -m venv venv && venv/bin/pip install -r scripts/quality/requirements.txt
    venv/bin/pip install --no-deps selfclean==0.0.39 && venv/bin/pip install loguru scienceplots seaborn memory_profiler torchinfo
    venv/bin/python scripts/quality/quality.py --pictures CIFAR10_DIR/test --foreign PHOTOS_DIR --work /tmp/quality --peers

`chaffinch pollute` plants the faults, `chaffinch scan` judges, `chaffinch rank` orders. Every figure is a mean over the seeds.
A copy and what it was made from count once. `best list` is the single detector that is best in hindsight, in each set. So is
of SelfClean and fastdup, which have several lists, the one that is best in each set, or all of them by the best place.
With `--before PROGRAM`, the orders of two programs are compared on the sessions that the first one made.
"""

import argparse
import csv
import random
import sys

import numpy as np
import planting

# By name: options of `chaffinch pollute`, with counts as shares of the samples.
SETS = {
    "labels 3 %": ["--symmetric", "0.03"],
    "labels 10 %": ["--symmetric", "0.1"],
    "labels 30 %": ["--symmetric", "0.3"],
    "one class for another, 15 %": ["--asymmetric", "0.15"],
    "foreign": ["--foreign", 0.05],
    "blurred": ["--blurred", 0.05],
    "dark": ["--dark", 0.05],
    "copies": ["--copies", 0.04],
    "copies, re-encoded": ["--reencoded", 0.04],
    "labels and foreign, 2.5 % each": ["--symmetric", "0.025", "--foreign", 0.025],
    "mixed": [
        "--symmetric",
        "0.04",
        "--copies",
        0.02,
        "--reencoded",
        0.02,
        "--blurred",
        0.02,
        "--dark",
        0.02,
        "--foreign",
        0.02,
    ],
    "mixed, noisy labels": [
        "--symmetric",
        "0.15",
        "--copies",
        0.015,
        "--reencoded",
        0.01,
        "--blurred",
        0.015,
        "--dark",
        0.01,
        "--foreign",
        0.015,
    ],
    "mixed, rare": [
        "--symmetric",
        "0.008",
        "--copies",
        0.005,
        "--reencoded",
        0.004,
        "--blurred",
        0.008,
        "--dark",
        0.006,
        "--foreign",
        0.008,
    ],
}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--program", default="target/release/chaffinch", help="the program to judge"
    )
    parser.add_argument(
        "--before", help="another program whose order to compare, on the same sessions"
    )
    planting.add_arguments(parser)
    parser.add_argument(
        "--samples",
        type=int,
        default=1500,
        help="samples of each set before faults are added",
    )
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument(
        "--peers",
        action="store_true",
        help="also cleanlab, CleanVision, imagededup and SelfClean's cleaner",
    )
    parser.add_argument(
        "--fastdup",
        metavar="PYTHON",
        help="also fastdup, by this interpreter, which has it",
    )
    options = parser.parse_args()
    lists = {}
    for name in options.sets:
        for seed in options.seeds:
            planted = Planted(options, name, seed)
            for what, order in planted.orders(options).items():
                lists.setdefault(name, {}).setdefault(what, []).append(
                    planted.figures(order)
                )
            print(f"{name}, seed {seed}", file=sys.stderr, flush=True)
    whats = list(next(iter(lists.values())))
    for index, title in enumerate(["first 100", "first 200", "average precision"]):
        print(f"\n| {title} | {' | '.join(whats)} |\n|---|{'---|' * len(whats)}")
        rows = {
            name: [np.mean([figures[index] for figures in of[what]]) for what in whats]
            for name, of in lists.items()
        }
        for name, row in rows.items():
            print(f"| {name} | {' | '.join(f'{value:.2f}' for value in row)} |")
        print(
            f"| mean | {' | '.join(f'{value:.3f}' for value in np.mean(list(rows.values()), 0))} |"
        )


class Planted:
    """A dataset with planted faults, scanned."""

    def __init__(self, options, name, seed):
        self.folder = (
            options.work
            / f"{name.replace(' ', '-').replace(',', '').replace('%', 'percent')}-{seed}"
        )
        self.session = self.folder / "session"
        self.program = options.program
        if not (self.folder / "all.csv").exists():
            self.make(options, SETS[name], seed)
        with open(self.folder / "all.csv") as file:
            self.rows = list(csv.DictReader(file))
        self.at = {row["path"]: index for index, row in enumerate(self.rows)}
        with open(self.folder / "planted.csv") as file:
            self.bad = {
                self.at[row["path"]]
                for row in csv.DictReader(file)
                if row["path"] in self.at
            }
        with open(self.folder / "truth.csv") as file:
            copies = [
                (row["path"], row["copy_of"])
                for row in csv.DictReader(file)
                if row["copy_of"]
            ]
        self.other = {}
        for copy, original in copies:
            self.other[self.at[copy]] = self.at[original]
            self.other[self.at[original]] = self.at[copy]

    def make(self, options, faults, seed):
        base = options.work / f"base-{seed}"
        count = planting.chosen(options, base, seed)
        arguments = planting.counted(faults, count)
        if "--foreign" in arguments:
            arguments += ["--foreign-from", str(options.foreign)]
        if "--asymmetric" in arguments:
            classes = sorted(path.name for path in base.iterdir())
            pairs = options.work / "pairs.csv"
            pairs.write_text(
                "true,given\n"
                + "".join(
                    f"{a},{b}\n" for a, b in zip(classes, classes[1:] + classes[:1])
                )
            )
            arguments += ["--pairs", str(pairs)]
        planting.call(
            self.program,
            "pollute",
            base,
            "--output",
            self.folder,
            "--seed",
            seed,
            "--copy",
            "copy",
            *arguments,
        )
        planting.call(
            self.program,
            "scan",
            self.folder / "data",
            "--session",
            self.session,
            "--quiet",
        )
        planting.call(
            self.program,
            "export",
            self.session,
            "--format",
            "csv",
            "--output",
            self.folder / "all.csv",
            "--quiet",
        )

    def orders(self, options):
        """Row numbers, worst first, by name of who says so."""
        names = [
            key.removesuffix("_score") for key in self.rows[0] if key.endswith("_score")
        ]
        single = [self.by(name) for name in names]
        orders = {"best list": single}
        if options.before:
            orders["before"] = [self.ranked(options.before)]
        orders["or"] = [self.ranked(self.program)]
        if options.peers:
            import peers

            data, labels = self.folder / "data", [row["label"] for row in self.rows]
            paths = [row["path"] for row in self.rows]
            orders["cleanlab"] = [peers.cleanlab(data, self.session, paths, labels)]
            orders["CleanVision"] = [peers.cleanvision(data, paths)]
            orders["imagededup"] = [peers.imagededup(data, paths)]
            orders["SelfClean"] = peers.selfclean(data, self.session, paths, labels)
        if options.fastdup:
            import peers

            paths = [row["path"] for row in self.rows]
            orders["fastdup"] = peers.fastdup(
                options.fastdup, self.folder / "data", self.folder, paths
            )
        return orders

    def by(self, detector):
        scores = [
            (float(row[f"{detector}_score"]), index)
            for index, row in enumerate(self.rows)
            if row[f"{detector}_score"]
        ]
        random.Random(0).shuffle(scores)
        return [index for _, index in sorted(scores, key=lambda score: score[0])]

    def ranked(self, program):
        found = planting.call(
            program, "rank", self.session, "--all", "--top", "0", "--format", "csv"
        )
        return [self.at[row["path"]] for row in csv.DictReader(found.splitlines())]

    def figures(self, orders):
        """Precision in the first 100 and 200 and average precision; of several orders, the best of each."""
        return np.max([self.figures_of(order) for order in orders], 0)

    def figures_of(self, order):
        hits, seen = [], set()
        for index in order:
            if index in seen:
                continue
            hit = index in self.bad
            if index in self.other:
                seen.add(self.other[index])
                # Which one of a pair is the copy is not known.
                hit |= self.rows[index].get("is_duplicates_issue") == "True"
            hits.append(hit)
        hits = np.array(hits, dtype=bool)
        precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
        return [
            hits[:100].sum() / 100,
            hits[:200].sum() / 200,
            precision[hits].sum() / max(1, len(self.bad)),
        ]


if __name__ == "__main__":
    main()
