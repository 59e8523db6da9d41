"""Pages on paper: tagged PDF, printed by the Chrome of this machine, and the same bytes each time.

A machine without a Chrome has pages all the same; a notice says how to get the prints.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--no-pdf-header-footer",
    "--export-tagged-pdf", "--generate-pdf-document-outline",
)  # fmt: skip
SECONDS = 240
_ELEMENT = re.compile(rb"node\d{8}")
NO_CHROME = (
    "No Chrome or Chromium was found, so the hand-out and the report were not printed as PDF; all pages are there. "
    "Install chromium, or set BROWSER_PATH to one, and run the audit again."
)


def find_chrome() -> str | None:
    """The browser that prints: `BROWSER_PATH`, or the first found on the path."""
    names = (os.environ.get("BROWSER_PATH", ""), "chromium", "chromium-browser", "google-chrome", "chrome")
    return next((found for name in names if name and (found := shutil.which(name))), None)


def print_pages(pages: Mapping[Path, Path], *, day: date) -> str | None:
    """Print each HTML file to its PDF file, dated `day`. Returns why there is none, and what to do, or None."""
    chrome = find_chrome()
    if chrome is None:
        return NO_CHROME
    for page, to in pages.items():
        with tempfile.TemporaryDirectory(prefix="iiu-print-") as profile:
            command = [chrome, *FLAGS, f"--user-data-dir={profile}", f"--print-to-pdf={to}", page.resolve().as_uri()]
            try:
                subprocess.run(command, check=True, capture_output=True, timeout=SECONDS)  # noqa: S603 our own words
            except (OSError, subprocess.SubprocessError) as error:
                return f"{chrome} could not print {to.name} ({type(error).__name__}); all pages are there."
        if not to.is_file():
            return f"{chrome} printed nothing to {to.name}; all pages are there."
        to.write_bytes(settled(to.read_bytes(), day))
    return None


def settled(pdf: bytes, day: date) -> bytes:
    """The file without its clock, and its elements numbered anew: Chrome counts those of pages that it only prepared.

    Every place in the file stays where it was, since dates and numbers keep their length, and the numbers their order.
    """
    stamp = f"(D:{day:%Y%m%d}000000+00'00')".encode()
    pdf = re.sub(rb"(/(?:CreationDate|ModDate) )(\(D:\d{14}\+00'00'\))", lambda found: found[1] + stamp, pdf)
    number = {name: b"node%08d" % place for place, name in enumerate(sorted(set(_ELEMENT.findall(pdf))), start=1)}
    return _ELEMENT.sub(lambda found: number[found[0]], pdf)
