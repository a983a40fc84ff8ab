"""The adapter as a filter: programs on one file or standard input, without a configuration."""
