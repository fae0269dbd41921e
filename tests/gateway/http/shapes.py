"""JSON values after the document's schemas: mostly as described, sometimes deliberately not."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Schema = dict[str, Any]
Json = st.SearchStrategy[Any]

#: What no schema asks for, and decoders meet all the same.
JUNK: Json = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(["", "\x00", "'; --", "../..", "%00", "9" * 400, "\u202e", "null", "NaN"]),
    st.sampled_from([-1, 0, 2**31, 2**53, 2**63, 2**64, 10**400, -(2**63)]),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=3),
)

_FORMATS: dict[str, Json] = {
    "uuid": st.uuids().map(str),
    "date": st.dates().map(str),
    "date-time": st.datetimes().map(lambda moment: f"{moment.isoformat()}+08:00"),
}


class Shapes:
    """Strategies for the schemas of one document.

    `known` are values that mean something to the server, by the name of their member: guessing
    cannot find them, and what lies behind them would never be met.
    """

    def __init__(self, document: Schema, known: dict[str, str]) -> None:
        self._schemas = document["components"]["schemas"]
        self._known = known

    def near(self, schema: Schema) -> Json:
        """Values of a schema, with junk in some places."""
        return st.one_of(self.of(schema), self.of(schema), self._spoilt(schema))

    def of(self, schema: Schema) -> Json:
        """Values of a schema."""
        if "$ref" in schema:
            return st.deferred(lambda: self.of(self._schemas[schema["$ref"].rpartition("/")[2]]))
        if "enum" in schema:
            return st.sampled_from(schema["enum"])
        if "const" in schema:
            return st.just(schema["const"])
        if choices := schema.get("oneOf", schema.get("anyOf")):
            # What stands beside the choice bounds each of them.
            rest = {name: value for name, value in schema.items() if name not in _CHOICES}
            return st.one_of([self.of(rest | choice) for choice in choices])
        kinds = schema.get("type", "")
        return st.one_of(
            [self._typed(kind, schema) for kind in ([kinds] if isinstance(kinds, str) else kinds)]
        )

    def _typed(self, kind: str, schema: Schema) -> Json:
        match kind:
            case "object":
                return self._object(schema, {})
            case "array":
                return st.lists(self.of(schema.get("items", {})), max_size=3)
            case "string":
                return _text(schema)
            case "integer":
                return st.integers(schema.get("minimum"), schema.get("maximum"))
            case "number":
                return st.floats(allow_nan=False, allow_infinity=False)
            case "boolean":
                return st.booleans()
            case "null":
                return st.none()
        return JUNK

    def _object(self, schema: Schema, spoilt: dict[str, Json]) -> Json:
        members = {
            name: st.just(self._known[name]) if name in self._known else self.of(each)
            for name, each in schema.get("properties", {}).items()
        }
        members |= spoilt
        required = set(schema.get("required", ()))
        return st.fixed_dictionaries(
            {name: value for name, value in members.items() if name in required},
            optional={name: value for name, value in members.items() if name not in required},
        )

    def _spoilt(self, schema: Schema) -> Json:
        """An object with one member of another kind, one too many or one too few; or junk."""
        if "$ref" in schema:
            return self._spoilt(self._schemas[schema["$ref"].rpartition("/")[2]])
        if choices := schema.get("oneOf"):
            return st.one_of([self._spoilt(choice) for choice in choices])
        names = list(schema.get("properties", {}))
        spoilt = [self._object(schema, {name: JUNK}) for name in [*names, "unknown"]]
        fewer = [
            self._object({**schema, "required": [n for n in names if n != name]}, {})
            for name in names
        ]
        return st.one_of([JUNK, *spoilt, *fewer])


_CHOICES = ("oneOf", "anyOf")


def _text(schema: Schema) -> Json:
    if (known := _FORMATS.get(schema.get("format", ""))) is not None:
        return known
    low, high = schema.get("minLength", 0), min(schema.get("maxLength", 60), 600)
    if pattern := schema.get("pattern"):
        # Too short and too long ones stay in: they are the edges of what is described.
        return st.from_regex(pattern.replace("$", "\\Z")).map(
            lambda text: text[:high].ljust(low, text[-1:] or "a")
        )
    return st.text(st.characters(exclude_categories=["Cs"]), min_size=low, max_size=max(low, high))
