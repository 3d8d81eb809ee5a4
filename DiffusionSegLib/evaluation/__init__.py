"""Measures how well a method's outlines agree with known ones."""
