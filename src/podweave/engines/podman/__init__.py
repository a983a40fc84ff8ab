"""The podman engine: what Podman can't do is adapted or refused, the rest is Podman's own."""
