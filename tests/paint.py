"""How heavy each page is over the wire, and when a phone on a slow line has painted the largest part of it.

    python -m tests.paint [SITE]

Without SITE, that of the Example County if it was audited here, else of the tests' own example. Seconds are for people:
they depend on the machine, so no test asserts them; the weight is asserted in `tests/browser`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

from pipeline.audit import EXAMPLE, default_out
from pipeline.report.pdf import find_chrome
from pipeline.report.site import build_site
from tests.report_example import every_kind_of_page
from tests.served import first_load, served


def main(folder: Path) -> None:
    with served(folder) as address, sync_playwright() as started:
        browser = started.chromium.launch(executable_path=find_chrome(), args=["--no-sandbox", "--disable-gpu"])
        first_load(browser, f"{address}/en/index.html", slow=True)  # the first page of a browser pays for its start
        found = {}
        for path in sorted(folder.glob("e[ns]/*.html")):
            name = path.relative_to(folder).as_posix()
            found[name] = first_load(browser, f"{address}/{name}", slow=True)
            print(f"{name:36} {found[name][0] / 1000:6.1f} KB {found[name][1]:6.0f} ms")
        browser.close()
    weights, paints = zip(*found.values(), strict=True)
    print(f"{'the heaviest, the slowest':36} {max(weights) / 1000:6.1f} KB {max(paints):6.0f} ms")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    elif (audited := default_out(EXAMPLE) / "site").is_dir():
        main(audited)
    else:
        with TemporaryDirectory() as made:
            build_site(out=Path(made) / "site", public=every_kind_of_page())
            main(Path(made) / "site")
