"""How walking the messages looks, held to the pictures in tests/snapshots (see tests/support/snapshot.py)."""

from __future__ import annotations

import pytest

from tests.support.replay import replay
from tests.support.snapshot import check, check_all
from tests.support.stage import like_ollama, ollama_answer, running

CODE = "\n".join(f"    step({number})" for number in range(40))
ANSWER = f"""\
Make it a function:

```python
def all_steps() -> None:
{CODE}
```

and call it:

1. from a shell

   ```sh
   python -c 'import steps; steps.all_steps()'
   ```
"""


async def test_the_cursor_on_a_message_a_block_a_folded_block_and_siblings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with replay() as server:
        like_ollama(server).on("/api/chat", ollama_answer("Use a loop."), ollama_answer(ANSWER))
        async with running(server.url) as stage:
            await stage.see("ctx 0 of 8k")
            await stage.ask("How do I run forty steps?")
            await stage.see("Use a loop")
            await stage.see("ctx 1.2k of 8k")
            await stage.ask("Show me.")
            await stage.see("import steps")
            await stage.until(lambda: not stage.app.chat.doing, "the answer is done")
            await stage.press("shift+tab", "up")
            await check_all(stage, "walk-message")
            await stage.press("]")
            await check_all(stage, "walk-block")
            await stage.press("space")
            await check_all(stage, "walk-folded")
            await stage.press("]", "w")
            await check_all(stage, "walk-file-name")
            await stage.press("escape", "up", "up", "e")
            await stage.write(" Please")
            await check_all(stage, "walk-editing")
            await stage.press("enter")
            await stage.see("2/2")
            await stage.until(lambda: not stage.app.chat.doing, "the answer is done")
            await stage.press("shift+tab", "up")
            await check_all(stage, "walk-siblings")
            monkeypatch.setattr("tui.ui.divider.NOTICE_S", 600.0)
            await stage.press("d")
            await check_all(stage, "walk-deleted")


async def test_without_colours_the_cursor_is_seen() -> None:
    async with replay() as server:
        like_ollama(server).on("/api/chat", ollama_answer(ANSWER))
        async with running(server.url, environ={"NO_COLOR": "1"}) as stage:
            await stage.see("ctx 0 of 8k")
            await stage.ask("Show me.")
            await stage.see("import steps")
            await stage.until(lambda: not stage.app.chat.doing, "the answer is done")
            await stage.press("shift+tab", "]", "]")
            await check(stage, "no-color-walk-block")
