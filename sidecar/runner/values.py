"""The value encoding: JSON as the json module writes it, plus tagged objects.

Every plain value is encoded and decoded by the C accelerator of the json module. What
makes a value plain is checked a container at a time, not an element at a time.
"""

import base64
import dataclasses
import datetime
import decimal
import enum
import json
import os
import sys
import uuid

MAX_DEPTH = 100

_STR = {str}
_SCALARS = frozenset((str, int, float, bool, type(None)))
_CONTAINERS = frozenset((dict, list, tuple))
_MICROSECOND = datetime.timedelta(microseconds=1)

_json = json.JSONEncoder(ensure_ascii=False, check_circular=False, allow_nan=True, separators=(",", ":"))


def _one_shot():
    """_json.encode, without making the encoder of the C accelerator anew for each value."""
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return _json.encode
    chunks = make(None, _json.default, json.encoder.encode_basestring, None, ":", ",", False, False, True)
    return lambda value: "".join(chunks(value, 0))


_sample = [{"a": 1.5}, "b", None]
try:
    _dumps = _one_shot()
    _same = _dumps(_sample) == _json.encode(_sample)
except TypeError:
    _same = False
if not _same:  # an interpreter whose accelerator takes other arguments
    _dumps = _json.encode

_scan = json.JSONDecoder().scan_once


class TooLarge(Exception):
    """The encoded value is over its limit."""


def encode(value, what, limit):
    """Encode value in at most limit bytes. what names it in error messages."""
    if not _plain(value, 0):
        value = _lower(value, what, 0)
    try:
        text = _dumps(value)
    except ValueError:  # an int of more digits than str() converts by default
        digits = sys.get_int_max_str_digits()
        sys.set_int_max_str_digits(0)
        try:
            text = _dumps(value)
        finally:
            sys.set_int_max_str_digits(digits)
    try:
        data = text.encode()
    except UnicodeEncodeError:
        raise TypeError(
            f"cannot send {_surrogate_path(value, what)}: "
            "the string holds half of a surrogate pair, which is not valid Unicode"
        ) from None
    if len(data) > limit:
        raise TooLarge(f"{what} takes {len(data):,} bytes; the limit is {limit:,}")
    return data


def decode(data):
    """Decode what the other side encoded."""
    hook = None
    if b'"$"' in data:
        hook = _untag
    else:
        try:
            text = data.decode()
            value, end = _scan(text, 0)
            if end == len(text):
                return value
        except (StopIteration, ValueError):
            pass  # what is wrong, if it is, json.loads says
    try:
        return json.loads(data, object_hook=hook)
    except ValueError as error:
        if "integer string conversion" not in str(error):
            raise
    digits = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        return json.loads(data, object_hook=hook)
    finally:
        sys.set_int_max_str_digits(digits)


def _plain(value, depth):
    kind = type(value)
    if kind in _SCALARS:
        return True
    if kind is dict:
        if not value:
            return True
        if set(map(type, value)) != _STR or "$" in value:
            return False
        items = value.values()
    elif kind is list or kind is tuple:
        items = value
    else:
        return False
    kinds = set(map(type, items)) - _SCALARS
    if not kinds:
        return True
    if not kinds <= _CONTAINERS or depth >= MAX_DEPTH:
        return False
    return all(type(item) in _SCALARS or _plain(item, depth + 1) for item in items)


