"""Judges a Pod: what each container is for, whether they belong together, what it costs.

Facts are read from plain objects (`facts`, `observation`, `surroundings`), related (`relations`),
turned into roles (`products`, `roles`), a grouping and a verdict (`grouping`, `verdict`), findings
(`rules/`), numbers (`cost`, `simulation/`), a proposed split (`split/`) and a report (`reports/`).
Pure: text and objects in, text and objects out. Files, standard input and networks are the
command line's.
"""
