"""The prompts of earlier: step by step with Up and Down, or by their words as a shell's Ctrl+R does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tui.core.finding import folded_start
from tui.core.folding import folded
from tui.core.paste_folds import plain


@dataclass(frozen=True, slots=True)
class HistorySearch:
    """How a search stands: of `count` prompts that have `query` the one of that `number` is shown, counted from the
    newest; 0 = there is none."""

    query: str = ""
    number: int = 0
    count: int = 0


class HistoryNavigator:
    """All prompts are in marked form (`tui.core.paste_folds`). What was being written is put aside while an earlier prompt
    is shown, and comes back after the newest, or when the earlier prompt is sent. What is changed of an earlier prompt
    stays in its place until it is sent. What was being written is also put aside for a command that lokal begins or
    gives back, and comes back when that is sent, or given up."""

    def __init__(self) -> None:
        self._prompts: list[str] = []
        self._sent: list[str] = []
        self._place: int | None = None
        self._aside = ""
        self._under = ""
        self._begun = ""
        self._changed: dict[int, str] = {}
        self._folded: dict[str, str] = {}
        self._before = ""
        self._found: HistorySearch | None = None
        self._matches: list[int] = []

    def load(self, prompts: Sequence[str]) -> None:
        """The prompts of earlier, oldest first. One that was sent before they were read stays the newest."""
        known, before = set(prompts), self._prompts
        self._prompts = [*prompts, *(prompt for prompt in self._sent if prompt not in known)]
        places = {prompt: place for place, prompt in enumerate(self._prompts)}
        self._place = None if self._place is None else places.get(before[self._place])
        self._changed = {
            places[before[place]]: text for place, text in self._changed.items() if before[place] in places
        }

    def remember(self, prompt: str) -> None:
        """Add a prompt that was just sent."""
        if not self._prompts or self._prompts[-1] != prompt:
            self._prompts.append(prompt)
            self._sent.append(prompt)

    def sent(self) -> str:
        """What is shown was sent: what had been put aside for it, which is to be shown again."""
        if self._place is None:
            under, self._under, self._begun = self._under, "", ""
            return under
        self._changed.pop(self._place, None)
        self._place = None
        return self._aside

    def rest(self) -> None:
        """No earlier prompt is shown, and none is changed: the composer begins anew."""
        self._place, self._aside, self._under, self._begun = None, "", "", ""
        self._changed = {}

    def draft(self, written: str) -> str:
        """What is to be kept of a text that nobody sent, `written` being what is shown: not an earlier prompt, but what
        was made of one."""
        if self._found is not None:
            written = self._before
        changed = dict(self._changed)
        if self._place is None:
            mine = written
        else:
            mine = self._aside
            changed.pop(self._place, None)
            if written != self._prompts[self._place]:
                changed[self._place] = written
        if self._under and mine == self._begun:
            mine = self._under
        elif self._under:
            mine = f"{self._under}\n\n{mine}"
        parts = [text for _, text in sorted(changed.items())]
        return "\n\n".join(text for text in (mine, *parts) if text.strip()) if parts else mine

    def step(self, by: int, written: str) -> str | None:
        """The prompt before (-1) or after (1) the one that is shown, what was put aside after the newest; None =
        there is no more. `written` is what is in the composer now."""
        place = len(self._prompts) if self._place is None else self._place
        target = place + by
        if target < 0 or target > len(self._prompts) or (self._place is None and by > 0):
            return None
        self._leave(written)
        if target == len(self._prompts):
            self._place = None
            return self._aside
        self._place = target
        return self._text(target)

    # -- under a command ----------------------------------------------------------------------------------------------

    def lay_under(self, written: str, begun: str) -> None:
        """Put aside what is `written` while a command is in its place, which begins as `begun`."""
        if written.strip() and written != self._begun:
            self._under = f"{self._under}\n\n{written}" if self._under else written
        self._begun = begun

    def take_up(self, written: str) -> str | None:
        """What was put aside for a command of which nothing more is `written`; None = there is no such thing."""
        if not self._under or self._place is not None or written.strip() not in ("", self._begun.strip()):
            return None
        return self.sent()

    def _leave(self, written: str) -> None:
        """Keep what is written where it belongs."""
        if self._place is None:
            self._aside = written
        elif written == self._prompts[self._place] or not written.strip():
            self._changed.pop(self._place, None)
        else:
            self._changed[self._place] = written

    def _text(self, place: int) -> str:
        return self._changed.get(place, self._prompts[place])

    # -- searching --------------------------------------------------------------------------------------------------

    @property
    def found(self) -> HistorySearch | None:
        """How the search stands; None while nobody searches."""
        return self._found

    @property
    def has_under(self) -> bool:
        """Whether something was put aside for a command."""
        return bool(self._under)

    @property
    def is_empty(self) -> bool:
        """Whether there is no earlier prompt."""
        return not self._prompts

    def start_search(self, written: str) -> None:
        """Begin a search; `written` is what is in the composer."""
        self._before, self._found = written, HistorySearch()
        self._matches = []

    def search(self, query: str) -> str:
        """The newest prompt that has `query`; what was written where there is none."""
        wanted = folded(query)
        newest_first = range(len(self._prompts) - 1, -1, -1)
        narrowed = self._found is not None and self._found.query and query.startswith(self._found.query)
        places = self._matches if narrowed else newest_first
        seen: set[str] = set()
        self._matches = []
        for place in places if wanted else ():
            prompt = self._text(place)
            if prompt not in seen and wanted in self._fold(prompt):
                self._matches.append(place)
                seen.add(prompt)
        self._found = HistorySearch(query, int(bool(self._matches)), len(self._matches))
        return self._shown()

    def older(self, by: int = 1) -> str:
        """The next older prompt that was found, or with -1 the next newer; at the end it stays."""
        if self._found is not None and self._found.count:
            number = min(max(1, self._found.number + by), self._found.count)
            self._found = HistorySearch(self._found.query, number, self._found.count)
        return self._shown()

    def end_search(self, *, take: bool) -> str:
        """Leave the search: what is in the composer now. Taking a prompt puts aside what was written."""
        found, self._found = self._found, None
        self._folded = {}
        if not take or found is None or not found.count:
            return self._before
        self._leave(self._before)
        self._place = self._matches[found.number - 1]
        return self._text(self._place)

    def _shown(self) -> str:
        found = self._found
        return self._text(self._matches[found.number - 1]) if found and found.count else self._before

    def _fold(self, prompt: str) -> str:
        if prompt not in self._folded:
            self._folded[prompt] = folded_start(plain(prompt))
        return self._folded[prompt]
