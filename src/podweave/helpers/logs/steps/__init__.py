"""Steps between a format and a schema: what is left out, masked, renamed or added.

They work on neutral records. Without a step, nothing here is loaded, and lines are read the
compiled way.
"""
