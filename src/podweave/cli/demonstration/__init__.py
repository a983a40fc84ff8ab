"""What `podweave demo` is made of: real databases, real load, and the story told with them.

Runs podweave only through its own command line, as a user would.
"""
