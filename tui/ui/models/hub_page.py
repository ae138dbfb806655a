"""What a repository on Hugging Face offers, as a page: its quantizations with size, fit and what they mean; one is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from tui.core.memory_fit import FitPlace, MachineMemory
from tui.core.model_names import HubModel, HubReference, quantization_help
from tui.core.text import human_size, safe_name
from tui.models.catalogue import licence_permits
from tui.models.fit_text import verdict_line
from tui.models.hub_offer import HubOffer
from tui.ui.covering import CoveringScreen
from tui.ui.look import palette_of
from tui.ui.widgets.line import LineWidget
from tui.ui.widgets.line_list import LineList
from tui.ui.widgets.row import Part, cut, cut_middle, fit

_QUANT, _SIZE, _FITS = 14, 10, 30
_FOOT = "Enter downloads   Esc back"


class QuantizationList(LineList):
    """The quantizations, the smallest first."""

    HEAD_LINES = 4
    DEFAULT_CSS = "QuantizationList { height: 1fr; }"

    class Chosen(Message):
        """Enter."""

    class Left(Message):
        """Esc."""

    def __init__(self, offer: HubOffer, machine: MachineMemory | None) -> None:
        super().__init__(id="quantizations")
        self._offer = offer
        self._machine = machine
        self.models = offer.repository.models

    @property
    def current(self) -> HubModel:
        """The one under the cursor."""
        return self.models[self.cursor.at]

    def on_mount(self) -> None:
        """The cursor is on the one that is usually taken."""
        self.set_lines(len(self.models), self.models.index(self._offer.repository.chosen))

    def on_key(self, event: events.Key) -> None:
        """Enter and Esc; others are for the cursor."""
        if event.key in ("enter", "escape"):
            event.stop()
            event.prevent_default()
            self.post_message(self.Chosen() if event.key == "enter" else self.Left())

    def over_list(self, y: int, width: int) -> Sequence[Part] | None:
        """Whose they are, under which licence, and the headings."""
        palette = palette_of(self)
        licence = self._offer.licence
        permits = licence_permits(licence)
        match y:
            case 0:
                return [
                    (
                        f" {cut_middle(self._offer.repository.reference.repository, width - 2)}",
                        palette["heading"],
                    )
                ]
            case 1:
                words = f"{licence}: {permits}" if permits else licence or "not told; look at its page"
                return [(f" licence  {cut(words, width - 11)}", palette["muted"])]
            case 2:
                return []
            case 3:
                head = f" {'QUANT':<{_QUANT}}{'SIZE':<{_SIZE}}{'FITS':<{_FITS}}"
                return [(cut(head, width), palette["muted"])]
        return None

    def line_parts(self, index: int, width: int, *, under: bool) -> Sequence[Part]:
        """One quantization."""
        palette, model = palette_of(self), self.models[index]
        verdict = self._offer.verdict(model, self._machine)
        role = "error" if verdict.place is FitPlace.NOWHERE else "foreground"
        cells = (
            (model.quantization or safe_name(model.name, 60), _QUANT, "second"), (human_size(model.size), _SIZE, "foreground"),
            (verdict.words, _FITS, role), (quantization_help(model.quantization), max(0, width - _QUANT - _SIZE - _FITS - 1), "muted"),
        )  # fmt: skip
        parts: list[Part] = [("›" if under else " ", palette["accent"])]
        for text, size, style in cells:
            shown = cut(text, size - 1) if size else ""
            parts.append((shown + " " * max(0, size - cell_len(shown)), palette[style]))
        return parts


class HubFoot(LineWidget):
    """What the one under the cursor means and takes, and the keys."""

    DEFAULT_CSS = "HubFoot { height: 3; }"

    def __init__(self) -> None:
        super().__init__(id="hub-foot")
        self._lines: tuple[tuple[str, str], ...] = ()

    def show(self, meaning: str, fits: str) -> None:
        """Say this of the one under the cursor."""
        self._lines = ((meaning, "muted"), (fits, "foreground"), (_FOOT, "muted"))
        self.refresh()

    def line_at(self, y: int, width: int) -> Strip:
        text, role = self._lines[y] if y < len(self._lines) else ("", "muted")
        return fit([self.part(f" {cut(text, width - 2)}", role)], width, self.base())


class HubPage(CoveringScreen[str]):
    """Dismissed with the name to download, or an empty one."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+c", "leave", show=False)]
    CSS = "HubPage { background: $background; }"

    def __init__(self, offer: HubOffer, machine: MachineMemory | None) -> None:
        super().__init__()
        self._offer = offer
        self._machine = machine

    def compose(self) -> ComposeResult:
        yield QuantizationList(self._offer, self._machine)
        yield HubFoot()

    def on_mount(self) -> None:
        """The list takes the keys."""
        self.query_one(QuantizationList).focus()
        self._describe()

    @on(QuantizationList.Moved)
    def _describe(self) -> None:
        model = self.query_one(QuantizationList).current
        name, words = model.quantization, quantization_help(model.quantization)
        estimate = self._offer.estimate(model)
        verdict = self._offer.verdict(model, self._machine)
        fits = f"{verdict_line(estimate, verdict)}: {estimate.mark}{human_size(verdict.needed)} with a context of {estimate.context:,}"
        self.query_one(HubFoot).show(f"{name}: {words}" if words else name, fits)

    @on(QuantizationList.Chosen)
    def _take(self) -> None:
        model, reference = self.query_one(QuantizationList).current, self._offer.repository.reference
        self.dismiss(HubReference(reference.repository, file=model.files[0].path).name)

    @on(QuantizationList.Left)
    def action_leave(self) -> None:
        """Without a choice."""
        self.dismiss("")
