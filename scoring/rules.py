"""The rules by which a row is refused, and the closed table of what may never be a scoring fact.

The catalogue already refuses everything that it does not list. This table is the second lock: it
gives a forbidden row its true reason, and it stops a catalogue file that would list such a thing.
Words are compared as whole words in English and as phrases in Chinese, after NFKC and case
folding, so `gene` does not hit `general_credit` and `ＩＮＣＯＭＥ` is still income.
"""

from __future__ import annotations

import enum
import re
import unicodedata

import msgspec


class Rule(enum.StrEnum):
    """The rule a refusal rests on, as it is written into the rejects file."""

    FORMAT = "格式 format of the import file"
    CATALOGUE = "目录 the catalogue decides what may enter (浙江省公共信用信息管理条例)"
    ZJ_14_NEVER = "浙江省公共信用信息管理条例第十四条 never collected"
    ZJ_14_WRITTEN = "浙江省公共信用信息管理条例第十四条 only with written consent, not scored here"
    ZJ_16 = "浙江省公共信用信息管理条例第十六条 five years from determination"
    # Shenzhen's ordinance does not bind Hangzhou; the project keeps it as a strict upper bound.
    UNRELATED = "深圳经济特区社会信用条例第二十九条 no unrelated factor (strict upper bound)"


class Forbidden(msgspec.Struct, frozen=True):
    """One category that may never be scored.

    `category` is also a category code: a row that says so openly is caught by the code itself.
    `unless` are phrases taken out before the words are looked for.
    """

    category: str
    rule: Rule
    zh: tuple[str, ...]
    en: tuple[str, ...]
    unless: tuple[str, ...] = ()


FORBIDDEN: tuple[Forbidden, ...] = (
    Forbidden(
        "religion",
        Rule.ZJ_14_NEVER,
        ("宗教", "信仰", "信教"),
        ("religion", "religions", "religious", "faith", "belief"),
        unless=("good faith",),
    ),
    Forbidden(
        "genes",
        Rule.ZJ_14_NEVER,
        ("基因", "遗传"),
        ("gene", "genes", "genetic", "genetics", "genome", "dna"),
    ),
    Forbidden(
        "fingerprint", Rule.ZJ_14_NEVER, ("指纹",), ("fingerprint", "fingerprints", "finger print")
    ),
    Forbidden(
        "blood_type", Rule.ZJ_14_NEVER, ("血型",), ("blood type", "bloodtype", "blood group")
    ),
    Forbidden(
        "disease",
        Rule.ZJ_14_NEVER,
        ("疾病", "患病", "传染病", "精神病", "艾滋", "诊断"),
        ("disease", "diseases", "illness", "diagnosis", "hiv"),
    ),
    Forbidden(
        "medical_history",
        Rule.ZJ_14_NEVER,
        ("病史", "病历", "健康状况"),
        ("medical history", "medical record", "medical records", "health status", "health record"),
    ),
    Forbidden(
        "income",
        Rule.ZJ_14_WRITTEN,
        ("收入", "工资", "薪"),
        ("income", "salary", "salaries", "wage", "wages"),
    ),
    Forbidden(
        "deposits",
        Rule.ZJ_14_WRITTEN,
        ("存款", "账户余额"),
        ("deposit", "deposits", "savings", "account balance"),
        unless=("rental deposit", "deposit waiver"),
    ),
    Forbidden(
        "securities",
        Rule.ZJ_14_WRITTEN,
        ("证券", "股票", "债券", "基金持有"),
        ("securities", "stocks", "shares", "bonds", "shareholding"),
    ),
    Forbidden(
        "insurance",
        Rule.ZJ_14_WRITTEN,
        ("保险", "保单"),
        ("insurance", "insurances"),
        # Months of social insurance are one of the score's published ingredients, amounts are not.
        unless=("social insurance", "社会保险"),
    ),
    Forbidden(
        "real_estate",
        Rule.ZJ_14_WRITTEN,
        ("不动产", "房产", "房屋产权"),
        ("real estate", "realestate", "real property", "house ownership", "home ownership"),
    ),
    Forbidden(
        "tax_amount",
        Rule.ZJ_14_WRITTEN,
        ("纳税数额", "纳税额", "税额", "缴税金额"),
        ("tax amount", "tax amounts", "taxes paid", "tax paid"),
    ),
    Forbidden(
        "hukou",
        Rule.UNRELATED,
        ("户口", "户籍"),
        ("hukou", "household registration", "place of origin"),
    ),
    Forbidden(
        "education",
        Rule.UNRELATED,
        ("学历", "学位", "教育程度", "文化程度"),
        ("education", "educational", "degree", "diploma", "academic degree"),
    ),
)

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_BREAKS = re.compile(r"[\W_]+")


def forbidden(text: str) -> Forbidden | None:
    """The first forbidden category that `text` (a code, category or column name) names."""
    words = _normal(text)
    return next((row for row in FORBIDDEN if _hits(row, words)), None)


def _normal(text: str) -> str:
    """Words of `text`, lower case, one space between and around: ` blood type `."""
    split = _CAMEL.sub(" ", unicodedata.normalize("NFKC", text))
    return f" {_BREAKS.sub(' ', split).strip().casefold()} "


def _hits(row: Forbidden, words: str) -> bool:
    for phrase in row.unless:
        words = words.replace(phrase, " ")
    # Chinese has no word breaks, so whatever was put between the characters is taken out first.
    unbroken = words.replace(" ", "")
    named = row.category.replace("_", " ")
    return any(f" {word} " in words for word in (named, *row.en)) or any(
        word in unbroken for word in row.zh
    )
