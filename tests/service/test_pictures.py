"""The pictures of the status page can be taken; that of Odoo: tests/system/test_system_demo.py."""

from pathlib import Path

import pictures
import pytest
from running import needs


@needs(pictures.CHROMIUM, "Chromium")
@pytest.mark.slow
def test_the_status_page_has_its_pictures(tmp_path: Path):
    with pictures.browser() as tab, pictures.made_up_shop() as address:
        pictures.status_page(tab, address, tmp_path)
        assert "403-1182736-5518731" in tab.evaluate("document.body.innerText")
    taken = sorted(path.name for path in tmp_path.iterdir())
    assert taken == ["status-page-phone.png", "status-page.png"]
    assert all(10_000 < path.stat().st_size < 150_000 for path in tmp_path.iterdir())
