"""`podweave down`: stop Pods and remove what they left."""

from __future__ import annotations

import os

import click

from podweave.cli.engine_option import engine_option, engine_or_exit
from podweave.cli.inputs import read_sources
from podweave.cli.pod_names import find_pod
from podweave.cli.pod_tree import Pod, pod_name
from podweave.model.errors import InputError


@click.command("down")
@click.argument("names", metavar="[FILE|POD]...", nargs=-1)
@engine_option
@click.option("--all", "everything", is_flag=True, help="Every Pod.")
@click.option("--volumes", is_flag=True, help="Remove the Pods' claims, too; they stay otherwise.")
@click.option(
    "--grace-period",
    type=click.FloatRange(0),
    metavar="SECONDS",
    help="In place of the Pod's terminationGracePeriodSeconds.",
)
def command(
    names: tuple[str, ...],
    engine_name: str,
    everything: bool,
    volumes: bool,
    grace_period: float | None,
) -> None:
    """Stop Pods in order and remove what they left.

    FILE stands for the Pods of its workloads. A Pod that isn't there any more is no error.
    """
    if bool(names) == everything:
        raise click.UsageError("name files or Pods, or give --all")
    engine = engine_or_exit(engine_name)
    pods = engine.pods()
    for pod in pods if everything else _named(names, pods):
        engine.stop(pod, grace=grace_period, volumes=volumes)
        click.echo(f"Pod {pod_name(pod)} is down")
    if volumes and everything:
        engine.remove_all_claims()


def _named(names: tuple[str, ...], pods: list[Pod]) -> list[Pod]:
    found: dict[str, Pod] = {}
    files = [name for name in names if name == "-" or os.path.exists(name)]
    for name in names:
        if name in files:
            continue
        if name.endswith((".yaml", ".yml", ".json")):
            raise InputError("there is no such file", file=name)
        try:
            pod = find_pod(pods, name)
        except InputError as error:
            if "several" in error.message:
                raise
            # It is down: what was asked for. The others' names are for who has misspelt it.
            click.echo(error.message, err=True)
        else:
            found[pod_name(pod)] = pod
    if files:
        for namespace, name in _pods_in(files):
            for pod in pods:
                metadata = pod["metadata"]
                if (metadata["namespace"], metadata["name"]) == (namespace, name):
                    found[pod_name(pod)] = pod
    return list(found.values())


def _pods_in(files: list[str]) -> list[tuple[str, str]]:
    from podweave.manifests.bundle import DEFAULT_NAMESPACE, bundle
    from podweave.model.workloads import pod_of

    given = bundle(read_sources(files))
    pods = [pod_of(found.workload) for found in given.workloads]
    return [(pod.metadata.namespace or DEFAULT_NAMESPACE, pod.metadata.name or "") for pod in pods]
