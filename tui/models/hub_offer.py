"""What a repository on Hugging Face offers: its quantizations, its licence, and what each would take here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tui.core.memory_fit import (
    FitVerdict,
    LoadSettings,
    MachineMemory,
    MemoryEstimate,
    estimate_memory,
    judge,
)
from tui.core.model_header import ModelHeader
from tui.core.model_names import HubModel, HubReference
from tui.models.hub_source import HubRepository, look_at
from tui.servers.hub.hub_access import hub_endpoint
from tui.servers.hub.hub_client import HubClient


@dataclass(frozen=True, slots=True)
class HubOffer:
    """What is there; `header` is that of the model that would be taken. `licence` is the name that its card tells."""

    repository: HubRepository
    header: ModelHeader
    licence: str

    def estimate(self, model: HubModel, settings: LoadSettings = LoadSettings()) -> MemoryEstimate:  # noqa: B008 - frozen
        """What another quantization of the model would take: as much as this one but for its weights."""
        found = estimate_memory(self.header, settings)
        return with_weights(found, model.size) if model != self.repository.chosen else found

    def verdict(self, model: HubModel, machine: MachineMemory | None) -> FitVerdict:
        """Whether that one runs here."""
        return judge(self.estimate(model), machine)


def with_weights(estimate: MemoryEstimate, size: int) -> MemoryEstimate:
    """The same model in another quantization, whose files have so many bytes."""
    share = size / estimate.weights if estimate.weights else 1.0
    return replace(estimate, weights=size, layers=tuple(round(each * share) for each in estimate.layers))


async def offer_of(environ: Mapping[str, str], reference: HubReference) -> HubOffer:
    """Ask the hub. Raises LokalError."""
    client = HubClient(hub_endpoint(environ))
    try:
        found = await look_at(client, reference)
        header = await client.header(reference, found.commit, found.chosen.files[0])
        licence = await client.licence_of(reference)
    finally:
        await client.aclose()
    if len(found.chosen.files) > 1:  # the tensors of the other parts are not known
        header = replace(header, tensors=(), size=found.chosen.size)
    return HubOffer(found, header, licence)
