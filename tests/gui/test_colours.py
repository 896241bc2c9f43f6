# ruff: noqa: N802, N815 - the fakes have the names of Qt's classes
from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QPalette
from PySide6.QtWidgets import QCheckBox, QRadioButton

from desktop_app.config.paths import resource
from desktop_app.domain.job import Status
from desktop_app.gui.theme import theme as look_module
from desktop_app.gui.theme.theme import DARK, LIGHT, Colours, Theme, colours_of, ensure_font, wants_high_contrast

if TYPE_CHECKING:
    from PySide6.QtWidgets import QAbstractButton, QApplication
    from pytestqt.qtbot import QtBot

READABLE = 4.5
BOTH = pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])


def luminance(colour: str) -> float:
    def linear(part: float) -> float:
        return part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4

    made = QColor(colour)
    return 0.2126 * linear(made.redF()) + 0.7152 * linear(made.greenF()) + 0.0722 * linear(made.blueF())


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_measured_as_wcag_does() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@BOTH
@pytest.mark.parametrize("ink", ["text", "muted", "pending", "processing", "processed", "failed", "link"])
@pytest.mark.parametrize("ground", ["base", "alternate", "window"])
def test_text_is_readable_on_every_background(colours: Colours, ink: str, ground: str) -> None:
    assert contrast(getattr(colours, ink), getattr(colours, ground)) >= READABLE


@BOTH
@pytest.mark.parametrize("ground", ["info", "warning", "problem", "button", "hover", "pressed"])
def test_text_is_readable_on_messages_and_buttons(colours: Colours, ground: str) -> None:
    assert contrast(colours.text, getattr(colours, ground)) >= READABLE


@BOTH
@pytest.mark.parametrize("ground", ["selection", "primary_hover", "primary_pressed"])
def test_selected_text_is_readable(colours: Colours, ground: str) -> None:
    assert contrast(colours.selected_text, getattr(colours, ground)) >= READABLE


@BOTH
@pytest.mark.parametrize("ink", ["text", "muted", "pending", "processing", "processed", "failed"])
def test_text_is_readable_on_what_is_chosen_in_the_sidebar(colours: Colours, ink: str) -> None:
    assert contrast(getattr(colours, ink), colours.tint) >= READABLE


@BOTH
def test_shapes_and_disabled_controls_are_visible(colours: Colours) -> None:
    for part in ("accent", "disabled"):
        for ground in ("base", "window"):
            assert contrast(getattr(colours, part), getattr(colours, ground)) >= 3
    assert contrast(colours.problem, colours.failed) >= 3
    assert contrast(colours.info, colours.processing) >= 3


@BOTH
def test_palette_uses_the_same_colours(colours: Colours) -> None:
    palette = colours.palette()
    for group in (QPalette.ColorGroup.Active, QPalette.ColorGroup.Inactive):
        assert palette.color(group, QPalette.ColorRole.Highlight).name() == colours.selection
        assert palette.color(group, QPalette.ColorRole.Base).name() == colours.base
    assert palette.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Text).name() == colours.disabled
    assert [colours.of(status) for status in Status] == [
        colours.pending,
        colours.processing,
        colours.processed,
        colours.failed,
    ]


def test_high_contrast_uses_only_the_systems_colours() -> None:
    system = QPalette(QColor("#000000"), QColor("#000000"))
    system.setColor(QPalette.ColorRole.Text, QColor("#ffff00"))
    system.setColor(QPalette.ColorRole.Base, QColor("#000000"))
    made = colours_of(system)
    assert made.is_dark
    assert made.failed == made.text == "#ffff00"
    ours = {value for scheme in (LIGHT, DARK) for value in (scheme.failed, scheme.processing, scheme.warning)}
    assert not ours & {getattr(made, field.name) for field in fields(made) if field.type == "str"}


class FakeAccessibility:
    def __init__(self, preference: Qt.ContrastPreference) -> None:
        self._preference = preference

    def contrastPreference(self) -> Qt.ContrastPreference:
        return self._preference


class FakeHints(QObject):
    colorSchemeChanged = Signal(object)

    def __init__(self, scheme: Qt.ColorScheme, contrast_wanted: Qt.ContrastPreference) -> None:
        super().__init__()
        self.scheme = scheme
        self._contrast = contrast_wanted

    def colorScheme(self) -> Qt.ColorScheme:
        return self.scheme

    def accessibility(self) -> FakeAccessibility:
        return FakeAccessibility(self._contrast)


