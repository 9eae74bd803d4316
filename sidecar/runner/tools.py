"""What a program sees of the tools: the names tools and ToolError."""

import asyncio
import builtins
import difflib
import json
import pydoc
import struct

from . import imports, rows, values
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
    """What every tool of one execution shares.

    It begins with the tools that the program mentions. About others it asks, if there are
    more, once for each.
    """

    def __init__(self, channel, manifest, value_limit):
        self.asked = False
        about = json.loads(manifest) if manifest else {}
        self.channel = channel
        self.value_limit = value_limit
        self.more = about.get("more", False)
        self.names = {}
        self.tree = {}
        for entry in about.get("tools", ()):
            self.add(entry)

    def add(self, entry):
        *about, streaming = entry
        tool = (StreamingTool if streaming else Tool)(self, *about)
        self.names[entry[0]] = tool
        *path, leaf = entry[5] or [entry[0]]
        place = self.space(path)
        taken = place.get(leaf)
        if isinstance(taken, Namespace):
            taken._tool = tool
        else:
            place[leaf] = tool
        return tool

    def space(self, path):
        """The members of a namespace, which is made if it is new."""
        place = self.tree
        for depth, part in enumerate(path, 1):
            inner = place.get(part)
            if not isinstance(inner, Namespace):
                inner = place[part] = Namespace(self, {}, path[:depth], inner)
            place = inner._members
        return place

    def ask(self, **question):
        """What the application says about its tools."""
        self.asked = True
        kind, payload = self.channel.call(b"\0\0", json.dumps(question).encode())
        if kind == VALUE:
            return values.decode(payload)
        failure = json.loads(payload)
        raise ToolError(failure["message"], "tools", failure["kind"])

    def search(self, query, limit=10, detail="brief"):
        """Find tools by what they do, the best first: a list of texts.

        detail is 'names', 'brief' (a line with the signature) or 'full' (the stub).
        """
        if not self.more:
            found = [name for name in sorted(self.names) if str(query).lower() in name.lower()]
            return Found(found[:limit])
        return Found(self.ask(ask="search", query=str(query), limit=int(limit), detail=str(detail)))

    def resolve(self, paths):
        """Learn where paths lead: for each how far, and what may be meant instead."""
        answers = self.ask(ask="resolve", paths=paths)
        for path, answer in zip(paths, answers):
            if answer["tool"] and answer["tool"][0] not in self.names:
                self.add(answer["tool"])
            if answer["space"] and not isinstance(path, str):
                self.space(path[: answer["depth"]])
        return answers

    def member(self, path, name):
        """What stands behind a name in a namespace."""
        place = self.space(path)
        if name in place:
            return place[name]
        near = None
        if self.more:
            (answer,) = self.resolve([[*path, name]])
            if name in place:
                return place[name]
            near = answer.get("near", [])
        where = ".".join(["tools", *path])
        if near:
            raise unknown(name, "did you mean " + " or ".join(f"tools.{n}" for n in near) + "?")
        raise self.unknown(name, self.members(path), where)

    def named(self, name):
        """The tool of a registered name, or None; and names that are like it."""
        tool = self.names.get(name)
        if tool is None and self.more and isinstance(name, str):
            (answer,) = self.resolve([name])
            return self.names.get(name), answer.get("near") or []
        return tool, []

    def members(self, path):
        if self.more:
            return self.ask(ask="members", path=[*path])
        return sorted(self.space(path))

    def all_names(self):
        return self.ask(ask="names") if self.more else sorted(self.names)

    def unknown(self, name, known, where="tools", what="tool"):
        near = difflib.get_close_matches(str(name), known, 3, 0.5)
        if near:
            hint = "did you mean " + " or ".join(f"{where}.{n}" for n in near) + "?"
        elif known:
            hint = "there are: " + _listed(known)
            if self.more:
                hint += "; tools.search('words') finds them by what they do"
        else:
            hint = f"no {what}s are registered"
        return unknown(name, hint, what)


def unknown(name, hint, what="tool"):
    return UnknownToolError(f"there is no {what} {name!r}; {hint}", str(name), "unknown_tool")


