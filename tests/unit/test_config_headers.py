"""Headers and certificates of a server in the config: what is taken, what is said, and that no value is ever shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.config.settings import load_settings

SECRET = "tok-SECRET-1234567"
ENTRY = '[[servers]]\nurl = "https://host:1"\n'


def written(tmp_path: Path, text: str, mode: int = 0o600) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def test_headers_come_from_the_file_and_from_variables(tmp_path: Path) -> None:
    text = f'{ENTRY}headers = {{ "X-Team" = "a", Other = " b " }}\nheaders_env = {{ "x-team" = "TEAM", "X-New" = "NEW" }}\n'
    loaded = load_settings(written(tmp_path, text), {"TEAM": "from the shell", "NEW": "n"})
    assert loaded.problems == ()
    assert loaded.value.servers[0].headers == (("x-team", "from the shell"), ("Other", "b"), ("X-New", "n"))
    unset = load_settings(tmp_path / "config.toml", {"NEW": "n"})
    assert unset.value.servers[0].headers == (("X-Team", "a"), ("Other", "b"), ("X-New", "n"))
    assert unset.problems == ()


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        (f'headers = "X-Team: {SECRET}"', "headers is no table"),
        (f'headers = {{ "X Team" = "{SECRET}" }}', "no name of a header"),
        ('headers = { "X-Team" = 1234567 }', "headers.X-Team is no text"),
        (f'headers = {{ "X-Team" = ["{SECRET}"] }}', "headers.X-Team is no text"),
        (f'headers = {{ "Content-Length" = "{SECRET}" }}', "lokal itself sets"),
        (f'headers = {{ "X-Team" = "{SECRET}\\nX-Evil: 1" }}', "no HTTP header can carry"),
        (f'headers = {{ "X-Team" = "{SECRET}é" }}', "no HTTP header can carry"),
        ('headers_env = { "X-Team" = "TEAM_TOKEN" }', "TEAM_TOKEN, which is not set"),
        ('ca_file = 7', "ca_file cannot be 7"),
    ],
)  # fmt: skip
def test_a_wrong_header_costs_itself_and_is_not_shown(tmp_path: Path, lines: str, named: str) -> None:
    loaded = load_settings(written(tmp_path, f"{ENTRY}{lines}\n"), {})
    (server,) = loaded.value.servers
    assert (server.url, server.headers, server.ca_file) == ("https://host:1", (), "")
    (problem,) = loaded.problems
    assert named in str(problem)
    assert SECRET not in str(problem)
    assert "1234567" not in str(problem)


@pytest.mark.parametrize(
    "text",
    [
        f'{ENTRY}headers = {{ "X-Team" = "{SECRET}" }}\n',
        f'[[servers]]\nurl = "https://ann:{SECRET}@host"\n',
        f'server = "https://ann:{SECRET}@host"\n',
    ],
)
def test_a_file_with_secrets_is_for_its_owner_only(tmp_path: Path, text: str) -> None:
    loaded = load_settings(written(tmp_path, text, 0o644), {})
    (problem,) = loaded.problems
    assert "chmod 600" in problem.hint
    assert SECRET not in str(problem) + repr(loaded.value.servers)
    assert any(SECRET in secret for secret in loaded.value.keys_of_servers), (
        "no program that lokal starts is given it"
    )


def test_the_path_of_a_certificate_is_the_files_own_or_the_homes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    for said, meant in (
        ("a.pem", str(tmp_path / "a.pem")),
        ("/x/a.pem", "/x/a.pem"),
        ("~/a.pem", "/home/ann/a.pem"),
    ):
        loaded = load_settings(written(tmp_path, f'{ENTRY}ca_file = "{said}"\n'), {})
        assert loaded.value.servers[0].ca_file == meant
