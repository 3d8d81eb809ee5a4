"""Between 3D Slicer's scene and the engine: nodes in, nodes out. No Qt."""
