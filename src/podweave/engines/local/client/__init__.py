"""The commands' side of a Pod: ask its supervisor, attach to a command, read logs, start one.

Runs in the process of the command, with ordinary blocking calls.
"""
