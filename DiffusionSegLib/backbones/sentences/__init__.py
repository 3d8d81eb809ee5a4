"""Frozen text encoders that give a whole sentence one vector."""
