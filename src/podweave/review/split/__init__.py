"""The split: a Pod's groups as workloads of their own, with Services, claims and autoscalers.

Planned as objects with comments, then written as files. What a manifest can't tell is a comment
at its place and a line in the report.
"""
