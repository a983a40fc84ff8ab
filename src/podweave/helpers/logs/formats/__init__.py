"""The formats that lines are read from: each a small table, with samples that test it.

A format knows the neutral fields and nothing of a schema. Modules are loaded when they are
asked for (catalogue.py).
"""