def _lower(value, path, depth):
    """Turn value into what JSON has, with tags for the rest; path names it in errors."""
    kind = type(value)
    if kind in _SCALARS:
        return value
    if depth > MAX_DEPTH:
        raise TypeError(
            f"cannot send {path}: it is nested more than {MAX_DEPTH} deep, or contains itself"
        )
    if isinstance(value, dict):
        if set(map(type, value)) <= _STR and "$" not in value:
            return {k: _lower(v, f"{path}[{k!r}]", depth + 1) for k, v in value.items()}
        return _tag(
            "dict",
            [
                [_lower(k, f"a key of {path}", depth + 1), _lower(v, f"{path}[{_short(k)}]", depth + 1)]
                for k, v in value.items()
            ],
        )
    if isinstance(value, enum.Enum):
        return _lower(value.value, path, depth + 1)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _tag("bytes", base64.b64encode(value).decode())
    if isinstance(value, (list, tuple, range, _dict_values, _dict_keys, _dict_items, _deque)):
        return [_lower(v, f"{path}[{i}]", depth + 1) for i, v in enumerate(value)]
    if isinstance(value, (set, frozenset)):
        return _tag("set", [_lower(v, f"a member of {path}", depth + 1) for v in value])
    lower = _SCALAR_FORMS.get(kind)
    if lower is not None:
        return lower(value)
    if hasattr(value, "to_pydatetime"):  # pandas.Timestamp and its like
        if kind.__name__ == "NaTType":
            return None
        return _lower(value.to_pydatetime(), path, depth + 1)
    if isinstance(value, int):
        return int.__index__(value)
    if isinstance(value, float):
        return float.__float__(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        return _lower(fields, path, depth + 1)
    if isinstance(value, os.PathLike):
        return _lower(os.fspath(value), path, depth + 1)
    for base, lower in _SCALAR_FORMS.items():
        if isinstance(value, base):
            return lower(value)
    foreign = _from_library(value)
    if foreign is not value:
        return _lower(foreign, path, depth + 1)
    raise TypeError(
        f"cannot send {path}: a value of type {kind.__name__!r} cannot leave the program. "
        f"Convert it first, for example to a str, dict or list"
    )


def _from_library(value):
    """What numpy and pandas hold, as Python's own types."""
    module = type(value).__module__.partition(".")[0]
    if module == "pandas":
        if hasattr(value, "columns") and hasattr(value, "to_dict"):
            return value.to_dict("records")
        if hasattr(value, "to_dict"):
            return value.to_dict()
        if hasattr(value, "tolist"):
            return value.tolist()
        if type(value).__name__ in ("NAType", "NaTType"):
            return None
    if module == "numpy" and hasattr(value, "tolist"):
        return value.tolist()
    return value


def _tag(kind, payload):
    return {"$": [kind, payload]}


def _surrogate_path(value, path):
    """Where in a lowered value the string is that cannot be encoded."""
    if isinstance(value, str):
        return path
    if isinstance(value, dict):
        items = [(f"a key of {path}", k) for k in value]
        items += [(f"{path}[{_short(k)}]", v) for k, v in value.items()]
    elif isinstance(value, (list, tuple)):
        items = [(f"{path}[{i}]", v) for i, v in enumerate(value)]
    else:
        return None
    for name, item in items:
        try:
            _dumps(item).encode()
        except UnicodeEncodeError:
            return _surrogate_path(item, name)
    return path


def _short(value):
    text = ascii(value)
    return text if len(text) <= 40 else text[:37] + "..."


_dict_values = type({}.values())
_dict_keys = type({}.keys())
_dict_items = type({}.items())
_deque = type(__import__("collections").deque())

_SCALAR_FORMS = {
    decimal.Decimal: lambda v: _tag("decimal", str(v)),
    datetime.datetime: lambda v: _tag("datetime", v.isoformat()),
    datetime.date: lambda v: _tag("date", v.isoformat()),
    datetime.time: lambda v: _tag("time", v.isoformat()),
    datetime.timedelta: lambda v: _tag("timedelta", v // _MICROSECOND),
    uuid.UUID: lambda v: _tag("uuid", str(v)),
    complex: lambda v: _tag("complex", [v.real, v.imag]),
}

_FORMS = {
    "bytes": base64.b64decode,
    "decimal": decimal.Decimal,
    "datetime": datetime.datetime.fromisoformat,
    "date": datetime.date.fromisoformat,
    "time": datetime.time.fromisoformat,
    "timedelta": lambda v: datetime.timedelta(microseconds=v),
    "uuid": uuid.UUID,
    "complex": lambda v: complex(*v),
    "set": lambda v: set(map(_hashable, v)),
    "dict": lambda v: {_hashable(key): item for key, item in v},
}


def _hashable(value):
    """A member of a set or a key: a tuple has come back as a list, a frozenset as a set."""
    if isinstance(value, list):
        return tuple(map(_hashable, value))
    return frozenset(value) if isinstance(value, set) else value


def _untag(found):
    if len(found) != 1 or "$" not in found:
        return found
    kind, payload = found["$"]
    return _FORMS[kind](payload)
