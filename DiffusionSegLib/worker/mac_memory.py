"""The free memory of a Mac, which has no /proc: from its own program vm_stat. Not tested on one."""

from __future__ import annotations

import re
import subprocess

__all__ = ["free_pages", "mac_free"]

_SECONDS = 2.0
_PAGE = re.compile(r"page size of (\d+) bytes")
# What the system gives to a new program without writing anything to the disk.
_AVAILABLE = re.compile(r"^Pages (free|inactive|speculative|purgeable): +(\d+)\.", re.MULTILINE)


def mac_free() -> int | None:
    """Bytes; None when vm_stat does not answer."""
    try:
        done = subprocess.run(
            ["/usr/bin/vm_stat"], capture_output=True, text=True, timeout=_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return free_pages(done.stdout)


def free_pages(text: str) -> int | None:
    """Of the table that vm_stat prints, in bytes; None when it cannot be read."""
    page, counts = _PAGE.search(text), _AVAILABLE.findall(text)
    if page is None or not counts:
        return None
    return int(page.group(1)) * sum(int(count) for _, count in counts)