def _listed(names, limit=20):
    shown = sorted(names)[:limit]
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return ", ".join(shown) + more


class Found(list):
    """What a search found, a text for each tool; printed, a line each."""

    def __str__(self):
        return "\n".join(self) or "no tool fits"


class Tools:
    """All tools: tools.name(...), tools['name'].run(...), await tools.name.arun(...)."""

    __name__, __path__, __spec__ = "tools", (), None  # what import asks of a package

    def __init__(self, connect):
        self._connect = connect
        self._connection = None
        imports.forget()  # those of a session's program before

    def _connected(self):
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        connection = self._connection or self._connected()
        if name in connection.tree:
            return connection.tree[name]
        if name in connection.names:
            return connection.names[name]
        if name == "search":  # a tool of the name goes first
            return connection.search
        return connection.member((), name)

    def __getitem__(self, name):
        connection = self._connected()
        found, near = connection.named(name)
        found = found or connection.tree.get(name)
        if found is None and near:
            raise unknown(name, "did you mean " + " or ".join(map(repr, near)) + "?")
        if found is None:
            raise connection.unknown(name, connection.all_names())
        return found

    def __contains__(self, name):
        return self._connected().named(name)[0] is not None

    def __iter__(self):
        return iter(self._connected().all_names())

    def __len__(self):
        return len(self._connected().all_names())

    def __dir__(self):
        return self._connected().members(())

    __all__ = property(__dir__)

    def __repr__(self):
        return f"<tools: {_listed(dir(self)) or 'none'}>"


class Agents:
    """The namespace agents of tools: agents.name(...), agents['name'].run(...)."""

    _namespace = "agents"

    def __init__(self, tools):
        self._tools = tools

    def _names(self):
        prefix = self._namespace + "."
        names = self._tools._connected().all_names()
        return [name[len(prefix) :] for name in names if name.startswith(prefix)]

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        connection = self._tools._connected()
        place = connection.tree.get(self._namespace)
        if not isinstance(place, Namespace) or name not in place._members:
            if connection.more:
                connection.resolve([[self._namespace, name]])
                place = connection.tree.get(self._namespace)
        if isinstance(place, Namespace) and name in place._members:
            return place._members[name]
        return self[name]

    def __getitem__(self, name):
        connection = self._tools._connected()
        found, _ = connection.named(f"{self._namespace}.{name}")
        if found is None:
            raise connection.unknown(name, self._names(), "agents", "agent")
        return found

    def __contains__(self, name):
        return self._tools._connected().named(f"{self._namespace}.{name}")[0] is not None

    def __iter__(self):
        return iter(sorted(self._names()))

    def __len__(self):
        return len(self._names())

    def __dir__(self):
        return self._tools._connected().members((self._namespace,))

    def __repr__(self):
        return f"<agents: {_listed(dir(self)) or 'none'}>"


class Namespace:
    """Tools whose names share what stands before a dot."""

    __path__, __spec__ = (), None

    def __init__(self, connection, members, path, tool=None):
        self._connection = connection
        self._members = members
        self._path = path
        self._tool = tool  # a tool may have the name of a namespace

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        if name not in self._members and self._tool is not None and hasattr(self._tool, name):
            return getattr(self._tool, name)
        return self._connection.member(self._path, name)

    def __getitem__(self, name):
        return getattr(self, name)

    def __call__(self, /, *args, **kwargs):
        if self._tool is None:
            raise TypeError(f"{self.__name__} holds several tools: {_listed(dir(self))}")
        return self._tool(*args, **kwargs)

    def __contains__(self, name):
        return name in self._members or name in self._connection.members(self._path)

    def __iter__(self):
        return iter(self._connection.members(self._path))

    def __len__(self):
        return len(self._connection.members(self._path))

    def __dir__(self):
        return self._connection.members(self._path)

    __all__ = property(__dir__)

    def __repr__(self):
        return f"<{self.__name__}: {_listed(dir(self))}>"

    @property
    def __name__(self):
        return ".".join(["tools", *self._path])


