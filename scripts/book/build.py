#!/usr/bin/env python3
"""Builds the book from docs/ and from what the program says of itself, and checks its links.

    scripts/book/build.py [--program target/release/chaffinch] [--out target/book] [--check]

docs/SUMMARY.md is its table of contents. Pages for commands, detectors and settings are added to it from the program. The book is
built as the repository is laid out, so that links in the documents lead to the same files there and here. Needs mdbook (cargo
install mdbook). --check fails if a link or an anchor inside the book leads nowhere; links to the web are not followed. (General
checkers of links take minutes for the table of contents, which each page repeats.)
"""

import argparse
import json
import re
import shutil
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

BOOK = Path(__file__).resolve().parent
sys.path.insert(0, str(BOOK.parent / "packaging"))

from program import ROOT, Failed, run, subcommands

LINK = re.compile(r"\]\(([^)\s#]+)(#[^)\s]*)?\)")


def commands(program: Path, pages: dict[str, str]) -> list[str]:
    """A page for each command: its help. Returns lines of the table of contents."""
    lines = []
    for name in subcommands(run(program, "--help")):
        text = run(program, name, "--help")
        parts = [f"# chaffinch {name}\n", "```text", text.strip(), "```"]
        for inner in subcommands(text):
            parts += [
                f"\n## chaffinch {name} {inner}\n",
                "```text",
                run(program, name, inner, "--help").strip(),
                "```",
            ]
        pages[f"docs/reference/commands/{name}.md"] = "\n".join(parts) + "\n"
        lines.append(f"  - [{name}](docs/reference/commands/{name}.md)")
    return lines


def detectors(pages: dict[str, str]) -> list[str]:
    """A page for each detector that ships with the program: its documentation, which the interface shows, too."""
    lines = []
    for file in sorted((ROOT / "plugins").glob("*/src/docs.md")):
        name = file.parents[1].name
        text = file.read_text()
        # Its headings are below the name.
        pages[f"docs/reference/detectors/{name}.md"] = (
            f"# {name}\n\n{re.sub('^# ', '## ', text, flags=re.MULTILINE)}"
        )
        lines.append(f"  - [{name}](docs/reference/detectors/{name}.md)")
    return lines


def settings(program: Path, pages: dict[str, str]) -> list[str]:
    """A page with all settings, from their schema."""
    schema = json.loads(run(program, "config", "schema", "config"))
    rows = [
        "# Settings\n",
        "All settings of `config.toml` and `chaffinch.toml`; [Configuration](../configuration.md) says more.\n",
    ]
    rows += ["| setting | values | what it is |", "|---|---|---|"]

    def values(about: dict) -> str:
        kind = about.get("type", "")
        kind = " or ".join(kind) if isinstance(kind, list) else kind
        chosen = about.get("enum") or []
        return ", ".join(f"`{value}`" for value in chosen) if chosen else kind

    def add(prefix: str, about: dict) -> None:
        for name, inner in sorted(about.get("properties", {}).items()):
            whole = f"{prefix}{name}"
            if "properties" in inner:
                add(f"{whole}.", inner)
            else:
                text = (
                    inner.get("description", "").replace("\n", " ").replace("|", "\\|")
                )
                rows.append(f"| `{whole}` | {values(inner)} | {text} |")

    add("", schema)
    pages["docs/reference/settings.md"] = "\n".join(rows) + "\n"
    return ["  - [All settings](docs/reference/settings.md)"]


def contents(pages: dict[str, str], added: dict[str, list[str]]) -> str:
    """The table of contents, with paths from the top of the repository, and generated pages below the page that they belong to."""
    lines = []
    for line in (ROOT / "docs/SUMMARY.md").read_text().splitlines():
        place = LINK.search(line)
        if place is None:
            lines.append(line)
            continue
        path = str((ROOT / "docs" / place[1]).resolve().relative_to(ROOT))
        pages.setdefault(path, (ROOT / path).read_text())
        lines.append(line.replace(f"({place[1]})", f"({path})"))
        lines += added.get(path, [])
    return "\n".join(lines) + "\n"


def stage(program: Path, src: Path) -> None:
    """Writes everything that mdbook reads."""
    pages: dict[str, str] = {}
    added = {
        "docs/command-line.md": commands(program, pages),
        "docs/detectors.md": detectors(pages),
        "docs/configuration.md": settings(program, pages),
    }
    summary = contents(pages, added)
    shutil.rmtree(src, ignore_errors=True)
    for path, text in {**pages, "SUMMARY.md": summary}.items():
        file = src / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        for link in LINK.finditer(text):
            linked = (ROOT / path).parent / link[1]
            if "://" in link[1] or not linked.is_file() or linked.suffix == ".md":
                continue
            # Pictures, scripts and schemas, which are copied into the book as they are.
            place = src / linked.resolve().relative_to(ROOT)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(linked, place)


class Page(HTMLParser):
    """The links of a page, and what links can lead to."""

    def __init__(self) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collects links and anchors."""
        for name, value in attrs:
            if name in ("id", "name") and value:
                self.anchors.add(value)
            elif name == ("src" if tag in ("img", "script") else "href") and value:
                self.links.add(value)


def broken_links(folder: Path) -> list[str]:
    """Links of all pages that lead to no file or to no anchor in it, by page."""
    pages: dict[Path, Page] = {}
    for file in sorted(folder.rglob("*.html")):
        page = pages[file.resolve()] = Page()
        page.feed(file.read_text())
    broken = []
    for file, page in pages.items():
        for link in sorted(page.links):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            goal = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            goal = goal / "index.html" if goal.is_dir() else goal
            anchors = pages[goal].anchors if goal in pages else None
            known = goal.is_file() and (
                not parts.fragment
                or anchors is None
                or unquote(parts.fragment) in anchors
            )
            if not known and file.name not in ("404.html", "toc.html"):
                broken.append(f"{file.relative_to(folder.resolve())}: {link}")
    return broken


def main() -> None:
    """Builds, and checks if asked to."""
    parser = argparse.ArgumentParser(description="Build the book.")
    parser.add_argument(
        "--program",
        type=Path,
        default=ROOT / "target/release/chaffinch",
        help="the built program",
    )
    parser.add_argument(
        "--out", type=Path, default=ROOT / "target/book", help="folder for the book"
    )
    parser.add_argument("--check", action="store_true", help="check all links")
    wanted = parser.parse_args()
    out = wanted.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    stage(wanted.program.resolve(), out / "src")
    shutil.copyfile(BOOK / "book.toml", out / "book.toml")
    run("mdbook", "build", out)
    count = sum(1 for _ in (out / "html").rglob("*.html"))
    print(f"{count} pages in {out / 'html'}")
    if wanted.check:
        broken = broken_links(out / "html")
        if broken:
            raise Failed("\n".join(["links lead nowhere:", *broken]))
        print("no link leads nowhere")


if __name__ == "__main__":
    try:
        main()
    except Failed as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
