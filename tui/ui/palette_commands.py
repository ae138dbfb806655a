"""What the command palette offers: the commands, and presets, models, servers and themes by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.markup import escape

from tui.core.commands import COMMANDS
from tui.core.text import safe_line

if TYPE_CHECKING:
    from tui.ui.app import LokalApp


def _do_nothing() -> None:
    """What the line does that says that nothing matches."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One line of the palette."""

    title: str
    help: str
    run: partial[None]
    always: bool = True


class Commands(Provider):
    """Textual asks it for what fits the text that the person typed."""

    async def discover(self) -> Hits:
        """Before anything is typed."""
        for offer in self._offers():
            if offer.always:
                yield DiscoveryHit(Content(offer.title), offer.run, offer.title, help=escape(offer.help))

    async def search(self, query: str) -> Hits:
        """Everything whose name fits; where none does, a line that says so, at once and as long as it is so."""
        matcher = self.matcher(query)
        found = False
        for offer in self._offers():
            score, places = matcher.fuzzy_search.match(query, offer.title)
            if score > 0:
                found = True
                # Names and descriptions are not lokal's own: what looks like markup in them is text.
                title = Content(offer.title)
                for place in places:
                    title = title.stylize(matcher.match_style, place, place + 1)
                yield Hit(score, title, offer.run, offer.title, help=escape(offer.help))
        if not found:
            said = f"Nothing matches “{safe_line(query, 40)}”"
            yield Hit(1.0, Content(said), _do_nothing, said, help="Fewer letters find more; Esc goes back")

    def _offers(self) -> Iterator[Offer]:
        host = cast("LokalApp", self.app)
        state = host.state
        for command in COMMANDS:
            if command.shown and command.id in host.registry:
                key = state.key(command.id)
                ways = [key, f"/{command.slash}" if command.slash else ""]
                ways = [way for way in ways if way]
                title = f"{command.title}  ({', '.join(ways)})" if ways else command.title
                yield Offer(title, command.help, partial(host.commands.run, command.id))
        for preset in state.presets:
            yield Offer(f"Preset: {preset.name}", preset.description, partial(host.presets.use, preset.name))
        connection = state.connection
        for model in connection.models if connection else ():
            yield Offer(
                f"Model: {model.name}",
                "Chat with it",
                partial(host.servers.use_model, model.name),
                always=False,
            )
        for endpoint in connection.others if connection else ():
            label = endpoint.kind.label if endpoint.kind else "server"
            run = partial(host.servers.use_server, endpoint)
            yield Offer(f"Server: {label} {endpoint.url}", "Talk to it from now on", run, always=False)
        for theme in host.theme_names():
            yield Offer(
                f"Theme: {theme}", "Change the colours", partial(host.theme_choice.use, theme), always=False
            )
