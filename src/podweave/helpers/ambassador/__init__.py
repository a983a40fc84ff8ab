"""The localhost proxy."""
