"""podweave: weave helpers into Pods, run them on one machine, and judge Pod designs."""

__version__ = "0.1.0"
