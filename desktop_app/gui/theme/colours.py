"""The window's colours by purpose. Text has a measured contrast of at least 4.5:1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtGui import QColor, QPalette

if TYPE_CHECKING:
    from desktop_app.domain.job import Status


@dataclass(frozen=True, slots=True)
class Colours:
    """One colour scheme; every value is `#rrggbb`.

    Attributes:
        is_dark: Whether the scheme is dark.
        window, base, alternate: The backgrounds of the window, the table and its alternate rows.
        text, muted: Primary and secondary text, on all three backgrounds.
        disabled: Disabled controls.
        line: Thin separators.
        edge: The outline of controls.
        thumb: The handle of a scroll bar.
        button, hover, pressed: The backgrounds of buttons.
        selection, selected_text: Selected rows.
        accent: Progress bars, focus rings.
        link: Links in text.
        pending, processing, processed, failed: The statuses, as text or symbol.
        info, info_edge, warning, warning_edge, problem, problem_edge: The backgrounds and outlines of message bars.
    """

    is_dark: bool
    window: str
    base: str
    alternate: str
    text: str
    muted: str
    disabled: str
    line: str
    edge: str
    thumb: str
    button: str
    hover: str
    pressed: str
    selection: str
    selected_text: str
    accent: str
    link: str
    pending: str
    processing: str
    processed: str
    failed: str
    info: str
    info_edge: str
    warning: str
    warning_edge: str
    problem: str
    problem_edge: str

    def of(self, status: Status) -> str:
        """Return the colour of a status."""
        return (self.pending, self.processing, self.processed, self.failed)[status]

    def palette(self) -> QPalette:
        """Return the palette for what Qt paints itself."""
        palette = QPalette()
        roles = {
            QPalette.ColorRole.Window: self.window,
            QPalette.ColorRole.WindowText: self.text,
            QPalette.ColorRole.Base: self.base,
            QPalette.ColorRole.AlternateBase: self.alternate,
            QPalette.ColorRole.Text: self.text,
            QPalette.ColorRole.Button: self.button,
            QPalette.ColorRole.ButtonText: self.text,
            QPalette.ColorRole.BrightText: self.failed,
            QPalette.ColorRole.PlaceholderText: self.muted,
            QPalette.ColorRole.Highlight: self.selection,
            QPalette.ColorRole.HighlightedText: self.selected_text,
            QPalette.ColorRole.Accent: self.accent,
            QPalette.ColorRole.Link: self.link,
            QPalette.ColorRole.LinkVisited: self.link,
            QPalette.ColorRole.ToolTipBase: self.base,
            QPalette.ColorRole.ToolTipText: self.text,
            QPalette.ColorRole.Light: self.base,
            QPalette.ColorRole.Midlight: self.alternate,
            QPalette.ColorRole.Mid: self.line,
            QPalette.ColorRole.Dark: self.edge,
        }
        for role, colour in roles.items():
            palette.setColor(role, QColor(colour))
        for role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText):
            palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(self.disabled))
        return palette


LIGHT = Colours(
    is_dark=False,
    window="#f3f4f6",
    base="#ffffff",
    alternate="#f7f8fa",
    text="#1c1f24",
    muted="#555c66",
    disabled="#878e99",
    line="#dfe2e7",
    edge="#c5cad2",
    thumb="#9aa1ac",
    button="#ffffff",
    hover="#e9eef6",
    pressed="#d8e2f0",
    selection="#1a5fb4",
    selected_text="#ffffff",
    accent="#1a5fb4",
    link="#0b57d0",
    pending="#4a4f57",
    processing="#0b57d0",
    processed="#146c2e",
    failed="#b3261e",
    info="#e6effb",
    info_edge="#b4cdf0",
    warning="#fdf3d9",
    warning_edge="#e5c56a",
    problem="#fbe9e7",
    problem_edge="#eab3ad",
)

DARK = Colours(
    is_dark=True,
    window="#27292d",
    base="#1d1f22",
    alternate="#232529",
    text="#e8eaed",
    muted="#adb3bc",
    disabled="#7b828c",
    line="#37393f",
    edge="#4a4e56",
    thumb="#6f757f",
    button="#33363b",
    hover="#3b4048",
    pressed="#465063",
    selection="#1a5fb4",
    selected_text="#ffffff",
    accent="#8ab4f8",
    link="#a8c7fa",
    pending="#c4c7c5",
    processing="#a8c7fa",
    processed="#6dd58c",
    failed="#f2b8b5",
    info="#1e2c40",
    info_edge="#35527b",
    warning="#38301a",
    warning_edge="#6e5a22",
    problem="#3a2423",
    problem_edge="#74423e",
)


def colours_of(palette: QPalette) -> Colours:
    """Return a scheme of only the system's own colours, for high contrast."""
    window, base, text, selection, selected_text, edge, button, link = (
        palette.color(role).name()
        for role in (
            QPalette.ColorRole.Window,
            QPalette.ColorRole.Base,
            QPalette.ColorRole.Text,
            QPalette.ColorRole.Highlight,
            QPalette.ColorRole.HighlightedText,
            QPalette.ColorRole.WindowText,
            QPalette.ColorRole.Button,
            QPalette.ColorRole.Link,
        )
    )
    grey = palette.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Text).name()
    return Colours(
        is_dark=palette.color(QPalette.ColorRole.Base).lightness() < palette.color(QPalette.ColorRole.Text).lightness(),
        window=window,
        base=base,
        alternate=base,
        text=text,
        muted=text,
        disabled=grey,
        line=edge,
        edge=edge,
        thumb=edge,
        button=button,
        hover=button,
        pressed=button,
        selection=selection,
        selected_text=selected_text,
        accent=selection,
        link=link,
        pending=text,
        processing=text,
        processed=text,
        failed=text,
        info=base,
        info_edge=edge,
        warning=base,
        warning_edge=edge,
        problem=base,
        problem_edge=edge,
    )
