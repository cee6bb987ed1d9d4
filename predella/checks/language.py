"""Is the text in the language that was asked for?"""

import unicodedata
from collections.abc import Iterator

from predella.checks.context import Context
from predella.checks.finding import Remark, Severity
from predella.checks.saying import Sayings
from predella.checks.wording import Wording

_COMMON = {
    "en": "the of and in a to is with on that from by as are it an its into at for this which"
    " their one while than through across where not be but or both these there",
    "nl": "de het een van en in is op met dat die door te zijn als aan voor naar niet wordt uit"
    " bij maar ook om worden tussen deze dit wat waar over haar er nog",
    "de": "der die das und in ist mit von den dem ein eine des auf im sich zu aus einer durch"
    " einem als für wird an sind nicht eines über zwischen auch nach wie bei werden",
    "fr": "le la les de des et du un une dans est en par sur qui que à au avec pour plus son sa"
    " ses se l'on d'un d'une aux sont ne pas entre cette ce ou comme elle il",
    "it": "il la di e che in un una del della dei le i con per da si è al dalla sul nel nella"
    " gli lo alla delle non sono come più tra questo questa anche dal",
    "es": "el la de y en los las un una del con que por se al su es para como lo más entre sus"
    " hacia sobre está son desde no este esta también muy",
    "pt": "o a de e em os as um uma do da com que por se no na para ao dos das como mais entre"
    " sobre é são seu sua não pelo pela este esta também",
    "sv": "och i att en det som är av på den med till för de ett om har från inte mot mellan"
    " sig över under där eller men så",
    "da": "og i at en det som er af på den med til for de et om har fra ikke mod mellem sig"
    " over under hvor eller men så",
    "no": "og i å en det som er av på den med til for de et om har fra ikke mot mellom seg over"
    " under hvor eller men så",
    "pl": "i w na z się do jest że o po przez od dla jak nie są oraz ich jej jego między pod"
    " nad który która które lub ale",
    "fi": "ja on ei se että joka ovat kuin mutta sen tai myös sekä jossa niin kun ne hän oli"
    " sitä jonka kanssa",
}
_SETS = {language: frozenset(words.split()) for language, words in _COMMON.items()}
_SAME = {"nb": "no", "nn": "no"}
_LEAST = 20
"""Words; in fewer, a title or a quotation decides."""
_EXPECTED = 0.12
"""Share of the words that the common ones of a language make up in a text in it, at least."""
_OTHER = 0.25
_MANY_BYTES = 1.4
"""In UTF-8, for each character: Latin scripts take fewer, all others more."""

SAYS: Sayings = {
    "script": ("The text is not in the Latin script that {asked:language} is written in.",),
    "other": ("The text seems to be in {seems:language}, not in {asked:language}.",),
}


def find(wording: Wording, context: Context) -> Iterator[Remark]:
    """Tell a text that is plainly in another language; for languages we do not know, nothing."""
    primary = context.language.partition("-")[0].lower()
    asked = _SAME.get(primary, primary)
    if asked not in _SETS:
        return
    said = [word.text for word in wording.words]
    if _in_another_script(wording.text):
        yield Remark(Severity.HARD, evidence={"kind": "script", "asked": asked})
    elif len(said) >= _LEAST:
        yield from _other(said, asked)


def _other(said: list[str], asked: str) -> Iterator[Remark]:
    if _share(said, asked) >= _EXPECTED:
        return
    best = max(_SETS, key=lambda code: _share(said, code))
    share = _share(said, best)
    if share > _OTHER:
        evidence = {"kind": "other", "asked": asked, "seems": best, "share": round(share, 3)}
        yield Remark(Severity.HARD, evidence=evidence)


def _share(said: list[str], language: str) -> float:
    known = _SETS[language]
    return sum([word in known for word in said]) / len(said)


def _in_another_script(text: str) -> bool:
    if len(text.encode()) < _MANY_BYTES * len(text):
        return False
    letters = [letter for letter in text if letter.isalpha()]
    latin = sum(unicodedata.name(letter, "").startswith("LATIN") for letter in letters)
    return len(letters) >= _LEAST and latin * 2 < len(letters)
