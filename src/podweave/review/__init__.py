"""Judges a Pod: roles, rules, waste, split. Pure. The room is empty as yet."""
