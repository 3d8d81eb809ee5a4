"""MRML nodes to images, masks and prompts, and back; no Qt, so it also runs without the desktop."""
