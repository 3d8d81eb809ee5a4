"""The panel in 3D Slicer: one section of the page per file."""
