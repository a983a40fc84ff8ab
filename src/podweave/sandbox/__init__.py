"""Linux, one file a facility: namespaces, mounts, network, cgroups, capabilities.

Knows nothing of Kubernetes. A failed system call is a SandboxError with operation, path and errno.
"""
