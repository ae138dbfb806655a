"""The other tabs, the key page, the palette and the themes of the real program."""

from __future__ import annotations

import re

from tests.support.app import answer, becomes_llamacpp, bodies, configure, model_server, parameters_in
from tests.support.terminal import lokal

F1, F2, F3, F4, F9 = "\x1bOP", "\x1bOQ", "\x1bOR", "\x1bOS", "\x1b[20~"
DOWN = "\x1b[B"


async def test_models_keys_palette_and_themes() -> None:
    settings = configure("# mine\nhistory_size = 50  # prompts\n")
    async with model_server(answer("Fine."), models=("small-1b", "large-70b")) as server:
        becomes_llamacpp(server)
        async with lokal("--server", server.url) as terminal:
            await terminal.wait_for("· small-1b")

            terminal.send(F3)
            await terminal.wait_for(r"NAME +PARAMS")
            await terminal.wait_for(r"›small-1b .*✓")
            terminal.send(DOWN)
            await terminal.wait_for(r"›large-70b")
            terminal.send("\r")
            await terminal.wait_for("· large-70b")
            await terminal.wait_for("Preset +technical")

            terminal.send(F1)
            await terminal.wait_for(r"Keys +type to search · ↑↓ scroll · Esc back")
            terminal.send("next preset")
            await terminal.wait_for(r"Ctrl\+T +Switch to the next preset")
            terminal.send("\x1b")
            await terminal.wait_for("type to search")
            terminal.send("\x1b")
            await terminal.wait_for("Preset +technical")

            terminal.send("\x10")
            await terminal.wait_for("Search for commands|Stop the answer")
            terminal.send("creative")
            await terminal.wait_for(r"creative *\n(.*\n)?.*Preset: creative")
            terminal.send("\r")
            await terminal.wait_for("Preset +creative")
            await terminal.wait_until_gone("Preset: creative")

            before = bytes(terminal.raw)
            terminal.send(F9)
            theme = (await terminal.wait_for(r"theme (\S+)"))[1]
            colours = re.compile(rb"48;2;\d+;\d+;\d+|\x1b\[0?m")
            assert set(colours.findall(terminal.raw[len(before) :])) != set(colours.findall(before))

            terminal.send("Hello\r")
            await terminal.wait_for(r"── large-70b · creative ─+.*─\nFine\.")
            await terminal.quit()
        assert bodies(server)[0]["model"] == "large-70b"
        assert parameters_in(bodies(server)[0])["max_tokens"] == 1024
        text = settings.read_text()
        assert text.startswith("# mine\nhistory_size = 50  # prompts\n")
        assert f'theme = "{theme}"' in text
        assert 'model = "large-70b"' in text

        async with lokal("--server", server.url) as terminal:
            await terminal.wait_for("· large-70b")
            terminal.send(F4)
            await terminal.wait_for(rf"Theme.*\n *{theme[:14]}")
            await terminal.quit()
