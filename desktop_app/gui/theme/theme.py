"""The theme: colours, icons and the style sheet, following the system's light or dark colour scheme.

The cells of the table do not use the style sheet, because that would make painting them too slow.
"""

from __future__ import annotations

import weakref
from dataclasses import asdict, dataclass
from string import Template
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QIcon, QIconEngine, QPalette

from desktop_app.config.paths import resource

if TYPE_CHECKING:
    from PySide6.QtCore import QRect
    from PySide6.QtGui import QPainter, QPixmap
    from PySide6.QtWidgets import QApplication

    from desktop_app.domain.job import Status


_SVG_COLOUR = "#4A4F57"
"""The colour in the SVG files that is replaced by the requested one."""

_HALF_LIGHT = 127

_PREFERRED_FONTS = ("Noto Sans", "DejaVu Sans", "Liberation Sans", "Arial")

_MIN_POINT_SIZE = 10

_SCHEMES = {"system": Qt.ColorScheme.Unknown, "light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark}


@dataclass(frozen=True, slots=True)
class Colours:
    """A colour scheme. All colours are strings in the form `#rrggbb`; texts have a contrast of at least 4.5:1.

    Attributes:
        is_dark: Whether the scheme is dark.
        window, base, alternate: The backgrounds of windows, of tables and fields, and of every other row.
        text, muted: Primary and secondary text on these three backgrounds.
        disabled: The text of disabled controls.
        line: Separators.
        edge: The borders of controls.
        thumb: The sliders of scroll bars.
        button, hover, pressed: The backgrounds of buttons normally, under the pointer, and while pressed.
        hover_edge: The border of what is under the pointer; visible only in high contrast.
        selection, selected_text: The background and the text of selected rows and of the primary button.
        primary_hover, primary_pressed: The backgrounds of the primary button under the pointer, and while pressed.
        tint: The background of what is chosen, where `selection` would be too strong; with `text`.
        accent: Progress bars and the borders of controls that have the focus.
        link: Links in texts.
        pending, processing, processed, failed: The texts and icons of the four statuses.
        info, info_edge, warning, warning_edge, problem, problem_edge: The backgrounds and borders of message bars.
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
    hover_edge: str
    selection: str
    selected_text: str
    primary_hover: str
    primary_pressed: str
    tint: str
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
        """Return the palette for everything that the style sheet does not cover."""
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
    window="#f4f5f7",
    base="#ffffff",
    alternate="#f8f9fa",
    text="#1c1f24",
    muted="#555c66",
    disabled="#878e99",
    line="#dfe2e7",
    edge="#c5cad2",
    thumb="#9aa1ac",
    button="#ffffff",
    hover="#e6e8ec",
    pressed="#d9dce2",
    hover_edge="#e6e8ec",
    selection="#1a5fb4",
    selected_text="#ffffff",
    primary_hover="#2169bf",
    primary_pressed="#154d93",
    tint="#dbe7f5",
    accent="#1a5fb4",
    link="#1a5fb4",
    pending="#4a4f57",
    processing="#1a5fb4",
    processed="#146c2e",
    failed="#b3261e",
    info="#eceef1",
    info_edge="#dcdfe4",
    warning="#fcf3dc",
    warning_edge="#ecdcb0",
    problem="#fbebe9",
    problem_edge="#f0cfcb",
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
    hover="#383b41",
    pressed="#43474e",
    hover_edge="#383b41",
    selection="#1a5fb4",
    selected_text="#ffffff",
    primary_hover="#2169bf",
    primary_pressed="#154d93",
    tint="#28405f",
    accent="#8ab4f8",
    link="#a8c7fa",
    pending="#c4c7c5",
    processing="#8ab4f8",
    processed="#6dd58c",
    failed="#f2b8b5",
    info="#303338",
    info_edge="#3d4046",
    warning="#38321f",
    warning_edge="#4f462a",
    problem="#3b2827",
    problem_edge="#563836",
)


def colours_of(palette: QPalette) -> Colours:
    """Return a high-contrast scheme that uses only the colours of a palette."""
    roles = QPalette.ColorRole

    def colour(role: QPalette.ColorRole) -> str:
        return palette.color(role).name()

    return Colours(
        is_dark=palette.color(roles.Base).lightness() < palette.color(roles.Text).lightness(),
        window=colour(roles.Window),
        disabled=palette.color(QPalette.ColorGroup.Disabled, roles.Text).name(),
        selected_text=colour(roles.HighlightedText),
        link=colour(roles.Link),
        **dict.fromkeys(("text", "muted", "pending", "processing", "processed", "failed"), colour(roles.Text)),
        **dict.fromkeys(("base", "alternate", "info", "warning", "problem"), colour(roles.Base)),
        **dict.fromkeys(
            ("line", "edge", "hover_edge", "thumb", "info_edge", "warning_edge", "problem_edge"),
            colour(roles.WindowText),
        ),
        **dict.fromkeys(("button", "hover", "pressed", "tint"), colour(roles.Button)),
        **dict.fromkeys(("selection", "accent", "primary_hover", "primary_pressed"), colour(roles.Highlight)),
    )


class Theme(QObject):
    """Provides the colours and icons, and applies the colours to the application.

    Signals:
        changed(): The colour scheme has changed. Icons follow it by themselves.

    Attributes:
        colours: The current colour scheme.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.colours = LIGHT
        self._application: QApplication | None = None
        self._choice = "system"
        self._system_palette = QPalette()
        self._icons: dict[tuple[str, str, Qt.AlignmentFlag], QIcon] = {}

    def follow(self, application: QApplication, choice: str = "system", *, with_font: bool = True) -> None:
        """Style an application with the chosen colour scheme, or with the system's, now and whenever that changes.

        Args:
            application: The application.
            choice: `system`, `light` or `dark`.
            with_font: Whether to check the font too. If not, call `ensure_font` before a text is painted.
        """
        self._application = application
        self._system_palette = QPalette(application.palette())
        application.setStyle("Fusion")
        if with_font:
            ensure_font(application)
        application.styleHints().colorSchemeChanged.connect(self._draw)
        self.choose(choice)

    def choose(self, choice: str) -> None:
        """Use the light or the dark colour scheme, or follow the system again.

        Args:
            choice: `system`, `light` or `dark`.
        """
        before, self._choice = self._choice, choice
        if self._application is not None and choice != before:
            # For what the system draws, such as title bars; not all platforms support it.
            self._application.styleHints().setColorScheme(_SCHEMES[choice])
        self._draw()

    @Slot()
    def _draw(self) -> None:
        if self._application is None:
            return
        scheme = _SCHEMES[self._choice]
        if scheme is Qt.ColorScheme.Unknown:
            if wants_high_contrast(self._application):
                self.use(colours_of(self._system_palette), self._system_palette)
                return
            scheme = self._application.styleHints().colorScheme()
        match scheme:
            case Qt.ColorScheme.Dark:
                self.use(DARK)
            case Qt.ColorScheme.Light:
                self.use(LIGHT)
            case _:
                self.use(DARK if colours_of(self._system_palette).is_dark else LIGHT)

    def use(self, colours: Colours, palette: QPalette | None = None) -> None:
        """Use a colour scheme until another one is chosen or the system's changes.

        Args:
            colours: The scheme.
            palette: The application's palette; None for the palette of the scheme.
        """
        self.colours = colours
        if self._application is not None:
            self._application.setPalette(palette or colours.palette())
            self._application.setStyleSheet(style_sheet(colours))
        self.changed.emit()

    def icon(
        self, name: str, colour: str = "text", *, alignment: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignCenter
    ) -> QIcon:
        """Return an icon that is drawn when it is painted, in the colours of that moment.

        Args:
            name: The name of the file in `resources/icons`, without its suffix.
            colour: The name of an attribute of `Colours`, or a colour.
            alignment: The place of the icon in an area that is wider than high, such as one that keeps it away from
                the text beside it: Qt leaves hardly any space there.
        """
        key = (name, colour, alignment)
        if key not in self._icons:
            self._icons[key] = QIcon(_IconEngine(weakref.proxy(self), *key))
        return self._icons[key]

    def status_icon(self, status: Status) -> QIcon:
        """Return the icon of a status in its colour."""
        return self.icon(f"status-{status.name.lower()}", status.name.lower())


class _IconEngine(QIconEngine):
    """Draws an icon in the colours of a theme."""

    def __init__(self, theme: Theme, name: str, colour: str, alignment: Qt.AlignmentFlag) -> None:
        super().__init__()
        self._all = (theme, name, colour, alignment)
        self._pixmaps: dict[tuple[str, int, int], QPixmap] = {}

    def clone(self) -> QIconEngine:
        """Return a copy."""
        return _IconEngine(*self._all)

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        """Draw the icon with the resolution of the device."""
        painter.drawPixmap(rect, self.pixmap(rect.size() * painter.device().devicePixelRatio(), mode, state))

    def pixmap(self, size: QSize, mode: QIcon.Mode, _state: QIcon.State) -> QPixmap:
        """Return a drawing of the icon, which is kept for each size and colour."""
        theme, name, colour, alignment = self._all
        tints = {QIcon.Mode.Selected: "selected_text", QIcon.Mode.Disabled: "disabled"}
        wanted = tints.get(mode, colour)
        tint = str(getattr(theme.colours, wanted, wanted))
        key = (tint, size.width(), size.height())
        if key not in self._pixmaps:
            # The first paint of the empty window needs no icon.
            from PySide6.QtCore import QByteArray, QRectF
            from PySide6.QtGui import QPainter, QPixmap
            from PySide6.QtSvg import QSvgRenderer
            from PySide6.QtWidgets import QStyle

            drawing = resource(f"icons/{name}.svg").read_text(encoding="utf-8").replace(_SVG_COLOUR, tint)
            self._pixmaps[key] = pixmap = QPixmap(size)
            pixmap.fill(Qt.GlobalColor.transparent)
            side = min(size.width(), size.height())
            place = QStyle.alignedRect(Qt.LayoutDirection.LeftToRight, alignment, QSize(side, side), pixmap.rect())
            with QPainter(pixmap) as painter:
                QSvgRenderer(QByteArray(drawing.encode())).render(painter, QRectF(place))
        return self._pixmaps[key]


def program_icon() -> QIcon:
    """Return the program's icon for windows and task bars."""
    return QIcon(str(resource("icons/filemill.svg")))


def wants_high_contrast(application: QApplication) -> bool:
    """Return whether the user has requested high contrast from the system; always False before Qt 6.10."""
    hints = application.styleHints()
    if not hasattr(hints, "accessibility"):
        return False
    return bool(hints.accessibility().contrastPreference() == Qt.ContrastPreference.HighContrast)


def ensure_font(application: QApplication) -> None:
    """Replace the application's font if it is not installed, enlarge it if it is too small, and align its digits.

    This reads the list of the installed fonts, which can take long.
    """
    from PySide6.QtGui import QFont, QFontDatabase, QFontInfo

    families = QFontDatabase.families()
    font = QFont(application.font())
    if QFontInfo(font).family() not in families:
        found = [name for name in _PREFERRED_FONTS if name in families] or families[:1]
        if found:
            font.setFamily(found[0])
    if font.pointSizeF() < _MIN_POINT_SIZE:
        font.setPointSize(_MIN_POINT_SIZE)
    font.setFeature(QFont.Tag("tnum"), 1)  # numbers that change do not move, and those below each other line up
    application.setFont(font)


def style_sheet(colours: Colours) -> str:
    """Return the application's style sheet with the given colours."""
    shade = "light" if QColor(colours.selected_text).lightness() > _HALF_LIGHT else "dark"
    drawings = {
        name.replace("-", "_"): f'"{resource(f"icons/controls/{file}.svg").as_posix()}"'
        for name, file in {
            "arrow-down": "arrow-down",
            "selected-arrow": f"arrow-down-{shade}",
            "selected-check": f"check-{shade}",
            "selected-dot": f"dot-{shade}",
        }.items()
    }
    template = Template(resource("style.qss").read_text(encoding="utf-8"))
    return template.substitute(asdict(colours), **drawings)
