"""The dialog that shows what imported commands run, before they are added."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QVBoxLayout, QWidget

from desktop_app.domain.sentences import display_text
from desktop_app.gui.i18n import tr, translated
from desktop_app.gui.presets.arguments import shown_command
from desktop_app.gui.widgets.dialogs import ButtonRow, WindowPlace, plain_label, read_only_text, spaced
from desktop_app.services.command_trial import example_command

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from desktop_app.config.presets import Preset

_SIZE = (640, 440)


class ImportDialog(QDialog):
    """Shows what commands run, and asks whether to add them. It deletes itself when it is closed.

    Attributes:
        text: What the commands run.
        add: The button that adds them.

    Args:
        presets: The presets.
        known: The names of the presets that exist.
        parent: The parent.
    """

    def __init__(self, presets: Sequence[Preset], known: Collection[str], parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Import Commands"))
        question = tr(
            "Add %Ln command(s)? (It|They) will run on this computer with your rights. Add only what you trust.",
            "",
            len(presets),
        )
        self.text = read_only_text(tr("What the commands run"), self)
        self.text.setPlainText("\n\n".join("\n".join(_about(one, replaces=one.name in known)) for one in presets))
        buttons = ButtonRow(self)
        self.add = buttons.addButton(tr("&Add"), QDialogButtonBox.ButtonRole.AcceptRole)
        self.add.setAutoDefault(False)
        buttons.addButton(QDialogButtonBox.StandardButton.Cancel).setDefault(True)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = spaced(QVBoxLayout(self), 12, (16, 16, 16, 16))
        column.addWidget(plain_label(question, self))
        column.addWidget(self.text, 1)
        column.addWidget(buttons)
        WindowPlace(self, "presetImport", _SIZE)
        self.text.setFocus()


def _about(preset: Preset, *, replaces: bool) -> Iterator[str]:
    """Yield lines about what a preset runs."""
    yield f"{display_text(translated(preset.shown_title))} ({preset.processor})"
    if replaces:
        yield tr("▲ Replaces the command of this name.")
    program = example_command(preset, "x")[0]
    if program == preset.argv[0] and not program.startswith(("/", "\\")) and ":" not in program:
        yield tr("▲ Program: {program}, which is not installed").format(program=display_text(program))
    else:
        yield tr("Program: {program}").format(program=display_text(program))
    yield tr("Command: {command}").format(command=shown_command(preset.argv))
    for argument in preset.argv[1:]:
        yield f"    {display_text(argument)}"
    if preset.output:
        yield tr("Writes into: {folder}").format(folder=display_text(preset.output))
        if preset.conflict == "replace":
            yield tr("Replaces files there that have the same names.")
    if preset.environment:
        yield tr("Gets the variables: {names}").format(names=", ".join(preset.environment))
    if preset.types:
        yield tr("Offered for: {types}").format(types=display_text("; ".join(preset.types)))
