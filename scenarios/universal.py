"""The clauses that every scenario asks first, whatever its manifest says."""

from __future__ import annotations

import msgspec

from scenarios.contract import Outcome, Values


class ClauseInfo(msgspec.Struct, frozen=True):
    """A clause in words for the citizen: what it asks, and what would help if it is not met."""

    id: str
    zh: str
    en: str
    help_zh: str
    help_en: str
    fails: Outcome


_STANDARD = Outcome.STANDARD_PATH

#: In the order of their bits in `Verdict.met`. The last one is about the party and the gateway.
#: Whoever changes them raises `COMPILER_VERSION`, and says in `universal_of` what was before:
#: answers that are on record are read by the clauses of their own time.
UNIVERSAL = (
    ClauseInfo(
        "known",
        "您已开通钱江分，并且保留着账户。",
        "You use the Qianjiang score and have kept your account.",
        "您随时可以自愿开通；不开通也不影响任何服务，按普通方式办理即可。",
        "You may join at any time, freely; without it every service stays open the ordinary way.",
        _STANDARD,
    ),
    ClauseInfo(
        "consent",
        "您已同意该机构为这一场景查询，同意在有效期内且没有暂停或撤回。",
        "You have allowed this organisation to ask for this scenario, and the consent is in force.",
        "愿意用就在场景页面开通；不同意就按普通方式办理。",
        "If you wish, enable it on the page of the benefit; otherwise the ordinary way applies.",
        _STANDARD,
    ),
    ClauseInfo(
        "used_up",
        "今天的查询没有超过这份同意里约定的次数。",
        "Today's questions are within the number a day that the consent allows.",
        "明天会重新计数；次数也可以由您自己修改。",
        "The count starts anew tomorrow; you may also change the number yourself.",
        _STANDARD,
    ),
    ClauseInfo(
        "probed",
        "该机构今天没有用过多不同的数额反复试探。",
        "This organisation has not tried too many different amounts today.",
        "这不是您的问题，是对您的保护；明天自动恢复，今天可按普通方式办理。",
        "This is no fault of yours, it protects you; it ends tomorrow, today use the ordinary way.",
        _STANDARD,
    ),
    ClauseInfo(
        "suspended",
        "您在这一场景的快捷通道没有暂停。",
        "Your fast lane in this scenario is not suspended.",
        "结清这一场景的未结事项后立即恢复；其他场景和基本服务不受影响。",
        "It reopens at once when the open matter is settled; nothing else is affected by it.",
        _STANDARD,
    ),
    ClauseInfo(
        "objected",
        "没有与这一场景有关、尚在处理的异议。",
        "No objection that concerns this scenario is still being handled.",
        "异议办结后自动恢复；您可以在小程序里查看进度。",
        "It resumes by itself when the objection is decided; the app shows how far it is.",
        _STANDARD,
    ),
    ClauseInfo(
        "recognised",
        "您是本市市民；或者您的家乡城市在这一场景为您互认，并且它的最新消息没有过时。",
        "You are of this city; or your home city recognises you for this, and its word is fresh.",
        "可以从互认页面重新开始一次访问；在此之前按普通方式办理即可，其他一切不受影响。",
        "You may begin the visit anew; until then the ordinary way applies, as it does anywhere.",
        _STANDARD,
    ),
    ClauseInfo(
        "inputs",
        "该机构提供了所需的信息，城市的参数和日历也覆盖当天。",
        "The organisation sent what the rule needs, and the city's figures cover the day.",
        "这与您无关；请该机构补充信息后再问一次。",
        "This does not concern you; the organisation may complete its question and ask again.",
        Outcome.CANNOT_ASSESS,
    ),
)

#: The bit of the clause on the question itself, and the number of bits that come before it.
INPUTS = 1 << (len(UNIVERSAL) - 1)


#: The bit of the clause that only a visitor can miss.
RECOGNISED = 1 << next(bit for bit, each in enumerate(UNIVERSAL) if each.id == "recognised")

#: Since which version of the compiler visitors are asked about.
_VISITORS_SINCE = 2


def universal_of(compiler: int) -> tuple[ClauseInfo, ...]:
    """The universal clauses of the rules of a version of the compiler, in order of their bits."""
    if compiler >= _VISITORS_SINCE:
        return UNIVERSAL
    return tuple(clause for clause in UNIVERSAL if clause.id != "recognised")


def met_bits(values: Values) -> int:
    """The bits of the universal clauses about the citizen; every one is looked at, always."""
    return (
        values.known
        | values.consent << 1
        | (not values.used_up) << 2
        | (not values.probed) << 3
        | (not values.suspended) << 4
        | (not values.objected) << 5
        | values.recognised << 6
    )
