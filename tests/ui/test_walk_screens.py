"""How walking the messages looks, held to the pictures in tests/snapshots (see tests/support/snapshot.py)."""

from __future__ import annotations

import pytest

from tests.support.app_driver import running
from tests.support.canned_servers import like_ollama, ollama_answer
from tests.support.replay import replay
from tests.support.snapshot import check, check_all

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
        async with running(server.url) as driver:
            await driver.see("ctx 0 of 8k")
            await driver.ask("How do I run forty steps?")
            await driver.see("Use a loop")
            await driver.see("ctx 1.2k of 8k")
            await driver.ask("Show me.")
            await driver.see("import steps")
            await driver.until(lambda: not driver.activity, "the answer is done")
            await driver.press("shift+tab", "up")
            await check_all(driver, "walk-message")
            await driver.press("]")
            await check_all(driver, "walk-block")
            await driver.press("space")
            await check_all(driver, "walk-folded")
            await driver.press("]", "w")
            await check_all(driver, "walk-file-name")
            await driver.press("escape", "up", "up", "e")
            await driver.write(" Please")
            await check_all(driver, "walk-editing")
            await driver.press("enter")
            await driver.see("2/2")
            await driver.until(lambda: not driver.activity, "the answer is done")
            await driver.press("shift+tab", "up")
            await check_all(driver, "walk-siblings")
            monkeypatch.setattr("tui.ui.notice_bar.NOTICE_S", 600.0)
            await driver.press("d")
            await check_all(driver, "walk-deleted")


async def test_without_colours_the_cursor_is_seen() -> None:
    async with replay() as server:
        like_ollama(server).on("/api/chat", ollama_answer(ANSWER))
        async with running(server.url, environ={"NO_COLOR": "1"}) as driver:
            await driver.see("ctx 0 of 8k")
            await driver.ask("Show me.")
            await driver.see("import steps")
            await driver.until(lambda: not driver.activity, "the answer is done")
            await driver.press("shift+tab", "]", "]")
            await check(driver, "no-color-walk-block")
