"""An API key that can be used but not shown."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field

from grm_plugin.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Secret:
    """A key from the environment; empty when there is none."""

    value: str = field(default="", repr=False)

    @classmethod
    def from_environment(cls, name: str | None, owner: str, option: str = "api_key_env") -> Secret:
        """The key in the environment variable ``name``; None means no key.

        ``owner`` and ``option`` are how messages call the part and its setting.

        Raises:
            ConfigError: the variable is not set, or ``name`` looks like a key itself. What does
                not look like a name is never shown.
        """
        if name is None:
            return cls()
        if not re.fullmatch(r"[A-Z_][A-Z0-9_]*", name):
            raise ConfigError(
                f"{owner}: {option}: expected the name of an environment variable in upper "
                "case, such as JUDGE_API_KEY; what came is not shown, it may be the key itself"
            )
        if not os.environ.get(name):
            raise ConfigError(f"{owner}: {option}: the environment variable {name} is not set")
        return cls(os.environ[name])

    @property
    def headers(self) -> dict[str, str]:
        """What a request carries to be let in."""
        return {"Authorization": f"Bearer {self.value}"} if self.value else {}

    def hide(self, text: str) -> str:
        """``text`` without the key; servers like to repeat it in their complaints."""
        return text.replace(self.value, "***") if self.value else text
