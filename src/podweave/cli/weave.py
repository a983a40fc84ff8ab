"""`podweave weave`: manifests and patterns in, woven manifests out."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import click

from podweave.cli.inputs import read_sources
from podweave.cli.judging import check_adapters
from podweave.cli.outputs import join, write_json, write_text
from podweave.manifests.bundle import bundle
from podweave.model.errors import InputError
from podweave.weave import Options, Weaving, weave
from podweave.weave.options import HELPER_IMAGE

if TYPE_CHECKING:
    from podweave.manifests.documents import Source


def kubernetes_version(
    context: click.Context, parameter: click.Parameter, value: str
) -> tuple[int, int]:
    """Parse `1.31`, `v1.31`, `1.31.4`."""
    match = re.fullmatch(r"v?(\d{1,3})\.(\d{1,3})(\.\d+)?([-+].*)?", value)
    if not match:
        raise click.BadParameter(f"{value!r} isn't a version of Kubernetes: write 1.31")
    return int(match[1]), int(match[2])


@click.command("weave")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["yaml", "json", "diff"]),
    default="yaml",
    help="yaml keeps the files' own text and comments; diff shows what was added to them.",
)
@click.option("--explain", is_flag=True, help="Say each change and its reason, on stderr.")
@click.option(
    "--prove",
    is_flag=True,
    help="Print, as JSON and instead of the manifests, the comparison of every main container "
    "before and after; exit code 1 if one was touched.",
)
@click.option(
    "--kubernetes",
    callback=kubernetes_version,
    default=".".join(map(str, Options().kubernetes)),
    show_default=True,
    metavar="X.Y",
    help="The oldest version among the target's API server and nodes. Before 1.29 helpers are "
    "plain containers.",
)
@click.option("--helper-image", default=HELPER_IMAGE, show_default=True, metavar="IMAGE")
@click.option("--profile", metavar="NAME", help="The profile every ambassador starts with.")
def command(
    files: tuple[str, ...],
    output: str,
    explain: bool,
    prove: bool,
    kubernetes: tuple[int, int],
    helper_image: str,
    profile: str | None,
) -> None:
    """Weave patterns into manifests and print the result.

    FILEs are manifests and patterns in any order: files, directories, `-` for standard input.
    What a file holds besides comes out as it went in; the patterns themselves are left out.
    What was woven in earlier is taken out first: weaving twice equals weaving once.
    """
    sources = read_sources(files)
    given = bundle(sources)
    if not given.patterns:
        raise InputError(
            "no Ambassador, Adapter or Sidecar among the files: there is nothing to weave in",
            file=", ".join(files),
        )
    check_adapters(given)
    weaving = weave(given, Options(kubernetes, helper_image, profile))
    proofs = weaving.proofs if explain or prove else []
    if prove:
        write_json([{"untouched": _untouched(weaving), "workloads": [p.as_json() for p in proofs]}])
    elif output == "json":
        write_json([object for _, objects in weaving.objects for object in objects])
    elif output == "diff":
        write_text(_diff(sources, weaving))
    else:
        _write_yaml(sources, weaving)
    if explain:
        _explain(weaving)
    if prove and not _untouched(weaving):
        sys.exit(1)


def _untouched(weaving: Weaving) -> bool:
    return not any(proof.differences for proof in weaving.proofs)


def _write_yaml(sources: list[Source], weaving: Weaving) -> None:
    if len(weaving.sources) == 1:
        (woven,) = weaving.sources
        encodings = {source.file: source.encoding for source in sources}
        write_text(woven.text, encodings[woven.file])
    else:
        write_text(join([(woven.file, woven.text) for woven in weaving.sources]))


def _diff(sources: list[Source], weaving: Weaving) -> str:
    import difflib

    originals = {source.file: source.text for source in sources}
    lines: list[str] = []
    for file, text in weaving.sources:
        for line in difflib.unified_diff(
            originals[file].splitlines(keepends=True),
            text.splitlines(keepends=True),
            f"{file} (given)",
            f"{file} (woven)",
        ):
            lines.append(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")
    return "".join(lines)


def _explain(weaving: Weaving) -> None:
    for change in weaving.changes:
        print(
            f"{change.file}:{change.line}: {change.workload}: {change.path}: {change.what}\n"
            f"    {change.reason}",
            file=sys.stderr,
        )
    for proof in weaving.proofs:
        for container in proof.containers:
            print(f"{proof.workload}: {container}", file=sys.stderr)
        for difference in proof.differences:
            print(f"{proof.workload}: TOUCHED: {difference}", file=sys.stderr)
