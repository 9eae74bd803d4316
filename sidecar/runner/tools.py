"""What a program sees of the tools: the names tools and ToolError."""

import asyncio
import builtins
import difflib
import json
import pydoc
import struct

from . import rows, values
from .channel import VALUE


class ToolError(Exception):
    """A tool call that failed.

    tool is the tool's name, kind says what went wrong in one word, message says it in
    a sentence.
    """

    def __init__(self, message, tool="", kind="failed"):
        super().__init__(message)
        self.message = message
        self.tool = tool
        self.kind = kind

    def __str__(self):
        return self.message

    def __reduce__(self):
        return type(self), (self.message, self.tool, self.kind)


class ToolArgumentError(ToolError, TypeError):
    """The arguments do not fit the tool; the tool has not run."""


class UnknownToolError(ToolError, AttributeError, LookupError):
    """There is no such tool."""


for _error in (ToolError, ToolArgumentError, UnknownToolError):
    _error.__module__ = "builtins"  # as a traceback should name it


class Connection:
    """What every tool of one execution shares."""

    def __init__(self, channel, manifest, value_limit):
        self.channel = channel
        self.value_limit = value_limit
        self.names = {}
        self.tree = {}
        for entry in json.loads(manifest) if manifest else ():
            *about, streaming = entry
            tool = (StreamingTool if streaming else Tool)(self, *about)
            self.names[entry[0]] = tool
            place = self.tree
            *path, leaf = entry[5] or [entry[0]]
            for part in path:
                inner = place.get(part)
                if not isinstance(inner, Namespace):
                    inner = place[part] = Namespace(self, {}, part, inner)
                place = inner._members
            taken = place.get(leaf)
            if isinstance(taken, Namespace):
                taken._tool = tool
            else:
                place[leaf] = tool

    def unknown(self, name, known, where="tools", what="tool"):
        near = difflib.get_close_matches(str(name), known, 3, 0.5)
        if near:
            hint = "did you mean " + " or ".join(f"{where}.{n}" for n in near) + "?"
        elif known:
            shown = sorted(known)[:20]
            more = f" and {len(known) - len(shown)} more" if len(known) > len(shown) else ""
            hint = "there are: " + ", ".join(shown) + more
        else:
            hint = f"no {what}s are registered"
        return UnknownToolError(f"there is no {what} {name!r}; {hint}", str(name), "unknown_tool")


class Tools:
    """All tools: tools.name(...), tools['name'].run(...), await tools.name.arun(...)."""

    def __init__(self, connect):
        self._connect = connect
        self._connection = None

    def _connected(self):
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        connection = self._connected()
        try:
            return connection.tree[name]
        except KeyError:
            pass
        if name in connection.names:
            return connection.names[name]
        raise connection.unknown(name, connection.tree.keys())

    def __getitem__(self, name):
        connection = self._connected()
        found = connection.names.get(name) or connection.tree.get(name)
        if found is None:
            raise connection.unknown(name, connection.names.keys())
        return found

    def __contains__(self, name):
        return name in self._connected().names

    def __iter__(self):
        return iter(sorted(self._connected().names))

    def __len__(self):
        return len(self._connected().names)

    def __dir__(self):
        return sorted(self._connected().tree)

    def __repr__(self):
        return f"<tools: {', '.join(dir(self)) or 'none'}>"


class Agents:
    """The namespace agents of tools: agents.name(...), agents['name'].run(...)."""

    _namespace = "agents"

    def __init__(self, tools):
        self._tools = tools

    def _known(self):
        prefix = self._namespace + "."
        names = self._tools._connected().names
        return {name[len(prefix) :]: tool for name, tool in names.items() if name.startswith(prefix)}

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        connection = self._tools._connected()
        namespace = connection.tree.get(self._namespace)
        if isinstance(namespace, Namespace) and name in namespace._members:
            return namespace._members[name]
        return self[name]

    def __getitem__(self, name):
        known = self._known()
        try:
            return known[name]
        except KeyError:
            raise self._tools._connected().unknown(name, known.keys(), "agents", "agent") from None

    def __contains__(self, name):
        return name in self._known()

    def __iter__(self):
        return iter(sorted(self._known()))

    def __len__(self):
        return len(self._known())

    def __dir__(self):
        namespace = self._tools._connected().tree.get(self._namespace)
        return dir(namespace) if isinstance(namespace, Namespace) else []

    def __repr__(self):
        return f"<agents: {', '.join(dir(self)) or 'none'}>"


