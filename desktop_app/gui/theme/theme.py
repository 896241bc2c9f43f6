"""The theme: colours, icons and style sheet, following the system's light or dark scheme.

The table's cells do not use the style sheet: they are painted too often for that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QObject, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QFont, QFontDatabase, QFontInfo, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer

from desktop_app.config.paths import resource
from desktop_app.gui.theme.colours import DARK, LIGHT, Colours, colours_of

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from desktop_app.gui.theme.colours import Colours


_DRAWN_IN = "#4A4F57"

_SIZES = (16, 20, 24, 32, 40, 48, 64)

_PREFERRED_FONTS = ("Noto Sans", "DejaVu Sans", "Liberation Sans", "Arial")

_POINT_SIZE = 10


class Theme(QObject):
    """The current colours and icons.

    Signals:
        changed(): The colours have changed; request icons again.

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
        """Style an application now and whenever the system changes its scheme."""
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
        """Use a scheme regardless of the system."""
        self.colours = colours
        self._icons.clear()
        if self._application is not None:
            self._application.setPalette(palette or colours.palette())
            self._application.setStyleSheet(style_sheet(colours))
        self.changed.emit()

    def icon(self, name: str, colour: str = "") -> QIcon:
        """Return an icon of `resources/icons` in the text colour or another; selected, in that of selected text."""
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
    """Return Filemill's icon, for windows and task bars."""
    return QIcon(str(resource("icons/filemill.svg")))


def _drawn(renderer: QSvgRenderer, size: int) -> QPixmap:
    pixmap = QPixmap(QSize(size, size))
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    renderer.render(painter, QRectF(0, 0, size, size))
    painter.end()
    return pixmap


def wants_high_contrast(application: QApplication) -> bool:
    """Return whether the system requests high contrast (known to Qt 6.10 and later)."""
    hints = application.styleHints()
    if not hasattr(hints, "accessibility"):
        return False
    return bool(hints.accessibility().contrastPreference() == Qt.ContrastPreference.HighContrast)


def ensure_font(application: QApplication) -> None:
    """Set a readable font where the desktop has not set one."""
    families = QFontDatabase.families()
    font = QFont(application.font())
    if QFontInfo(font).family() not in families:
        found = [name for name in _PREFERRED_FONTS if name in families] or families[:1]
        if found:
            font.setFamily(found[0])
    if font.pointSizeF() < _POINT_SIZE:
        font.setPointSize(_POINT_SIZE)
    application.setFont(font)


