"""Devices: which to compute on, and what their errors mean."""
