"""“What did the model see?” without a screen, and how the page tells tokens apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.headless_chat import HeadlessChat, headless
from tests.support.replay import as_json
from tui.chat.prompt_preview import preview_next, preview_of
from tui.core.rendered_prompt import PieceKind, PromptPiece, RenderedPrompt, lines_of
from tui.errors import UsageError
from tui.ui.chat.prompt_page import page_lines

TEMPLATED = "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nWhy?"


def test_special_tokens_and_roles_are_told_apart() -> None:
    special, role, text = PieceKind.SPECIAL, PieceKind.ROLE, PieceKind.TEXT
    assert lines_of(TEMPLATED) == [
        [PromptPiece("<|im_start|>", special), PromptPiece("system", role)],
        [PromptPiece("Be brief."), PromptPiece("<|im_end|>", special)],
        [PromptPiece("<|im_start|>", special), PromptPiece("user", role)],
        [PromptPiece("Why?")],
    ]
    assert lines_of("<s>[INST] if a < b | c > d [/INST]")[0] == [
        PromptPiece("<s>", special), PromptPiece("[INST]", special), PromptPiece(" if a < b | c > d "),
        PromptPiece("[/INST]", special),
    ]  # fmt: skip
    assert [piece.kind for piece in lines_of("users say <|eot_id|>username")[0]] == [text, special, text]


async def test_the_next_question_in_the_servers_template(tmp_path: Path) -> None:
    async with headless(tmp_path) as chat:
        chat.server.on("/api/version", as_json(200, {"version": "0.33.0"}))
        rendered = as_json(200, {"_debug_info": {"rendered_template": TEMPLATED}})
        chat.server.on("/api/chat", rendered)
        state, conversation = chat.controller.chat.state, chat.session.conversation
        conversation.system = "Be brief."
        preview = await preview_next(state, conversation, "Why?")
        assert preview.by_template
        assert preview.prompt == RenderedPrompt(TEMPLATED)
        sent = chat.server.last("/api/chat").json()
        assert sent["messages"] == [
            {"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"},
        ]  # fmt: skip


async def test_a_server_that_does_not_tell_shows_the_messages(tmp_path: Path) -> None:
    async with headless(tmp_path) as chat:
        chat.server.on("/api/version", as_json(200, {"version": "0.9.0"}))
        preview = await preview_next(chat.controller.chat.state, chat.session.conversation, "Why?")
        assert not preview.by_template
        assert preview.prompt.text == "[user]\nWhy?"
        assert "does not tell how its template" in preview.notes[0]


async def test_an_answer_is_put_together_from_what_is_recorded(tmp_path: Path) -> None:
    async with headless(tmp_path, {"temperature": 0.3}) as chat:
        answer = await asked(chat, "First?")
        await asked(chat, "Second?")
        chat.server.on("/api/version", as_json(200, {"version": "0.33.0"}))
        chat.server.on("/api/chat", as_json(200, {"_debug_info": {"rendered_template": TEMPLATED}}))
        conversation = chat.session.conversation
        preview = await preview_of(chat.controller.chat.state, conversation, conversation[answer])
        assert "Put together again" in preview.notes[1]
        sent = chat.server.last("/api/chat").json()
        assert sent["messages"] == [{"role": "user", "content": "First?"}]
        assert sent["options"] == {"temperature": 0.3}
        question = conversation[str(conversation[answer].parent)]
        with pytest.raises(UsageError, match="no prompt of its own"):
            await preview_of(chat.controller.chat.state, conversation, question)


async def asked(chat: HeadlessChat, text: str) -> str:
    from tests.support.canned_servers import ollama_answer

    chat.server.on("/api/chat", ollama_answer("Because."))
    return (await chat.ask(text)).id


async def test_a_page_keeps_every_character_at_any_width(tmp_path: Path) -> None:
    async with headless(tmp_path) as chat:
        chat.server.on("/api/version", as_json(200, {"version": "0.9.0"}))
        text = "Ein langer Satz, der umbrochen wird. " * 5
        preview = await preview_next(chat.controller.chat.state, chat.session.conversation, text)
        for width in (20, 50, 80):
            lines = ["".join(part for part, _ in line) for line in page_lines(preview, width)]
            assert max(map(len, lines)) <= width
            assert "".join(lines).replace(" ", "").endswith(text.replace(" ", ""))
