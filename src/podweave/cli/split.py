"""`podweave split`: write a Pod's tiers as workloads of their own."""

from __future__ import annotations

import os
import sys

import click

from podweave.model.errors import InputError


@click.command()
@click.argument("files", nargs=-1, required=True)
@click.option("-o", "--output", "directory", required=True, help="Where the files are written.")
@click.option(
    "--keep-localhost",
    is_flag=True,
    help="Keep localhost addresses by an Ambassador pattern instead of rewriting them.",
)
@click.option("--force", is_flag=True, help="Write into a directory that has files already.")
def command(files: tuple[str, ...], directory: str, keep_localhost: bool, force: bool) -> None:
    """Write one workload for each group of containers that `podweave review` tells apart.

    FILES are manifests, directories, or - for standard input. With several workloads to split,
    each gets a directory of its own.

    Exit codes: 0 done, 1 nothing to split, 2 input that can't be read.
    """
    from podweave.cli.review_input import gather
    from podweave.review.review import review
    from podweave.review.split.pieces import Split
    from podweave.review.split.planning import plan
    from podweave.review.split.writing import files as texts

    inventory = gather(files)
    result = review(inventory)
    for error in result.errors:
        print(str(error), file=sys.stderr)
    if result.errors:
        sys.exit(2)
    wanted = [each for each in result.reviewed if each.judgement.verdict == "split"]
    if not wanted:
        print("nothing to split: every Pod's containers belong together", file=sys.stderr)
        sys.exit(1)
    if os.path.isdir(directory) and os.listdir(directory) and not force:
        raise InputError(
            "the directory has files already: name another one, or say --force", file=directory
        )
    # All is planned before the first file is written: an error leaves nothing half done.
    planned: dict[str, Split] = {}
    for each in wanted:
        pod = each.judgement.case.pod
        others = [other for other in inventory.others if other.file == pod.file or len(files) > 1]
        folder = directory if len(wanted) == 1 else os.path.join(directory, pod.name)
        if folder in planned:
            raise InputError(
                f"two workloads to split are called {pod.name}: split them one at a time",
                file=pod.file,
            )
        planned[folder] = plan(each, others, keep_localhost=keep_localhost)
    for folder, split in planned.items():
        os.makedirs(folder, exist_ok=True)
        for name, text in texts(split).items():
            with open(os.path.join(folder, name), "w", encoding="utf-8") as stream:
                stream.write(text)
        print(f"{split.origin} → {folder.rstrip('/')}/")
        for line in split.report:
            print(f"  {line}")
        for line in split.open:
            print(f"  to decide: {line}")
