"""The yardstick for a streamed answer: the app that comes first to mind, httpx into Textual's MarkdownStream.

    python -m tests.bench.stock URL BODY.json

Enter posts BODY.json to URL/v1/chat/completions and shows the answer.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import httpx
from textual.app import App, ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Input, Markdown


class StockApp(App[None]):
    """An input, and a Markdown widget that the answer is streamed into."""

    def __init__(self, url: str, body: bytes, api_key: str) -> None:
        super().__init__()
        self._url = url
        self._body = body
        self._headers = {"Content-Type": "application/json"}
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Markdown()
        yield Input(placeholder="Ask")

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).anchor()
        ask = self.query_one(Input)
        ask.cursor_blink = False  # the end of the answer is seen by the silence that follows it
        ask.focus()

    def on_input_submitted(self) -> None:
        self.run_worker(self._answer())

    async def _answer(self) -> None:
        stream = Markdown.get_stream(self.query_one(Markdown))
        client = httpx.AsyncClient(timeout=None)
        async with (
            client,
            client.stream(
                "POST", f"{self._url}/v1/chat/completions", content=self._body, headers=self._headers
            ) as response,
        ):
            async for line in response.aiter_lines():
                if line.startswith("data: {"):
                    choices = json.loads(line[6:])["choices"]
                    if choices and (text := choices[0]["delta"].get("content")):
                        await stream.write(text)
        await stream.stop()


if __name__ == "__main__":
    StockApp(sys.argv[1], Path(sys.argv[2]).read_bytes(), os.environ.get("LOKAL_API_KEY", "")).run()
