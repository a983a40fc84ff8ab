"""`podweave unweave`: woven manifests in, the originals out."""

from __future__ import annotations

import click

from podweave.cli.inputs import read_sources
from podweave.cli.outputs import join, write_text


@click.command("unweave")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
def command(files: tuple[str, ...]) -> None:
    """Give back the original of woven manifests, comments included.

    FILEs are files, directories, `-` for standard input. What was woven in is known from an
    annotation; if any of it was changed by hand, that is an error. Manifests that aren't woven
    come out as they went in.
    """
    from podweave.weave import unweave

    sources = read_sources(files)
    originals = unweave(sources)
    if len(originals) == 1:
        write_text(originals[0].text, sources[0].encoding)
    else:
        write_text(join([(original.file, original.text) for original in originals]))
