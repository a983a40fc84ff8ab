"""Judgements as text, JSON, SARIF, JUnit, GitHub annotations and HTML. Strings out, no I/O."""
