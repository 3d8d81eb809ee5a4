"""What an older Slicer lacks, and what works all the same."""

from __future__ import annotations

import slicer
from slicer.i18n import tr as _

__all__ = ["whatIsMissing"]

_NEEDED = (5, 12)


def whatIsMissing() -> str:
    """One sentence for the notice, or "" from Slicer 5.12 on."""
    found = int(slicer.app.majorVersion), int(slicer.app.minorVersion)
    if found >= _NEEDED:
        return ""
    missing = [_("slicer.packaging, so packages go only into an environment of its own")]
    if not hasattr(slicer, "vtkSlicerSegmentEditorLogic"):
        missing.append(_("vtkSlicerSegmentEditorLogic, so undo works only in the Segment Editor"))
    return _("Slicer {version} lacks {missing}; everything else works.").format(
        version=slicer.app.applicationVersion, missing=_(" and ").join(missing)
    )
