# Slicer writes the extension's build configuration here.