class FakeApplication:
    """Records the applied style; the real application would keep it for the other tests."""

    def __init__(
        self,
        scheme: Qt.ColorScheme,
        preference: Qt.ContrastPreference = Qt.ContrastPreference.NoPreference,
        palette: QPalette | None = None,
    ) -> None:
        self.hints = FakeHints(scheme, preference)
        self.worn = palette or LIGHT.palette()
        self.sheet = ""
        self.used_font = QFont()

    def palette(self) -> QPalette:
        return self.worn

    def setPalette(self, palette: QPalette) -> None:
        self.worn = palette

    def setStyle(self, _name: str) -> None: ...

    def setStyleSheet(self, sheet: str) -> None:
        self.sheet = sheet

    def styleHints(self) -> FakeHints:
        return self.hints

    def font(self) -> QFont:
        return self.used_font

    def setFont(self, font: QFont) -> None:
        self.used_font = font


def test_colours_follow_the_systems_scheme_live(qapp: QApplication) -> None:
    application = FakeApplication(Qt.ColorScheme.Dark)
    theme = Theme()
    theme.follow(application)  # type: ignore[arg-type]
    assert theme.colours is DARK
    assert DARK.window in application.sheet
    application.hints.scheme = Qt.ColorScheme.Light
    application.hints.colorSchemeChanged.emit(Qt.ColorScheme.Light)
    assert theme.colours is LIGHT
    assert application.worn.color(QPalette.ColorRole.Base).name() == LIGHT.base


@pytest.mark.parametrize(("palette", "expected"), [(LIGHT, LIGHT), (DARK, DARK)])
def test_scheme_is_read_from_the_palette_if_the_system_has_none(
    qapp: QApplication, palette: Colours, expected: Colours
) -> None:
    theme = Theme()
    theme.follow(FakeApplication(Qt.ColorScheme.Unknown, palette=palette.palette()))  # type: ignore[arg-type]
    assert theme.colours is expected


def test_high_contrast_keeps_the_systems_palette(qapp: QApplication) -> None:
    system = QPalette(QColor("#111111"))
    application = FakeApplication(Qt.ColorScheme.Dark, Qt.ContrastPreference.HighContrast, system)
    theme = Theme()
    theme.follow(application)  # type: ignore[arg-type]
    assert application.worn == system
    assert theme.colours.failed == theme.colours.text


def test_unknown_contrast_counts_as_normal() -> None:
    class OldHints:
        pass

    class OldApplication:
        def styleHints(self) -> OldHints:
            return OldHints()

    assert not wants_high_contrast(OldApplication())  # type: ignore[arg-type]


def test_missing_font_is_replaced(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QFontDatabase, "families", lambda: ["Some Font", "Noto Sans"])
    application = FakeApplication(Qt.ColorScheme.Light)
    application.used_font.setPointSizeF(7)
    ensure_font(application)  # type: ignore[arg-type]
    assert application.used_font.family() == "Noto Sans"
    assert application.used_font.pointSizeF() == 10
    monkeypatch.setattr(QFontDatabase, "families", list)
    ensure_font(application)  # type: ignore[arg-type]


def test_icons_are_drawn_in_the_requested_colour(qapp: QApplication) -> None:
    theme = Theme()
    for file in resource("icons").glob("*.svg"):
        if file.stem == "filemill":
            continue
        normal, selected, disabled = (
            theme.icon(file.stem, "#0b57d0").pixmap(QSize(24, 24), 1.0, mode).toImage()
            for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected, QIcon.Mode.Disabled)
        )
        for image, colour in ((normal, "#0b57d0"), (selected, LIGHT.selected_text), (disabled, LIGHT.disabled)):
            seen = {
                QColor(image.pixel(x, y)).name()
                for x in range(24)
                for y in range(24)
                if image.pixelColor(x, y).alpha() == 255
            }
            assert colour in seen, file.stem
    assert theme.icon("retry") is theme.icon("retry")
    assert not look_module.program_icon().isNull()


@pytest.mark.parametrize("kind", [QCheckBox, QRadioButton])
def test_chosen_but_disabled_control_has_no_accent(kind: type[QAbstractButton], theme: Theme, qtbot: QtBot) -> None:
    theme.use(LIGHT)
    control = kind()
    qtbot.addWidget(control)
    control.setCheckable(True)
    control.setChecked(True)

    def has_accent() -> bool:
        image = control.grab().toImage()
        pixels = {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())}
        return bool(pixels & {LIGHT.accent, LIGHT.selection})

    assert has_accent()
    control.setEnabled(False)
    assert not has_accent()
