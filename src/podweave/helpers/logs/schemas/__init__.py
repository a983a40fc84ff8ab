"""The schemas that an adapter writes: each a table from neutral fields to places in a JSON."""
