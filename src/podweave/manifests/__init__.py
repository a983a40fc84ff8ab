"""YAML and JSON text to objects and back, with the place of every value.

Pure: text in, documents out; documents and edits in, text out. Reading files and standard
input is the business of `cli`. The user's own text, comments included, is edited in
place, never re-rendered.
"""
