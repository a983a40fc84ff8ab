"""The golden cases: folders with manifest, patterns, options and the expected text beside them.

`PODWEAVE_WRITE_CASES=1 pytest tests/weave` writes the expected texts anew, for review as a diff.
"""

from __future__ import annotations

import json
from pathlib import Path

from podweave.manifests.bundle import bundle
from podweave.manifests.documents import Source
from podweave.manifests.reading import read
from podweave.weave import Options, Weaving, weave

CASES = Path(__file__).parent / "cases"
NAMES = sorted(case.name for case in CASES.iterdir() if case.is_dir())


class Case:
    """One folder."""

    def __init__(self, name: str) -> None:
        self.folder = CASES / name
        self.manifest = next(self.folder.glob("manifest.*"))
        self.text = self.manifest.read_bytes().decode()
        self.expected = self.folder / f"woven{self.manifest.suffix}"
        self.patterns = read("patterns.yaml", (self.folder / "patterns.yaml").read_bytes())
        self.options = Options()
        options = self.folder / "options.json"
        if options.exists():
            chosen = json.loads(options.read_text())
            if "kubernetes" in chosen:
                major, minor = chosen["kubernetes"]
                chosen["kubernetes"] = (major, minor)
            self.options = Options(**chosen)

    def weave(self, text: str | None = None, patterns: Source | None = None) -> Weaving:
        return weave_text(
            self.manifest.name,
            self.text if text is None else text,
            patterns or self.patterns,
            self.options,
        )


def weave_text(name: str, text: str, patterns: Source, options: Options | None = None) -> Weaving:
    return weave(bundle([read(name, text.encode()), patterns]), options)


def only_text(weaving: Weaving) -> str:
    (source,) = weaving.sources
    return source.text
