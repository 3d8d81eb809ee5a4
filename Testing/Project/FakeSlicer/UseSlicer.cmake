# Slicer finds VTK, ITK and Qt here; a scripted extension needs none of them.