class Tool:
    def __init__(self, connection, name, parameters, required, extra, stub, path=None):
        self._connection = connection
        self._parameters = parameters  # [[schema name, Python name], ...], in order
        self._required = required
        self._extra = extra
        self._frame_name = None
        self.__name__ = path[-1] if path else name
        self.__qualname__ = name
        self._stub = stub

    def __call__(self, /, *args, **kwargs):
        return self._outcome(*self._connection.channel.call(*self._payload(args, kwargs)))

    run = __call__

    @property
    def __doc__(self):
        if not self._stub and self._connection.more:
            self._stub = self._connection.ask(ask="stub", name=self.__qualname__)
        return self._stub or None

    async def arun(self, /, *args, **kwargs):
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
        bound = {name: value for (name, _), value in zip(parameters, args)}
        for spelled, value in kwargs.items():
            name = self._schema_name(spelled)
            if name is None or name in bound:
                raise self._wrong(len(args), kwargs)
            bound[name] = value
        if len(args) > len(parameters) or not all(name in bound for name in self._required):
            raise self._wrong(len(args), kwargs)
        return bound

    def _schema_name(self, spelled):
        for name, python in self._parameters:
            if spelled == python or spelled == name:
                return name
        return spelled if self._extra else None

    def _wrong(self, positional, keywords):
        what = " and ".join(self.misfits(positional, keywords, False))
        return ToolArgumentError(what, self.__qualname__, "invalid_arguments")

    def misfits(self, positional, keywords, unpacked):
        """What is wrong with the arguments of a call, by their number and names.

        Of a call that unpacks some, None among the names, less can be said.
        """
        known = [python for _, python in self._parameters]
        wrong = []
        if positional > len(known) and not unpacked:
            wrong.append(
                f"takes {len(known)} positional argument{'s' * (len(known) != 1)}"
                f" but {positional} {'was' if positional == 1 else 'were'} given"
            )
        given = set() if unpacked else {name for name, _ in self._parameters[:positional]}
        for spelled in filter(None, keywords):
            name = self._schema_name(spelled)
            if name is None:
                near = difflib.get_close_matches(spelled, known, 1, 0.6)
                takes = "it takes " + ", ".join(map(repr, known)) if known else "it takes no arguments"
                hint = f"did you mean {near[0]!r}?" if near else takes
                wrong.append(f"got an unexpected argument {spelled!r}; {hint}")
            elif name in given:
                wrong.append(f"got multiple values for argument {spelled!r}")
            given.add(name)
        missing = [python for name, python in self._parameters if name in self._required and name not in given]
        if missing and not unpacked:
            listed = ", ".join(map(repr, missing))
            wrong.append(f"is missing the required argument{'s' * (len(missing) > 1)} {listed}")
        return [f"{self.__name__}() {what}" for what in wrong]


_MAX_HELP = 200


class StreamingTool(Tool):
    """A tool that gives rows: calling it gives an iterator over them."""

    def __call__(self, /, *args, **kwargs):
        return rows.Rows(self, self._payload(args, kwargs))

    run = __call__

    def arun(self, /, *args, **kwargs):
        return rows.AsyncRows(self, self._payload(args, kwargs), asyncio.get_running_loop())


def help(thing=None):
    """The built-in help(), which for a tool prints its stub."""
    if isinstance(thing, Namespace) and thing._tool is not None:
        thing = thing._tool
    if isinstance(thing, Tool):
        print(thing.__doc__ or repr(thing))
    elif isinstance(thing, (Tools, Namespace)):
        names = dir(thing)
        print("\n".join(names[:_MAX_HELP]))
        if len(names) > _MAX_HELP:
            print(f"and {len(names) - _MAX_HELP} more; tools.search('words') finds tools by what they do")
    elif thing is None:
        print("help(tools) lists the tools; help(tools.name) shows one; tools.search('words') finds some.")
    else:
        print(pydoc.plain(pydoc.render_doc(thing)))


def install():
    """Make what is taught without an import known everywhere, as built-in names are."""
    builtins.asyncio = asyncio
    builtins.ToolError = ToolError
    builtins.ToolArgumentError = ToolArgumentError
    builtins.UnknownToolError = UnknownToolError
    builtins.help = help
    imports.install(Tools, Namespace)
