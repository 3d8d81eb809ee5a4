"""A Python of its own for the worker, and what is wrong with the one that it runs in."""
