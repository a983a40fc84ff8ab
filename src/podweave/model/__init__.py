"""What podweave talks about: the pattern resources and the Kubernetes objects it reads.

Purely data: validated msgspec structs and their vocabulary. No text formats, no files,
no processes. An error carries the path inside the object; `manifests` adds file and line.
"""
