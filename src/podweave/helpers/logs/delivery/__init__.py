"""From a source to a store: batches, retries, acknowledgements, byte budget, spill, dead letters.

What is alike for every kind of store lives here, once; how a kind speaks is in `stores`.
"""
