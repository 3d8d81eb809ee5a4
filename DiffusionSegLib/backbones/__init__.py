"""Frozen networks and the store that finds and checks their weights."""
