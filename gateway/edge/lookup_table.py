"""A line of "who asked about me" as a row of a table, in the reader's language."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

from gateway.clock import SHANGHAI
from gateway.edge.lookup_lines import (
    AssistedService,
    Line,
    PartyQuestion,
    PartySearch,
    SearchedScenario,
    StaffAccess,
)

Language = Literal["zh", "en"]
Words = dict[str, dict[Language, str]]

_COLUMNS: Final[Words] = {
    "at": {"zh": "时间（北京时间）", "en": "Time (Beijing)"},
    "kind": {"zh": "事项", "en": "What"},
    "party": {"zh": "查询方", "en": "Asked by"},
    "scenario": {"zh": "场景", "en": "Scenario"},
    "outcome": {"zh": "结果", "en": "Outcome"},
    "delivered": {"zh": "已送达", "en": "Delivered"},
    "staff": {"zh": "经办人", "en": "Staff"},
    "purpose": {"zh": "目的", "en": "Purpose"},
    "reference": {"zh": "对方编号", "en": "Their reference"},
    "id": {"zh": "记录编号", "en": "Record"},
}

_KINDS: Final[Words] = {
    "question": {"zh": "查询", "en": "question"},
    "search": {"zh": "检索可用场景", "en": "search for what is open"},
    "staff": {"zh": "工作人员操作", "en": "act of staff"},
    "assisted": {"zh": "柜台代办", "en": "assisted service"},
}

_OUTCOMES: Final[Words] = {
    "eligible": {"zh": "可以享受", "en": "open to you"},
    "standard_path": {"zh": "按普通方式办理", "en": "the ordinary way"},
    "cannot_assess": {"zh": "信息不足", "en": "not enough information"},
}

_YES_NO: Final[dict[bool, dict[Language, str]]] = {
    True: {"zh": "是", "en": "yes"},
    False: {"zh": "否", "en": "no"},
}


def head(language: Language) -> list[str]:
    """The columns' names."""
    return [words[language] for words in _COLUMNS.values()]


def row(line: Line, language: Language) -> list[str]:
    """The line's cells, one for each column."""
    cells = {"at": _local(line.at)} | _cells(line, language)
    return [cells.get(column, "") for column in _COLUMNS]


def _cells(line: Line, language: Language) -> dict[str, str]:
    match line:
        case StaffAccess():
            return {
                "kind": f"{_KINDS['staff'][language]}: {line.action}",
                "staff": line.staff,
                "purpose": line.purpose,
                "id": str(line.access_id),
            }
        case AssistedService():
            return {
                "kind": f"{_KINDS['assisted'][language]}: {line.act}",
                "party": line.party,
                "scenario": line.title if language == "zh" else line.title_en,
                "staff": f"{line.staff} ({line.place})",
                "purpose": line.purpose,
                "reference": line.receipt_no or "",
                "id": str(line.act_id),
            }
        case PartySearch():
            found = [each for each in line.scenarios if each.eligible]
            return _asked(line, "search", language) | {
                "scenario": _titles(line.scenarios, language),
                "outcome": f"{_OUTCOMES['eligible'][language]}: {_titles(found, language)}",
                "id": str(line.search_id),
            }
    return _asked(line, "question", language) | {
        "scenario": line.title if language == "zh" else line.title_en,
        "outcome": _OUTCOMES[line.outcome][language],
        "id": str(line.decision_id),
    }


def _asked(line: PartyQuestion | PartySearch, kind: str, language: Language) -> dict[str, str]:
    return {
        "kind": _KINDS[kind][language],
        "party": line.party,
        "delivered": _YES_NO[line.delivered][language],
        "staff": line.staff or "",
        "reference": line.reference or "",
    }


def _titles(
    scenarios: list[SearchedScenario] | tuple[SearchedScenario, ...], language: Language
) -> str:
    titles = [each.title if language == "zh" else each.title_en for each in scenarios]
    return "; ".join(titles) or "-"


def _local(at: str) -> str:
    moment = datetime.fromisoformat(at).astimezone(SHANGHAI)
    return moment.strftime("%Y-%m-%d %H:%M:%S")
