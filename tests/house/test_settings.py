"""Every knob is documented: docs/settings.md is what the settings classes say."""

from ostiary import settings
from ostiary_admin.settings import AdminSettings
from ostiary_auth.settings import AuthSettings
from tests.house.tree import ROOT


def test_the_settings_page_is_what_the_code_says() -> None:
    written = (ROOT / "docs/settings.md").read_text()
    assert written == settings.page(), "run: ./ostiary settings > docs/settings.md"


def test_every_setting_has_a_sentence() -> None:
    fields = {**AuthSettings.model_fields, **AdminSettings.model_fields}
    assert [name for name, info in fields.items() if not (info.description or "").endswith(".")] == []
