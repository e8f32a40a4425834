"""The documentation as a site: `make docs`, strictly, and nothing from elsewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site; a link or an anchor that leads nowhere, or a page that no menu has, fails here."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder


def pages(site: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in site.glob("*.html")}


def test_every_document_is_a_page(site: Path) -> None:
    documents = {path.with_suffix(".html").name for path in (ROOT / "docs").glob("*.md")}
    assert pages(site).keys() == documents | {"index.html", "404.html"}


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    loaded = r'<(?:script|img|iframe|source)\b[^>]*\bsrc="(?:https?:)?//|<link\b[^>]*href="https?:'
    assert [name for name, html in pages(site).items() if re.search(loaded, html)] == []
    styles = [
        path for path in site.rglob("*.css") if re.search(r"url\(\W?(https?:)?//", path.read_text())
    ]
    assert styles == []


def test_all_markup_is_understood(site: Path) -> None:
    """Where the site's Markdown differs from that of the repository's web pages."""
    left_over = r"<p>(?:(?!</p>).)*(?:```|\n\s*(?:- |\d+\. |\|))"
    found = {
        name: match[0][:200]
        for name, html in pages(site).items()
        if (match := re.search(left_over, re.sub("(?s)<pre.*?</pre>", "", html), re.DOTALL))
    }
    assert found == {}


def test_files_of_the_configuration_can_be_downloaded(site: Path) -> None:
    assert 'href="config/amazon-bridge.service"' in pages(site)["install.html"]
    assert (site / "config/amazon-bridge.service").read_text().startswith("# amazon-bridge")
