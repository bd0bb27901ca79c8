"""What lines of a critique begin and end with, in English and Chinese: patterns.

All look at text that is :func:`~grm_plugin.hosts.passages.names.folded`, and no gap is without a
bound, so that a hostile text costs no more than its length.
"""

from __future__ import annotations

import re

from grm_plugin.hosts.passages.names import A_NAME


def _any(*words: str) -> str:
    return f"(?:{'|'.join(words)})"


_OPENING = r"[*_\[(<\"'`【《「“]{0,6}"
_CLOSING = r"[*_\])>\"'`】》」”]{0,6}"
_ENDING = rf"{_CLOSING}[ \t]{{0,9}}(?::|\Z)"
_DECORATED = r"[\s#*_\d.\[<({【]{0,12}"
_NAMED = rf"{_OPENING}(?:[Tt]he )?{A_NAME}"
_LINKS = (
    *("however", "in contrast", "by contrast", "on the other hand", "meanwhile", "conversely"),
    *("similarly", "likewise", "finally", "next", "then", "also", "and", "but", "while", "whereas"),
    *("although", "though", "as for", "regarding", "turning to", "for", "now"),
)
_HAN_LINKS = ("而", "但是?", "相比之下", "至于", "对于", "关于")
_LINK = rf"(?:(?i:{_any(*_LINKS)}),? |{_any(*_HAN_LINKS)}[,，]?)?"
_TURNS = ("but", "while", "whereas", "although", "though", "而", "但是?")
_CLAUSE = rf"{_any('and', *_TURNS)}[ \t]?"
_GOES_ON = rf"(?!{_CLOSING}[ \t]{{0,3}}(?:[,，;；:.)。]|(?:and|or)\b|\Z))"

LEAD = re.compile(
    r"(?P<indent>[ \t>|]{0,40})(?P<hashes>\#{1,6})?[ \t]{0,3}"
    r"(?P<item>(?:[-*•+–][ \t]+|\(?(?:\d{1,2}|[a-z])[.)、][ \t]*)(?:[-*•+–][ \t]+)?)?"
)
"""Indent, marks of a heading and the mark of an item, before whatever a line says."""

LINKED = re.compile(rf"{_OPENING}{_LINK}{_OPENING}(?:[Tt]he )?")
"""What may stand between these and the name of the response that a line is about."""

TAIL = re.compile(
    rf"{_CLOSING}[ \t]{{0,3}}(?:of \d{{1,3}}\b)?[ \t]{{0,3}}(?:\([^()\n]{{0,80}}\))?"
    r"[*_]{0,3}[ \t]{0,3}(?:[:|]|[-–—](?=\s)|\Z)[*_]{0,3}"
)
"""What follows a name that is a heading, such as ``of 4:``."""

SENTENCE = re.compile(
    r"[.!?;)\"'”。！？；,，](?<!vs\.)(?<!e\.g\.)(?<!i\.e\.)"
    rf"(?:(?<![,，])(?:(?<=[。！？；])|[ \t])[ \t]{{0,3}}(?={_LINK}{_NAMED})"
    rf"|(?<=[,，])[ \t]?(?={_CLAUSE}{_NAMED}))"
    rf"|(?<=\w)(?:[ \t]{{1,3}}|(?=[而但]))(?={_any(*_TURNS)}[ \t]?{_NAMED})"
    rf"|(?P<comma>[,，])[ \t]{{0,3}}(?={_NAMED}{_GOES_ON})"
)
"""Where a sentence, or a half of one, begins with the name of a response."""

LABEL = re.compile(rf"[^:.!?;,，。|\n]{{1,60}}:[*_]{{0,3}}[ \t]{{0,3}}(?={_NAMED})")
"""What a sentence about a response goes by, such as ``Accuracy:``, before it on its line."""

LEAD_IN = re.compile(
    rf"[^:.!?;,，。()|\n]{{1,80}}[,，][ \t]{{0,3}}{_OPENING}(?:[Tt]he )?(?={A_NAME}{_GOES_ON})"
)
"""Words before the name of the response that a sentence is about, such as ``On accuracy,``."""

LAST_STOP = re.compile(r".*[.!?;。！？；](?:(?<=[。！？；])|[ \t])[ \t]{0,3}", re.DOTALL)
"""A text up to the beginning of its last sentence."""

BOUNDARY = re.compile(
    rf"(?P<comma>[,，])|[;；(\[—–]|\b{_any('and', 'yet', 'because', 'since', *_TURNS[:-2])}\b"
    rf"|{_any('虽然', '尽管', '因为', *_TURNS[-2:])}",
    re.IGNORECASE,
)
"""What a clause begins with."""

IN_PASSING = re.compile(
    r"(?:\b(?:than|unlike|like|from|over|compared with|(?:compar|relat|similar|identical|superior"
    r"|inferior|equal|contrast|next|close)\w{0,5} to)[ \t]|比|不如)[ \t*_(\"'`]{0,6}(?:the )?\Z",
    re.IGNORECASE,
)
"""What stands before the name of a response with which another is only compared."""

