"""The oldest install takes the lowest version of whatever we name."""

from __future__ import annotations

from packaging.requirements import Requirement

from tests.installs.requirements import lowest, requirements


def test_the_lowest_version_is_the_lower_bound_and_torch_is_left_to_the_constraints() -> None:
    named = [Requirement("trl>=1.14.2,<2"), Requirement("torch>=2.11")]
    assert lowest(named) == ["trl==1.14.2"]


def test_an_extra_brings_the_requirements_of_the_extras_it_names() -> None:
    names = {one.name for one in requirements(["demo"])}
    assert {"pluggy", "transformers", "matplotlib"} <= names
    assert "grm-plugin" not in names


def test_every_direct_requirement_has_a_lower_bound() -> None:
    named = list(requirements(["dev", "trl", "openrlhf", "vllm", "ray"]))
    assert [
        str(one) for one in named if ">=" not in str(one.specifier) and one.name != "protobuf"
    ] == []