class Namespace:
    """Tools whose names share what stands before a dot."""

    def __init__(self, connection, members, name, tool=None):
        self._connection = connection
        self._members = members
        self._name = name
        self._tool = tool  # a tool may have the name of a namespace

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self._members[name]
        except KeyError:
            pass
        if self._tool is not None and hasattr(self._tool, name):
            return getattr(self._tool, name)
        raise self._connection.unknown(name, self._members.keys(), f"tools.{self._name}")

    def __getitem__(self, name):
        return getattr(self, name)

    def __call__(self, *args, **kwargs):
        if self._tool is None:
            raise TypeError(
                f"tools.{self._name} holds several tools: {', '.join(sorted(self._members))}"
            )
        return self._tool(*args, **kwargs)

    def __dir__(self):
        return sorted(self._members)

    def __repr__(self):
        return f"<tools.{self._name}: {', '.join(dir(self))}>"


class Tool:
    """One tool."""

    def __init__(self, connection, name, parameters, required, extra, stub, path=None):
        self._connection = connection
        self._parameters = parameters  # [[schema name, Python name], ...], in order
        self._required = required
        self._extra = extra
        self._frame_name = None
        self.__name__ = path[-1] if path else name
        self.__qualname__ = name
        self.__doc__ = stub or None

    def __call__(self, *args, **kwargs):
        return self._outcome(*self._connection.channel.call(*self._payload(args, kwargs)))

    run = __call__

    async def arun(self, *args, **kwargs):
        payload = self._payload(args, kwargs)
        return self._outcome(*await self._connection.channel.call_async(*payload))

    def __repr__(self):
        names = ", ".join(python for _, python in self._parameters)
        return f"<tool {self.__qualname__}({names})>"

    def _outcome(self, kind, payload):
        if kind == VALUE:
            return values.decode(payload)
        raise self._error(payload)

    def _error(self, payload):
        failure = json.loads(payload)
        error = ToolArgumentError if failure["kind"] == "invalid_arguments" else ToolError
        return error(failure["message"], self.__qualname__, failure["kind"])

    def _payload(self, args, kwargs):
        """The name and the arguments as a call carries them."""
        if self._frame_name is None:
            name = self.__qualname__.encode()
            self._frame_name = struct.pack("<H", len(name)) + name
        arguments = self._bind(args, kwargs)
        try:
            data = values.encode(arguments, self.__name__, self._connection.value_limit)
        except values.TooLarge as error:
            raise ToolArgumentError(
                f"the arguments are too large: {error}", self.__qualname__, "too_large"
            ) from None
        return self._frame_name, data

    def _bind(self, args, kwargs):
        """The arguments by the names of the schema, or the error Python would raise."""
        parameters = self._parameters
        bound = {}
        if len(args) > len(parameters):
            raise self._wrong(
                f"takes {len(parameters)} positional argument{'' if len(parameters) == 1 else 's'}"
                f" but {len(args)} {'was' if len(args) == 1 else 'were'} given"
            )
        for (name, _), value in zip(parameters, args):
            bound[name] = value
        for spelled, value in kwargs.items():
            name = self._schema_name(spelled)
            if name in bound:
                raise self._wrong(f"got multiple values for argument {spelled!r}")
            bound[name] = value
        missing = [
            python or name
            for (name, python) in parameters
            if name in self._required and name not in bound
        ]
        if missing:
            listed = ", ".join(map(repr, missing))
            raise self._wrong(f"is missing the required argument{'s' * (len(missing) > 1)} {listed}")
        return bound

    def _schema_name(self, spelled):
        for name, python in self._parameters:
            if spelled == python or spelled == name:
                return name
        if self._extra:
            return spelled
        known = [python for _, python in self._parameters]
        near = difflib.get_close_matches(spelled, known, 1, 0.6)
        if near:
            hint = f"did you mean {near[0]!r}?"
        else:
            hint = "it takes " + ", ".join(map(repr, known)) if known else "it takes no arguments"
        raise self._wrong(f"got an unexpected argument {spelled!r}; {hint}")

    def _wrong(self, what):
        return ToolArgumentError(
            f"{self.__name__}() {what}", self.__qualname__, "invalid_arguments"
        )


class StreamingTool(Tool):
    """A tool that gives rows: calling it gives an iterator over them."""

    def __call__(self, *args, **kwargs):
        return rows.Rows(self, self._payload(args, kwargs))

    run = __call__

    def arun(self, *args, **kwargs):
        return rows.AsyncRows(self, self._payload(args, kwargs), asyncio.get_running_loop())


def help(thing=None):
    """The built-in help(), which for a tool prints its stub."""
    if isinstance(thing, Namespace) and thing._tool is not None:
        thing = thing._tool
    if isinstance(thing, Tool):
        print(thing.__doc__ or repr(thing))
    elif isinstance(thing, (Tools, Namespace)):
        print("\n".join(dir(thing)))
    elif thing is None:
        print("help(tools) lists the tools; help(tools.name) shows one.")
    else:
        print(pydoc.plain(pydoc.render_doc(thing)))


def install():
    """Make ToolError and help known everywhere, as built-in names are."""
    builtins.ToolError = ToolError
    builtins.ToolArgumentError = ToolArgumentError
    builtins.UnknownToolError = UnknownToolError
    builtins.help = help
