"""Messages about rows name the place, and what others wrote there can not forge a line."""

from __future__ import annotations

import pytest

from grm_plugin.errors import InputError, placed
from grm_plugin.hosts.rows import group_of

FORGED = "x\nERROR \x1b[2J"


@pytest.mark.parametrize(
    "row",
    [
        {FORGED: 1, "prompt": "q"},
        {FORGED: float("inf"), "prompt": "q", "responses": ["a"]},
        {"prompt": "q", "responses": ["a"], "metadata": {FORGED: float("nan")}},
        {"prompt": [{FORGED: "user", "content": "q"}], "responses": ["a"]},
        {"prompt": [{"role": FORGED, "content": "q"}], "responses": ["a"]},
    ],
)
def test_a_key_that_is_no_identifier_is_quoted(row: dict[str, object]) -> None:
    with pytest.raises(InputError, match=r"'x\\nERROR \\x1b\[2J'") as caught:
        group_of(row)
    assert str(caught.value).isprintable()


def test_plain_places_are_written_as_they_are() -> None:
    assert placed(["prompt", 0, "max_tokens", "x-y"]) == "prompt.0.max_tokens.x-y"
