"""Manifest + patterns to woven manifest + list of changes, and back again.

Pure and deterministic. One pattern kind a file, each reporting every path it changed and why.
"""
