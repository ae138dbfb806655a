"""Each kind of server has a profile that says all that is needed, and nobody else tells the kinds apart."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tui.core.endpoint import Endpoint, ServerKind
from tui.servers.registry import all_profiles, profile_of, server_for

PACKAGE = Path(__file__).parents[2] / "tui"
MAY_NAME_A_KIND = ("servers/", "core/parameters.py", "core/endpoint.py")
"""Where kinds are declared: the seam itself, the wire fields and the names."""
LABELS = frozenset(kind.label for kind in ServerKind)


def test_every_kind_has_its_own_profile() -> None:
    assert [profile.kind for profile in all_profiles()] == list(ServerKind)


@pytest.mark.parametrize("kind", list(ServerKind))
def test_a_profile_is_complete(kind: ServerKind) -> None:
    profile = profile_of(kind)
    server = server_for(Endpoint("http://127.0.0.1:1", kind))
    assert server.profile is profile
    assert server.capabilities is profile.capabilities
    assert profile.label == kind.label
    hints = profile.hints
    for sentence in (hints.start, hints.get_model, hints.missing_model.format(model="some-model")):
        assert sentence[:1].isupper() or sentence.startswith(kind.label)
        assert not sentence.endswith(".")
    assert hints.enlarge_window
    # Either a request sets the window, or the person is told who does.
    assert bool(hints.window_is_fixed) is not profile.window_by_request
    if profile.recognition.recognise is not None:
        assert profile.recognition.probes
        assert all(path.startswith("/") for path in profile.recognition.probes)
        assert profile.ports


def test_only_the_generic_kind_is_not_recognised_by_itself() -> None:
    unrecognised = [profile.kind for profile in all_profiles() if profile.recognition.recognise is None]
    assert unrecognised == [ServerKind.OPENAI]


def test_no_two_kinds_listen_or_answer_at_the_same_place() -> None:
    ports = [port for profile in all_profiles() for port in profile.ports]
    probes = [path for profile in all_profiles() for path in profile.recognition.probes]
    owners = [profile.recognition.owner for profile in all_profiles() if profile.recognition.owner]
    for told_apart_by in (ports, probes, owners):
        assert len(set(told_apart_by)) == len(told_apart_by)


def _kinds_named_in(source: str) -> list[str]:
    """The places of a module that name one kind: a member of ServerKind, or a comparison with its value or label."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute(value=ast.Name("ServerKind"), attr=attr) if attr in ServerKind.__members__:
                found.append(f"line {node.lineno}: ServerKind.{attr}")
            case ast.Compare(left=left, comparators=others):
                found += [f"line {node.lineno}: {word}" for word in _texts([left, *others]) if _is_kind(word)]
            case ast.MatchValue(value=ast.Constant(value=str(word))) if _is_kind(word):
                found.append(f"line {node.lineno}: case {word}")
    return found


def _texts(operands: list[ast.expr]) -> list[str]:
    return [
        constant.value
        for operand in operands
        for constant in ast.walk(operand)
        if isinstance(constant, ast.Constant) and isinstance(constant.value, str)
    ]


def _is_kind(word: str) -> bool:
    return word in LABELS or word in set(ServerKind)


def test_nobody_else_compares_a_kind() -> None:
    named = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if not name.startswith(MAY_NAME_A_KIND) and (lines := _kinds_named_in(path.read_text())):
            named[name] = lines
    assert named == {}


@pytest.mark.parametrize(
    "source",
    [
        "if server.kind is ServerKind.OLLAMA: pass",
        "if connection.info.kind == 'ollama': pass",
        "x = kind in {'vllm', 'textgen'}",
        "if info.kind.label == 'LM Studio': pass",
        "match kind:\n    case 'llamacpp': pass",
        "match kind:\n    case ServerKind.OPENAI: pass",
    ],
)
def test_a_comparison_would_be_seen(source: str) -> None:
    assert _kinds_named_in(source) != []
