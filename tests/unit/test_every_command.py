"""Every declared command can be done on the screen in one place, and is explained on the key page."""

from __future__ import annotations

import os
from collections import Counter

from tui.config.startup import StartOptions, load_configuration
from tui.config.themes import DARK
from tui.core.commands import COMMANDS, keymap
from tui.paths import folders
from tui.ui.app import LokalApp
from tui.ui.chat.composer import Composer
from tui.ui.chat.decision_prompt import DecisionPrompt
from tui.ui.chat_list.pane import ChatsPane
from tui.ui.compare.screen import CompareScreen
from tui.ui.help import sections
from tui.ui.models.pane import ModelsPane
from tui.ui.models.table import ModelTable
from tui.ui.settings.form import ParameterForm

READERS = (Composer, DecisionPrompt, ChatsPane, CompareScreen, ModelsPane, ModelTable, ParameterForm)
"""The widgets that read the keys of commands of their own."""


def test_every_command_has_exactly_one_handler() -> None:
    mine = folders(os.environ)
    app = LokalApp(StartOptions(mine), load_configuration(mine), DARK)
    handled = Counter(command.id for command in COMMANDS if command.id in app.registry)
    for reader in READERS:
        handled.update(reader.OWN_COMMANDS)
    assert handled == Counter(command.id for command in COMMANDS)


def test_every_command_is_explained_on_the_key_page() -> None:
    shown = {row.text for section in sections(keymap({})[0]) for row in section.rows}
    numbered = {f"preset.{number}" for number in range(2, 10)}  # one row says it of all
    assert [
        command.id for command in COMMANDS if command.help not in shown and command.id not in numbered
    ] == []
    keyless = {row.text for section in sections({}) for row in section.rows}
    assert [command.id for command in COMMANDS if command.help not in keyless] == []
