"""Every word of a page is in the catalogue, in both languages, and nothing there is left over."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

import gateway.web
from gateway.web.catalogue import LANGUAGES, catalogue, language_of, text

FOLDER = Path(gateway.web.__file__).parent
#: `"area.key"` as a whole text, and `"area.key_" ~ …` as the beginning of several.
_WHOLE = re.compile(r"""["']([a-z_]+\.[a-z0-9_-]+)["'](?!\s*~)""")
_BEGINNING = re.compile(r"""["']([a-z_]+\.[a-z0-9_-]*)["']\s*~|f["']([a-z_]+\.[a-z0-9_-]*)\{""")
_COMMENT = re.compile(r"//.*|{#.*?#}")
_HAN = re.compile(r"[\u4e00-\u9fff]")


def sources() -> Iterator[str]:
    """What may name a text: templates and the modules that render them."""
    for path in (*FOLDER.rglob("*.html"), *FOLDER.rglob("*.py")):
        yield path.read_text("utf-8")


def named() -> set[str]:
    areas = {name.partition(".")[0] for name in catalogue()}
    found = {name for source in sources() for name in _WHOLE.findall(source)}
    return {
        name
        for name in found
        if name.partition(".")[0] in areas and not name.endswith((".html", ".css", ".js"))
    }


def beginnings() -> set[str]:
    found = {one or other for source in sources() for one, other in _BEGINNING.findall(source)}
    return {name for name in found if name}


def test_every_text_that_a_page_names_is_there() -> None:
    assert sorted(named() - set(catalogue())) == []


def test_every_beginning_has_texts() -> None:
    lost = [each for each in beginnings() if not any(k.startswith(each) for k in catalogue())]
    assert lost == []


def test_no_text_is_left_over() -> None:
    used, begun = named(), tuple(beginnings())
    plain = {key: key.removesuffix("_one") for key in catalogue()}
    left = [key for key in plain if plain[key] not in used and not key.startswith(begun)]
    assert left == []
    assert [key for key in plain if plain[key] not in catalogue()] == []


def test_one_is_said_as_one() -> None:
    assert text("en", "consent.days", n=1) == "1 day"
    assert text("en", "consent.days", n=30) == "30 days"
    assert text("en", "consents.today", n=1) == "Answered once today."
    assert text("zh", "consents.today", n=1) == "今天回答了 1 次。"


def test_both_languages_say_the_same_values() -> None:
    def values(words: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(words) if name}

    odd = [key for key, words in catalogue().items() if values(words.zh) != values(words.en)]
    assert odd == []


def test_chinese_is_chinese_and_english_is_not() -> None:
    """But for the name of the other language, which is in that language."""
    mixed = [
        key
        for key, words in catalogue().items()
        if key != "common.other_language"
        and (not _HAN.search(words.zh) or _HAN.search(words.en.replace("钱江分", "")))
    ]
    assert mixed == []


def test_no_page_has_words_of_its_own() -> None:
    """Chinese in a template or a module would be said to English readers as well."""
    spoken = [
        str(path.relative_to(FOLDER))
        for path in (*FOLDER.rglob("*.html"), *FOLDER.rglob("*.js"))
        if _HAN.search(_COMMENT.sub("", path.read_text("utf-8")))
    ]
    assert spoken == []


@pytest.mark.parametrize("word", ["", None, "de", "EN", "zh-CN", "../en", "<script>"])
def test_a_language_that_is_not_ours_is_chinese(word: str | None) -> None:
    assert language_of(word) == "zh"


def test_a_text_says_its_values_and_misses_none() -> None:
    for language in LANGUAGES:
        assert "Lin" in text(language, "home.hello", name="Lin")
        with pytest.raises(KeyError):
            text(language, "home.hello")
        with pytest.raises(KeyError):
            text(language, "home.nothing")
