"""AuthZEN 1.0 on the wire: its entities, its defaults, and our words in its free objects.

Unknown members are ignored, as the standard asks (Authorization API 1.0, transport). Whether an
entity is whole is looked at where it is used: in a batch, an item may bring what the defaults lack.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from gateway.edge.wire import Label, RequestId
from gateway.errors import Malformed

#: The one type of subject and of resource, and the one action.
CITIZEN, SCENARIO, USE = "citizen", "scenario", "use"

#: Items of one request for evaluations.
ITEMS_MAX = 100

#: The member of `context` that is ours; no scenario may have a fact of this name.
OURS = "qianjiang"


class Entity(msgspec.Struct, frozen=True):
    """A subject (type `citizen`, its id the name that the citizen has at this recipient) or a
    resource (type `scenario`, its id the scenario's). `properties` are ignored."""

    type: str | UnsetType = UNSET
    id: str | UnsetType = UNSET


class Action(msgspec.Struct, frozen=True):
    """What is to be done with the resource: `use` it."""

    name: str | UnsetType = UNSET


class Ours(msgspec.Struct, frozen=True):
    """`context.qianjiang`: the party's own name for the question, who asked, and in which case."""

    request_id: RequestId | None = None
    staff: Label | None = None
    reference: Label | None = None


class Item(msgspec.Struct, frozen=True):
    """One evaluation, or the defaults of several. `context` holds the facts by name."""

    subject: Entity | UnsetType = UNSET
    action: Action | UnsetType = UNSET
    resource: Entity | UnsetType = UNSET
    context: Raw = Raw()


class Options(msgspec.Struct, frozen=True):
    """How evaluations are run."""

    evaluations_semantic: Literal["execute_all", "deny_on_first_deny", "permit_on_first_permit"] = (
        "execute_all"
    )


class Evaluations(Item, frozen=True):
    """Several evaluations, with defaults."""

    evaluations: Annotated[list[Item], Meta(max_length=ITEMS_MAX)] = []
    options: Options = Options()


class LooseEvaluations(Item, frozen=True):
    """The same where an item may be malformed: each is decoded by itself."""

    evaluations: Annotated[list[Raw], Meta(max_length=ITEMS_MAX)] = []
    options: Options = Options()


class Asked(msgspec.Struct, frozen=True):
    """An evaluation whose entities are whole. `context` is empty where there is none; the two
    JSON Pointers say in which objects the subject and the context stood."""

    subject: str
    scenario: str
    context: Raw
    subject_at: str
    context_at: str


class _Named(NamedTuple):
    """The three entities in force, each with the JSON Pointer of the object that named it."""

    subject: Entity | UnsetType
    action: Action | UnsetType
    resource: Entity | UnsetType
    places: tuple[str, str, str]


_NO_DEFAULTS = Item()


def asked(item: Item, default: Item = _NO_DEFAULTS, where: str = "") -> Asked:
    """An item with its defaults; what it names itself replaces the default as a whole.

    Raises:
        Malformed: a member is missing, or its type is none that there is; by JSON Pointers.
    """
    subject = default.subject if item.subject is UNSET else item.subject
    action = default.action if item.action is UNSET else item.action
    resource = default.resource if item.resource is UNSET else item.resource
    if (
        subject is UNSET
        or action is UNSET
        or resource is UNSET
        or subject.id is UNSET
        or resource.id is UNSET
        or (subject.type, action.name, resource.type) != (CITIZEN, USE, SCENARIO)
    ):
        places = tuple(
            "" if getattr(item, name) is UNSET and getattr(default, name) is not UNSET else where
            for name in ("subject", "action", "resource")
        )
        named = _Named(subject, action, resource, (places[0], places[1], places[2]))
        raise Malformed([*_missing(named), *_foreign(named)])
    subject_at = where if subject is item.subject else ""
    if item.context:
        return Asked(subject.id, resource.id, item.context, subject_at, where)
    return Asked(subject.id, resource.id, default.context, subject_at, "")


def searched(item: Item) -> str | None:
    """The subject of a search for resources; None where nothing can be found: an entity of a type
    that there is not, which for a search is no error.

    Raises:
        Malformed: a member is missing.
    """
    subject, action, resource = item.subject, item.action, item.resource
    # The id of what is searched is not needed, and ignored where it is sent.
    faults = list(_missing(_Named(subject, action, resource, ("", "", ""))))
    faults = [fault for fault in faults if fault[0] != "/resource/id"]
    if faults or subject is UNSET or action is UNSET or resource is UNSET or subject.id is UNSET:
        raise Malformed(faults)
    if (subject.type, action.name, resource.type) != (CITIZEN, USE, SCENARIO):
        return None
    return subject.id


def _missing(named: _Named) -> Iterator[tuple[str, str]]:
    wanted = ("type", "id"), ("name",), ("type", "id")
    for place, name, entity, members in zip(
        named.places, ("subject", "action", "resource"), named[:3], wanted, strict=True
    ):
        if entity is UNSET:
            yield f"{place}/{name}", "a required member is missing"
            continue
        for member in members:
            if getattr(entity, member) is UNSET:
                yield f"{place}/{name}/{member}", "a required member is missing"


def _foreign(named: _Named) -> Iterator[tuple[str, str]]:
    subject, action, resource, (of_subject, of_action, of_resource) = named
    if subject is not UNSET and subject.type not in (CITIZEN, UNSET):
        yield f"{of_subject}/subject/type", f"the only type of subject is {CITIZEN}"
    if action is not UNSET and action.name not in (USE, UNSET):
        yield f"{of_action}/action/name", f"the only action is {USE}"
    if resource is not UNSET and resource.type not in (SCENARIO, UNSET):
        yield f"{of_resource}/resource/type", f"the only type of resource is {SCENARIO}"
