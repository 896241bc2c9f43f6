"""How the window looks: colours, icons and style sheet, following the system's light or dark scheme."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QObject, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QFont, QFontDatabase, QFontInfo, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer

from desktop_app.config.paths import resource
from desktop_app.gui.theme.colours import DARK, LIGHT, Colours, colours_of
from desktop_app.gui.theme.style_sheet import style_sheet

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication


_DRAWN_IN = "#4A4F57"

_SIZES = (16, 20, 24, 32, 40, 48, 64)

_PREFERRED_FONTS = ("Noto Sans", "DejaVu Sans", "Liberation Sans", "Arial")

_POINT_SIZE = 10


class Theme(QObject):
    """Colours and icons of now.

    Signals:
        changed(): The colours are others; icons have to be asked for again.

    Attributes:
        colours: The scheme.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.colours = LIGHT
        self._application: QApplication | None = None
        self._system_palette = QPalette()
        self._icons: dict[tuple[str, str], QIcon] = {}

    def follow(self, application: QApplication) -> None:
        """Dress an application, now and whenever the system changes its scheme."""
        self._application = application
        self._system_palette = QPalette(application.palette())
        application.setStyle("Fusion")
        ensure_font(application)
        application.styleHints().colorSchemeChanged.connect(self._follow_system)
        self._follow_system()

    @Slot()
    def _follow_system(self) -> None:
        if self._application is None:
            return
        if wants_high_contrast(self._application):
            self.wear(colours_of(self._system_palette), self._system_palette)
            return
        match self._application.styleHints().colorScheme():
            case Qt.ColorScheme.Dark:
                self.wear(DARK)
            case Qt.ColorScheme.Light:
                self.wear(LIGHT)
            case _:
                self.wear(DARK if colours_of(self._system_palette).is_dark else LIGHT)

    def wear(self, colours: Colours, palette: QPalette | None = None) -> None:
        """Put on a scheme, whatever the system says."""
        self.colours = colours
        self._icons.clear()
        if self._application is not None:
            self._application.setPalette(palette or colours.palette())
            self._application.setStyleSheet(style_sheet(colours))
        self.changed.emit()

    def icon(self, name: str, colour: str = "") -> QIcon:
        """An icon of `resources/icons`, in the text's colour or another one, and in the selection's where selected."""
        key = (name, colour or self.colours.text)
        if key not in self._icons:
            icon = QIcon()
            drawing = resource(f"icons/{name}.svg").read_text(encoding="utf-8")
            for tint, modes in (
                (key[1], (QIcon.Mode.Normal, QIcon.Mode.Active)),
                (self.colours.selected_text, (QIcon.Mode.Selected,)),
                (self.colours.disabled, (QIcon.Mode.Disabled,)),
            ):
                renderer = QSvgRenderer(QByteArray(drawing.replace(_DRAWN_IN, tint).encode()))
                for size in _SIZES:
                    pixmap = _drawn(renderer, size)
                    for mode in modes:
                        icon.addPixmap(pixmap, mode)
            self._icons[key] = icon
        return self._icons[key]


def program_icon() -> QIcon:
    """Filemill's own icon, for windows and task bars."""
    return QIcon(str(resource("icons/filemill.svg")))


def _drawn(renderer: QSvgRenderer, size: int) -> QPixmap:
    pixmap = QPixmap(QSize(size, size))
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    renderer.render(painter, QRectF(0, 0, size, size))
    painter.end()
    return pixmap


def wants_high_contrast(application: QApplication) -> bool:
    """Whether the system says that this person needs high contrast (Qt 6.10 and later can tell)."""
    hints = application.styleHints()
    if not hasattr(hints, "accessibility"):
        return False
    return bool(hints.accessibility().contrastPreference() == Qt.ContrastPreference.HighContrast)


def ensure_font(application: QApplication) -> None:
    """Where no desktop has chosen a font, take a readable one that is there."""
    families = QFontDatabase.families()
    font = QFont(application.font())
    if QFontInfo(font).family() not in families:
        found = [name for name in _PREFERRED_FONTS if name in families] or families[:1]
        if found:
            font.setFamily(found[0])
    if font.pointSizeF() < _POINT_SIZE:
        font.setPointSize(_POINT_SIZE)
    application.setFont(font)
