"""A text as a hasty reader sees it: one alphabet, one width, nothing invisible, plain digits.

Folding is only for finding look-alikes; what is shown is always the text as it was written.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

_KEPT = 50_000
_INVISIBLE = frozenset("\u115f\u1160\u3164\uffa0")
_BLANK = "\u2800"
# Latin characters, and those of other scripts that look like them and do not decompose to them.
_ALIKE = """
A АΑᎪᗅ𐊠ᴀꓮ a аαɑ B ВΒᏴʙꓐ b ЬьƄƅᖯ C СϹᏟⲤᴄꓚ c сϲⲥ D ᎠᗞᴅÐĐꓓ
d ԁᏧđðꓒ E ЕΕᎬᴇЄꓰ e еεҽєɛ F Ϝꜰꓝ f ғƒ G ԌᏀɢꓖ g ɡցġԍ
H НΗᎻнʜⲎꓧ h һհҺħ I ІΙӀⅠꓲ i іιıɩɪӏ J ЈᎫᴊꓙ j јϳ K КΚᏦᴋкⲔꓗ
k κᴷ L ᏞʟՆꓡ l ⅼłƚ M МΜᎷᴍмⲘꓟ m ṃ N ΝɴⲚꓠ n ոηпռ
O ОΟՕᴏⲞØꓳ o оοօσøɵⲟ P РΡᏢᴘⲢꓑ p рρⲣ Q Ԛ q ԛգ R ᎡƦʀᖇꓣ r гᴦⲅ S ЅՏᏚꜱꓢ s ѕƽ T ТΤᎢᴛтⲦꓔ t τŧ U ՍᑌԱꓴ u υսᴜц
V ᏙѴᴠꓦ v νѵ W ԜᎳᴡꓪ w ԝωѡա X ХΧⲬꓫ x хχⲭ Y ΥҮᎩУʏⲨꓬ y уүγу Z ΖᏃᴢⲌꓜ z ʐȥ
[ 【〔〖〘〚⟦⁅「『❲〚 ] 】〕〗〙〛⟧⁆」』❳ < ⟨〈《‹❮❰˂ᐸ≺⧼ > ⟩〉》›❯❱˃ᐳ≻⧽ ( ❨❪⟮ ) ❩❫⟯ { ❴ } ❵
| ¦│┃∣❘ǀ∥║⏐ \\ ∖⧵⧹╲ / ⁄∕╱⧸ : ∶ː꞉։׃ꓽ - ‐‑‒–—―−─━ * ∗⁎✱ # ♯ . ․ꓸ
"""


def _alike() -> dict[str, str]:
    pieces = _ALIKE.split()
    table = {
        other: latin
        for latin, others in zip(pieces[::2], pieces[1::2], strict=True)
        for other in others
    }
    for first in (0x1F130, 0x1F150, 0x1F170, 0x1F1E6):  # letters in squares, circles, flags
        table |= {chr(first + i): chr(ord("A") + i) for i in range(26)}
    return table


_LATIN = _alike()


class Folds(dict[int, str]):
    """A table for ``str.translate`` that is filled as characters come."""

    def __init__(self, fold: Callable[[str], str]) -> None:
        super().__init__()
        self._fold = fold

    def __missing__(self, code: int) -> str:
        seen = self._fold(chr(code))
        if len(self) < _KEPT:
            self[code] = seen
        return seen


def _seen(character: str) -> str:
    """What a reader sees of one character: nothing, or characters that decompose no further."""
    if character.isascii() and character.isprintable():
        return character
    value = unicodedata.numeric(character, -1)
    if 0 <= value < 1000 and value == int(value):
        return str(int(value))
    if character in _LATIN:
        return _LATIN[character]
    return "".join(map(_part, unicodedata.normalize("NFKD", character)))


def _part(character: str) -> str:
    if character.isspace() or character == _BLANK:
        return " "
    if character in _INVISIBLE or 0xE0000 <= ord(character) < 0xE1000:
        return ""
    if unicodedata.category(character) in ("Cc", "Cf", "Mn", "Me"):
        return ""
    return _LATIN.get(character, character)


def _squeezed(character: str) -> str:
    return _seen(character).replace(" ", "").casefold()


SEEN = Folds(_seen)
SQUEEZED = Folds(_squeezed)


def folded(text: str) -> str:
    """``text`` as it is seen, white space as blanks.

    >>> folded("［Ｒespоnsе ③］")
    '[Response 3]'
    """
    return text.translate(SEEN)


def squeezed(seen: str) -> str:
    """A folded text without white space and case.

    >>> squeezed(folded("[ R e s p o n s e 3 ]"))
    '[response3]'
    """
    return "".join(seen.split()).casefold()


def places(text: str, table: Folds) -> list[int]:
    """For every character of the folded text the place of its origin in ``text``."""
    return [i for i, character in enumerate(text) for _ in table[ord(character)]]
