"""Pictures of a report for docs/report.md, by a real Chromium: pictures.py REPORT.html."""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from support.chromium import browser

DOCS = Path(__file__).parents[1] / "docs" / "report"


def main() -> None:
    """Take the pictures that the page shows."""
    report = Path(sys.argv[1])
    DOCS.mkdir(exist_ok=True)
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder, browser(Path(folder)) as shown:
        shown.show(report, 1280, "light")
        (DOCS / "light.png").write_bytes(shown.picture(height=1480))
        top = shown.evaluate("document.getElementById('states').getBoundingClientRect().top + scrollY")
        shown.show(report, 1280, "dark")
        (DOCS / "dark.png").write_bytes(shown.picture(top, 1480))
        shown.show(report, 390, "light")
        (DOCS / "narrow.png").write_bytes(shown.picture(height=1100))
        shown.show(report, 1280, "light")
        pdf = Path(folder) / "print.pdf"
        pdf.write_bytes(shown.printed())
        words = ["pdftoppm", "-r", "80", "-png", "-singlefile", str(pdf), str(DOCS / "print")]
        subprocess.run(words, check=True)


if __name__ == "__main__":
    main()
