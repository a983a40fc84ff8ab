"""Manifest + patterns to woven manifest + list of changes, and back again.

Pure and deterministic. One pattern kind a file, each reporting every path it changed and why.
"""

from podweave.weave.changes import Change
from podweave.weave.options import Options
from podweave.weave.results import Weaving, WovenSource
from podweave.weave.weaving import unweave, weave

__all__ = ["Change", "Options", "Weaving", "WovenSource", "unweave", "weave"]