OF_WHICH = re.compile(rf"{_CLOSING}[,，]?[ \t]{{1,3}}(?:which|who)\b")
"""What follows a name about which more is said."""

OTHER = re.compile(
    r"\bthe (?:others|latter|former|other (?:one|response|answer|assistant|model|candidate)s?"
    r"|other(?= (?:is|was|has|had|does|did|can|could|would|also|only|just|fails|lacks|gives)\b"
    r"|[.,;:!?]|\Z))\b|另[一外][个条份篇]?|[前后]者",
    re.IGNORECASE,
)
"""Another response than the last that was named."""

PRONOUN = re.compile(
    rf"[\W_]{{0,12}}{_LINK}(?:(?:it|its|it's|they|their|this|that|these|he|she|his|her)\b|[它其该此他她])",
    re.IGNORECASE,
)
"""How a sentence begins that says more of a response named before."""

THE_OTHER = re.compile(
    rf"[\W_]{{0,12}}{_LINK}(?:the (?:other(?! hand)|latter|former)|另[一外]|[前后]者)",
    re.IGNORECASE,
)
"""How a sentence begins that is about another response than the one before it."""

QUOTED = re.compile(r"[ \t]{0,40}>")
"""A line that is quoted."""

FENCE = re.compile(r"[ \t]{0,40}(?:[-*+][ \t]{1,3})?(`{3,}|~{3,})")
"""A line with which a block of code begins or ends."""

ANALYSIS = re.compile(
    _DECORATED
    + _any(
        rf"(?i:{_any('analysis', 'critiques?', 'feedback', 'evaluation', 'judge?ment')}"
        r"(?: of [^:]{1,40})?)",
        *("分析", "评价", "点评", "评估"),
    )
    + rf"{_ENDING}[*_]{{0,3}}[ \t]{{0,9}}"
)
"""The heading of the analysis."""

_RESULTS = ("outputs?", "rankings?", "decision", "verdict", "winner", "choice")
_HAN_SCORES = ("评分", "得分", "分数", "打分", "排名", "结论")
SCORES = re.compile(
    _DECORATED
    + _any(
        *(r"\\boxed", r"\[result\]", "<answer", "final (?:score|judge?ment)"),
        rf"{_any('final ', 'overall ', 'individual ')}?{_any('scores', 'scoring')}{_ENDING}",
        rf"final {_any(*_RESULTS)}{_ENDING}",
        rf"{_any('最终', '总体', '综合')}{_any(*_HAN_SCORES)}{_ENDING}",
        rf"{_any(*_RESULTS, *_HAN_SCORES)}\W{{0,9}}\\boxed",
    ),
    re.IGNORECASE,
)
"""A line with which the scores begin."""

ANSWER = re.compile(  # each begins with a character, so that a text without it is passed quickly
    _any(
        r"Scores?\b\W{0,6}\\boxed",
        r"scores?\b\W{0,6}\\boxed",
        r"\[RESULT\]",
        r"\[The (?:Begin|Start) of (?:Individual|Ranking)",
        r"\[\[[A-Z]\]\]",
        r"<answer\s{0,8}>",
        r"Rating: \[\[",
        r"So, the final decision is\b",
        r"the final decision is\b",
    )
)
"""The marks of an answer, wherever they stand."""

_OF_ALL = (
    *("overall", "in (?:summary|conclusion|comparison|total)", "to (?:summari[sz]e|conclude)"),
    *("summary", "conclusion", "comparison", "comparing", "compared", "between", "therefore"),
    *("thus", "hence", "both", "all", "neither", "so(?=,)", "taken together"),
    rf"(?:the )?(?:two |three )?{_any('responses', 'answers', 'assistants', 'models')}",
    rf"{_any(*_RESULTS)}(?=[*_]{{0,3}}:)",
)
_HAN_OF_ALL = (
    *("综上", "总的来说", "总体", "总之", "因此", "所以", "总结", "对比", "比较", "相比"),
    *("两个", "两者", "三个", "所有"),
)
ABOUT_ALL = re.compile(
    rf"[\W_]{{0,12}}(?:{_any(*_OF_ALL)}\b|{_any(*_HAN_OF_ALL)})"
    r"|\||</?[A-Za-z][\w-]{0,30}>\Z",
    re.IGNORECASE,
)
"""How a line begins that is about the responses together. Rows of tables and lone tags are, too."""

TITLE = re.compile(r"[*_]{2,3}[^*\n]{1,80}[*_]{2,3}:?\Z|[^\s.!?。][^.!?。\n]{0,60}:\Z")
"""A line that is a heading by its looks, among those that end in one of ``*_:``."""

FULL_STOP = re.compile(r"(?:[^.!?。！？]|\.(?=\S))+[.!?。！？]*")
"""A sentence."""

WORD = re.compile(r"[^\W\d_]")
