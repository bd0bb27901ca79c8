"""A LoRA in its base: a folder that every engine loads, and that the next stage starts from.

``python recipes/spct/merge_adapter.py out/rft_lora out/rft_lora_merged``

The tokenizer is the adapter's, with the turns that it learnt, and its end of a turn ends what the
model writes: an adapter's folder says nothing of that, and a base goes on after its turn.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from peft import AutoPeftModelForCausalLM
from transformers import AutoTokenizer


def main(
    adapter: Annotated[Path, typer.Argument(help="Folder with adapter_config.json.")],
    out: Annotated[Path, typer.Argument(help="Folder for the whole model.")],
) -> None:
    """Write the base of ADAPTER with ADAPTER in it to OUT."""
    if not (adapter / "adapter_config.json").is_file():
        raise typer.BadParameter(f"{adapter}: expected a folder with adapter_config.json")
    tokenizer = AutoTokenizer.from_pretrained(adapter)
    loaded: Any = AutoPeftModelForCausalLM.from_pretrained(adapter, dtype="auto")
    model = loaded.merge_and_unload()
    model.generation_config.eos_token_id = _ends(model.generation_config, tokenizer.eos_token_id)
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    typer.echo(f"{out}: {sum(p.numel() for p in model.parameters()):,} weights")


def _ends(generation: Any, end: int) -> list[int]:
    known = generation.eos_token_id
    others = known if isinstance(known, list) else [known] if known is not None else []
    return [end, *(token for token in others if token != end)]


if __name__ == "__main__":
    typer.run(main)
