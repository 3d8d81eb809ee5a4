"""Outlines computed in a process (or thread) of their own, so that no front end ever waits."""
