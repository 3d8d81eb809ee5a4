"""Attention maps of a diffusion network: found by structure, captured in one pass, aggregated."""