def style_sheet(c: Colours) -> str:
    """Return the whole application's style sheet in the given colours."""
    return f"""
QMenuBar {{ background: {c.window}; padding: 2px 4px; }}
QMenuBar::item {{ padding: 4px 9px; border-radius: 4px; background: transparent; }}
QMenuBar::item:selected {{ background: {c.hover}; color: {c.text}; }}
QMenuBar::item:pressed {{ background: {c.pressed}; color: {c.text}; }}
QMenu {{ background: {c.base}; border: 1px solid {c.edge}; padding: 4px; }}
QMenu::item {{ padding: 5px 28px 5px 10px; border-radius: 4px; }}
QMenu::item:selected {{ background: {c.selection}; color: {c.selected_text}; }}
QMenu::item:disabled {{ color: {c.disabled}; background: transparent; }}
QMenu::icon {{ padding-left: 8px; }}
QMenu::separator {{ height: 1px; background: {c.line}; margin: 4px 6px; }}

QToolBar {{ background: {c.window}; border: none; border-bottom: 1px solid {c.line}; padding: 6px 10px; spacing: 6px; }}
QToolBar::separator {{ width: 1px; background: {c.line}; margin: 4px 6px; }}
QToolBar QToolButton {{
    background: {c.button}; color: {c.text}; border: 1px solid {c.edge}; border-radius: 6px; padding: 5px 12px 5px 9px;
}}
QToolBar > QToolButton[toolButtonStyle="0"] {{ padding: 5px 8px; }}
QToolBar QToolButton:hover {{ background: {c.hover}; }}
QToolBar QToolButton:pressed {{ background: {c.pressed}; }}
QToolBar QToolButton:disabled {{ background: transparent; color: {c.disabled}; border-color: {c.line}; }}
QToolBar QToolButton:focus {{ border: 2px solid {c.accent}; padding: 4px 11px 4px 8px; }}

QPushButton {{
    background: {c.button}; color: {c.text}; border: 1px solid {c.edge}; border-radius: 6px; padding: 5px 14px;
    min-height: 18px;
}}
QPushButton:hover {{ background: {c.hover}; }}
QPushButton:pressed {{ background: {c.pressed}; }}
QPushButton:disabled {{ background: transparent; color: {c.disabled}; border-color: {c.line}; }}
QPushButton:focus {{ border: 2px solid {c.accent}; padding: 4px 13px; }}
QPushButton#primary {{
    background: {c.selection}; color: {c.selected_text}; border-color: {c.selection}; font-weight: 600;
}}
QPushButton#link {{ background: transparent; border-color: transparent; color: {c.processing}; }}
QPushButton#link:hover {{ text-decoration: underline; }}
QPushButton#link:focus {{ border: 2px solid {c.accent}; padding: 4px 13px; }}
QPushButton#primary:focus {{ border: 2px solid {c.text}; }}

QLineEdit {{
    background: {c.base}; color: {c.text}; border: 1px solid {c.edge}; border-radius: 6px; padding: 5px 6px;
    min-height: 18px; selection-background-color: {c.selection}; selection-color: {c.selected_text};
}}
QLineEdit:disabled {{ background: transparent; color: {c.disabled}; border-color: {c.line}; }}
QLineEdit:focus {{ border: 2px solid {c.accent}; padding: 4px 5px; }}
QToolBar QLineEdit QToolButton {{ background: transparent; border: none; padding: 0; }}

QComboBox {{
    background: {c.button}; color: {c.text}; border: 1px solid {c.edge}; border-radius: 6px; padding: 5px 8px;
    min-height: 18px;
}}
QComboBox:hover {{ background: {c.hover}; }}
QComboBox:disabled {{ background: transparent; color: {c.disabled}; border-color: {c.line}; }}
QComboBox:focus {{ border: 2px solid {c.accent}; padding: 4px 7px; }}
QComboBox:editable {{ background: {c.base}; }}
QComboBox QLineEdit, QComboBox QLineEdit:focus {{ border: none; padding: 0; min-height: 0; }}
QComboBox::drop-down {{ border: none; width: 24px; }}
QComboBox::down-arrow {{ image: url({_drawing("arrow-down")}); width: 14px; height: 14px; }}
QComboBox QAbstractItemView {{
    background: {c.base}; color: {c.text}; border: 1px solid {c.edge}; selection-background-color: {c.selection};
    selection-color: {c.selected_text}; outline: none;
}}
QRadioButton, QCheckBox {{ spacing: 8px; padding: 2px; border: 1px solid transparent; border-radius: 4px; }}
QRadioButton:focus, QCheckBox:focus {{ border-color: {c.accent}; }}
QRadioButton:disabled, QCheckBox:disabled {{ color: {c.disabled}; }}
QRadioButton::indicator, QCheckBox::indicator {{
    width: 14px; height: 14px; border: 1px solid {c.muted}; background: {c.base};
}}
QRadioButton::indicator {{ border-radius: 8px; }}
QCheckBox::indicator {{ border-radius: 4px; }}
QRadioButton::indicator:checked {{
    width: 6px; height: 6px; border: 5px solid {c.accent}; border-radius: 8px; background: {c.base};
}}
QCheckBox::indicator:checked {{
    border-color: {c.selection}; background: {c.selection}; image: url({_drawing("check")});
}}
QRadioButton::indicator:disabled, QCheckBox::indicator:disabled {{ border-color: {c.disabled}; }}

QScrollArea#sidebar {{ background: {c.window}; border: none; border-right: 1px solid {c.line}; }}
QScrollArea#sidebar QScrollBar {{ background: {c.window}; }}
QWidget#sidebarInside {{ background: {c.window}; }}
QLabel#sectionTitle {{ color: {c.muted}; font-size: 8pt; font-weight: 600; padding: 8px 7px 4px 7px; }}
QFrame#details {{ background: {c.window}; border: none; border-top: 1px solid {c.line}; }}
QFrame#details[beside="true"] {{ border-top: none; border-left: 1px solid {c.line}; }}
QScrollArea#detailsPage {{ background: {c.window}; border: none; }}
QScrollArea#detailsPage QScrollBar {{ background: {c.window}; }}
QWidget#detailsInside {{ background: {c.window}; }}
QLabel#detailsTitle {{ font-size: 12pt; font-weight: 600; }}
QLabel#detailsHappened {{ font-weight: 600; }}
QLabel#detailsCaption {{ color: {c.muted}; }}
QLineEdit#detailsPath, QLineEdit#detailsValue {{
    background: transparent; border: 1px solid transparent; padding: 0; min-height: 0; margin-left: -3px;
}}
QLabel#sheetTitle {{ font-size: 13pt; font-weight: 600; }}
QLabel#sheetText {{ color: {c.muted}; }}
QLineEdit#detailsPath:focus, QLineEdit#detailsValue:focus {{ border: 1px solid {c.accent}; }}
QTableView#attempts {{ border: 1px solid {c.line}; border-radius: 6px; }}
QTableView#attempts::item {{ padding: 3px 8px; }}
QTableView#attempts::item:selected {{ background: {c.selection}; color: {c.selected_text}; }}
QTableView#attempts:focus {{ border: 1px solid {c.accent}; }}
QPlainTextEdit#detailsLog {{
    background: {c.base}; color: {c.text}; border: 1px solid {c.line}; border-radius: 6px;
    selection-background-color: {c.selection}; selection-color: {c.selected_text};
}}
QPlainTextEdit#detailsLog:focus {{ border: 1px solid {c.accent}; }}
QTabWidget#detailsTabs::pane {{ border: none; border-top: 1px solid {c.line}; }}
QTabWidget#detailsTabs > QTabBar {{ background: {c.window}; }}
QTabWidget#detailsTabs::tab-bar {{ left: 8px; }}
QTabWidget#detailsTabs > QTabBar::tab {{
    background: transparent; color: {c.muted}; border: 1px solid transparent; border-bottom: 2px solid transparent;
    padding: 4px 6px;
}}
QTabWidget#detailsTabs > QTabBar::tab:hover {{ color: {c.text}; }}
QTabWidget#detailsTabs > QTabBar::tab:selected {{ color: {c.text}; border-bottom: 2px solid {c.accent}; }}
QTabWidget#detailsTabs > QTabBar::tab:disabled {{ color: {c.disabled}; }}
QTabWidget#detailsTabs > QTabBar::tab:selected:focus {{ border: 1px solid {c.accent}; border-bottom-width: 2px; }}
QSplitter::handle {{ background: {c.window}; }}
QToolButton#inline {{ background: transparent; border: 1px solid transparent; border-radius: 5px; }}
QToolButton#inline:hover, QToolButton#inline:focus {{ border-color: {c.selected_text}; }}

QDialogButtonBox {{ dialogbuttonbox-buttons-have-icons: 0; }}

QTableView {{ border: none; background: {c.base}; }}
QHeaderView {{ background: {c.window}; border: none; }}
QHeaderView::section {{
    background: {c.window}; color: {c.muted}; border: none; border-bottom: 1px solid {c.line};
    border-right: 1px solid {c.line}; padding: 6px 8px; font-weight: 600;
}}

QLabel#notice {{ padding: 7px 10px; }}
QLabel#noticeTitle {{ font-weight: 600; }}
QFrame#notice {{ border-radius: 6px; border: 1px solid {c.info_edge}; background: {c.info}; }}
QFrame#notice[kind="warning"] {{ border-color: {c.warning_edge}; background: {c.warning}; }}
QFrame#notice[kind="problem"] {{ border-color: {c.problem_edge}; background: {c.problem}; }}
QFrame#notice QToolButton {{
    border: 1px solid transparent; border-radius: 4px; padding: 3px; background: transparent;
}}
QFrame#notice QToolButton:hover {{ border-color: {c.edge}; }}
QFrame#notice QToolButton:focus {{ border: 2px solid {c.accent}; padding: 2px; }}

QAbstractScrollArea::corner {{ background: {c.base}; border: none; }}
QScrollBar {{ background: {c.base}; border: none; margin: 0; }}
QScrollBar:vertical {{ width: 13px; }}
QScrollBar:horizontal {{ height: 13px; }}
QScrollBar::handle {{ background: {c.thumb}; border-radius: 4px; }}
QScrollBar::handle:vertical {{ min-height: 36px; margin: 2px 3px; }}
QScrollBar::handle:horizontal {{ min-width: 36px; margin: 3px 2px; }}
QScrollBar::handle:hover {{ background: {c.muted}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: none; }}

QStatusBar {{ background: {c.window}; border-top: 1px solid {c.line}; }}
QStatusBar::item {{ border: none; }}
QToolButton#chip {{
    background: transparent; border: 1px solid transparent; border-radius: 5px; padding: 2px 7px;
}}
QToolButton#chip:hover {{ background: {c.hover}; border-color: {c.edge}; }}
QToolButton#chip:pressed {{ background: {c.pressed}; }}
QToolButton#chip:focus {{ border: 2px solid {c.accent}; padding: 1px 6px; }}
QWidget#throughputInside {{ background: {c.window}; border-top: 1px solid {c.line}; }}
QToolButton#segment {{
    background: transparent; color: {c.text}; border: 1px solid transparent; border-radius: 5px; padding: 2px 9px;
}}
QToolButton#segment:hover {{ background: {c.hover}; border-color: {c.edge}; }}
QToolButton#segment:checked {{ background: {c.selection}; color: {c.selected_text}; }}
QToolButton#segment:focus {{ border: 2px solid {c.accent}; padding: 1px 8px; }}
QToolButton#segment:checked:focus {{ border-color: {c.text}; }}
QProgressBar {{ border: none; border-radius: 4px; background: {c.line}; max-height: 8px; min-height: 8px; }}
QProgressBar::chunk {{ border-radius: 4px; background: {c.accent}; }}

QLabel#emptyTitle {{ font-size: 18pt; font-weight: 600; }}
QLabel#emptyText {{ color: {c.muted}; font-size: 11pt; }}
QWidget#empty {{ background: {c.base}; }}
QToolTip {{ background: {c.base}; color: {c.text}; border: 1px solid {c.edge}; padding: 3px; }}
"""


def _drawing(name: str) -> str:
    """Return the style sheet reference to a control's drawing, which keeps its own colours."""
    return f'"{resource(f"icons/controls/{name}.svg").as_posix()}"'
