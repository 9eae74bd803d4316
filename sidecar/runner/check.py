"""What can be told to be wrong with a program before any of it runs.

Only what would surely fail is told. What stands in a try, what the program may have bound
to something else, and what it looks up while it runs, is left to show itself.
"""

import ast
import difflib
import importlib.util
import pkgutil
import re
import sys

MAX_PROBLEMS = 20
_MAX_CHAINS = 256

_LINES = re.compile(r"\r\n?|\n")
# Ways to look for a tool, or to put something in its place, that are not followed here.
_TOOLS_IN_MOTION = re.compile(
    r"\b(?:hasattr|setattr|delattr|globals|locals|vars|exec|eval|__dict__|__builtins__|builtins|patch)\b"
    r"|\bin\s+dir\s*\(\s*tools\b|\bsys\s*\.\s*modules\b"
    r"|\bin\s+tools\b(?:\s*\.\s*\w+)*(?!\w|\s*[.(])"  # but not: for row in tools.name(...)
)
# Ways to make a module that is not there when the program starts.
_MODULES_IN_MOTION = re.compile(
    r"\b(?:open|write_text|write_bytes|extractall|unpack_archive|import_module|ModuleType|exec|eval|"
    r"copy|copyfile|move|rename|symlink|meta_path|path_hooks|addsitedir|zipimport)\b"
    r"|\bsys\s*\.\s*(?:path|modules)\b"
)
_NETWORK = {"requests", "httpx", "aiohttp", "urllib3", "boto3", "botocore", "httplib2", "websockets", "grpc"}
_ENDS = (ast.Return, ast.Raise, ast.Continue, ast.Break)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Problems(Exception):
    """All that is wrong with a program; nothing of it has run."""

    def __init__(self, source, found):
        found = sorted(set(found))
        self.found, self.more = found[:MAX_PROBLEMS], len(found) - MAX_PROBLEMS
        self.lines = _LINES.split(source)
        super().__init__("; ".join(self._place(p) + p[4] for p in self.found))

    @staticmethod
    def _place(problem):
        return f"line {problem[0]}, column {problem[1] + 1}: "

    def report(self):
        """As program.describe() shows an exception.

        Problems of one kind have the type that the program would have raised.
        """
        kinds = {problem[5] for problem in self.found}
        kind = kinds.pop() if len(kinds) == 1 else "ProgramProblems"
        text = [f"{kind}: nothing has run, and no tool was called"]
        for problem in self.found:
            line, start, end_line, end, what, _ = problem
            shown = self.lines[line - 1] if line <= len(self.lines) else ""
            text.append(f"  {self._place(problem)}{what}")
            if len(shown) <= 200:
                length = end - start if end_line == line else len(shown) - start
                indent = len(shown) - len(shown.lstrip())
                text.append("    " + shown.strip())
                text.append("    " + " " * (start - indent) + "^" * max(length, 1))
        if self.more > 0:
            text.append(f"  and {self.more} more")
        return {
            "type": kind,
            "message": str(self)[:8192],
            "traceback": "\n".join(text) + "\n",
            "line": self.found[0][0],
        }


def examine(tree, source, connect):
    """Raise Problems if there are any; connect gives the tools' connection."""
    if "tools" not in source and "import" not in source:
        return
    finder = _Finder(source)
    finder.module(tree)
    found = [] if _MODULES_IN_MOTION.search(source) else finder.missing_modules()
    if finder.chains and not finder.bound and not _TOOLS_IN_MOTION.search(source):
        found += finder.wrong_calls(connect())
    if found:
        raise Problems(source, found)


class _Finder:
    """Goes through the statements that mention tools, or import."""

    def __init__(self, source):
        self.source = source
        self.lines = _LINES.split(source)
        self.bound = False  # the name tools may be something else somewhere
        self.chains = []  # (names, node, the call of it or None)
        self.imports = []
        # What a function raises may be caught where it is called.
        self.catches = "except" in source or "suppress" in source

    def module(self, tree):
        mentioned = [n for n, line in enumerate(self.lines, 1) if "tools" in line or "import" in line]
        if not mentioned:
            return
        for node in tree.body:
            first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
            if any(first <= line <= node.end_lineno for line in mentioned):
                self.statement(node, False, True)
            if isinstance(node, _ENDS):
                break

    def block(self, body, guarded):
        for node in body:
            self.statement(node, guarded, False)
            if isinstance(node, _ENDS):
                break

    def statement(self, node, guarded, top):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                itself = isinstance(node, ast.Import) and alias.name == "tools"
                self.bound |= (alias.asname or alias.name) == "tools" and not itself
                path = [getattr(node, "module", "") or "", alias.name]
                head, *names = ".".join(filter(None, path)).split(".")
                if head == "tools" and names and names[-1] != "*" and not getattr(node, "level", 0):
                    self.add(tuple(names), alias, None, guarded)
            if top and not getattr(node, "level", 0):
                self.imports.append(node)
        elif isinstance(node, ast.Try) or type(node).__name__ == "TryStar":
            self.block(node.body, guarded or bool(node.handlers))
            for handler in node.handlers:
                self.bound |= handler.name == "tools"
                self.expression(handler.type, guarded)
                self.block(handler.body, guarded)
            self.block(node.orelse, guarded)
            self.block(node.finalbody, guarded)
        elif isinstance(node, (ast.If, ast.While)):
            self.expression(node.test, guarded)
            known = _constant(node.test)
            if known is not False:
                self.block(node.body, guarded)
            if known is not True:
                self.block(node.orelse, guarded)
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            for item in node.items:
                self.expression(item.context_expr, guarded)
                self.expression(item.optional_vars, guarded)
            self.block(node.body, True)  # its exit may catch what is raised
        elif isinstance(node, _FUNCTIONS):
            self.bound |= node.name == "tools"
            for part in (*node.decorator_list, node.args, node.returns):
                self.expression(part, guarded)
            called = len(re.findall(rf"\b{re.escape(node.name)}\b", self.source)) > 1
            self.block(node.body, guarded or self.catches or not called)
        elif isinstance(node, ast.ClassDef):
            self.bound |= node.name == "tools"
            for part in (*node.decorator_list, *node.bases, *node.keywords):
                self.expression(part, guarded)
            self.block(node.body, guarded)
        else:
            for child in ast.iter_child_nodes(node):
                self.child(child, guarded)
            if isinstance(node, (ast.Global, ast.Nonlocal)):
                self.bound |= "tools" in node.names

    def child(self, node, guarded):
        if isinstance(node, ast.stmt):
            self.statement(node, guarded, False)
        elif type(node).__name__ == "match_case":
            self.expression(node.pattern, guarded)
            self.expression(node.guard, guarded)
            self.block(node.body, guarded)
        else:
            self.expression(node, guarded)

    def expression(self, node, guarded):
        if node is None:
            return
        kind = type(node)
        if kind is ast.Call:
            names = _chain(node.func)
            if names:
                self.add(names, node.func, node, guarded)
            else:
                self.expression(node.func, guarded)
            for part in (*node.args, *node.keywords):
                self.expression(part, guarded)
            return
        if kind is ast.Attribute or kind is ast.Subscript:
            names = _chain(node)
            if names:
                self.bound |= not isinstance(node.ctx, ast.Load)
                self.add(names, node, None, guarded)
                return
        elif kind is ast.Name:
            self.bound |= node.id == "tools" and not isinstance(node.ctx, ast.Load)
            return
        elif kind is ast.arg:
            self.bound |= node.arg == "tools"
        elif kind is ast.IfExp:
            known = _constant(node.test)
            parts = (node.test, known is not False and node.body, known is not True and node.orelse)
            for part in parts:
                self.expression(part or None, guarded)
            return
        elif kind is ast.BoolOp:
            guarded = guarded or any(_constant(value) is not None for value in node.values)
        elif kind is ast.Lambda:
            guarded = guarded or self.catches
        elif getattr(node, "name", None) == "tools" or getattr(node, "rest", None) == "tools":
            self.bound = True  # captured by a match
        for child in ast.iter_child_nodes(node):
            self.child(child, guarded)

    def add(self, names, node, call, guarded):
        if not guarded and len(self.chains) < _MAX_CHAINS:
            self.chains.append((names, node, call))

    def problem(self, node, what, kind):
        start = self.column(node.lineno, node.col_offset)
        return node.lineno, start, node.end_lineno, self.column(node.end_lineno, node.end_col_offset), what, kind

    def column(self, line, offset):
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        return len(text.encode()[:offset].decode(errors="ignore"))

    def missing_modules(self):
        found = []
        for node in self.imports:
            modules = [node.module] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
            for name in {module.partition(".")[0] for module in modules}:
                if not _importable(name):
                    what = f"there is no module named {name!r} here; {instead(name)}"
                    found.append(self.problem(node, what, "ModuleNotFoundError"))
        return found

    def wrong_calls(self, connection):
        asked = []
        for names, _, _ in self.chains:
            if connection.more and not _follow(connection, names)[0]:
                question = names[0][1:] if names[0].startswith("=") else list(names)
                if question not in asked:
                    asked.append(question)
        near = {}
        if asked:
            for question, answer in zip(asked, connection.resolve(asked)):
                near[str(question)] = answer.get("near") or []
        found = []
        for names, node, call in self.chains:
            known, tool = _follow(connection, names)
            if not known:
                found.append(self.problem(node, _unknown(connection, names, near), "UnknownToolError"))
            elif tool is not None and call is not None:
                if "return_exceptions" in self.source and isinstance(call.func, ast.Attribute) and call.func.attr == "arun":
                    continue
                keywords = [k.arg for k in call.keywords]
                unpacked = None in keywords or any(isinstance(a, ast.Starred) for a in call.args)
                for what in tool.misfits(len(call.args), keywords, unpacked):
                    found.append(self.problem(call, what, "ToolArgumentError"))
        return found


def _chain(node):
    """The names behind tools: ("github", "get_issue"); ("=name",) of tools['name']."""
    names = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
            names.append("=" + node.slice.value)
            node = node.value
    if not isinstance(node, ast.Name) or node.id != "tools" or not names:
        return None
    names = tuple(reversed(names))
    return None if names[0].startswith("__") else names


def _follow(connection, names):
    """Whether names lead somewhere, and the tool that a call of them would call."""
    from .tools import Namespace, Tool

    if names == ("search",) or names[0] == "search" and "search" not in connection.tree:
        return True, None
    first, *rest = names
    if first.startswith("="):
        found = connection.names.get(first[1:]) or connection.tree.get(first[1:])
    else:
        found = connection.tree.get(first) or connection.names.get(first)
    while rest and isinstance(found, Namespace):
        if rest[0].startswith("__"):
            return True, None
        if rest[0] not in found._members and found._tool is not None and hasattr(found._tool, rest[0]):
            found = found._tool
            break
        found = found._members.get(rest.pop(0))
    if isinstance(found, Tool):
        return True, found if rest in ([], ["run"], ["arun"]) else None
    return found is not None, None


def _unknown(connection, names, near):
    if names[0].startswith("="):
        name, question = names[0][1:], names[0][1:]
        meant = [repr(n) for n in near.get(str(question), ())]
    else:
        name = ".".join(n for n in names if n not in ("run", "arun"))
        meant = [f"tools.{n}" for n in near.get(str(list(names)), ())]
    if meant:
        return f"there is no tool {name!r}; did you mean {' or '.join(meant)}?"
    known = connection.all_names() if names[0].startswith("=") else connection.members(())
    return str(connection.unknown(name, known))


def _constant(test):
    """True or False of a test that is always the same, else None."""
    if isinstance(test, ast.Constant):
        return bool(test.value)
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = _constant(test.operand)
        return None if inner is None else not inner
    if isinstance(test, ast.BoolOp):
        values = [_constant(value) for value in test.values]
        decisive = isinstance(test.op, ast.Or)
        if decisive in values:
            return decisive
    name = getattr(test, "id", getattr(test, "attr", None))
    return False if name == "TYPE_CHECKING" else None


def _importable(name):
    if name in sys.modules:
        return True
    try:
        return importlib.util.find_spec(name) is not None
    except Exception:
        return True  # the import itself will say


def instead(name):
    """What there is in place of a module that there is not."""
    if name in _NETWORK:
        return "there is no network: use the tools"
    own = sys.stdlib_module_names
    names = {m.name for m in pkgutil.iter_modules() if m.name not in own and not m.name.startswith("_")}
    names -= {"pip", "setuptools", "wheel", "pkg_resources", "distutils"}
    near = difflib.get_close_matches(name, sorted(names | {n for n in own if not n.startswith("_")}), 3, 0.75)
    if near:
        return f"did you mean {' or '.join(near)}?"
    if not names:
        return "there is the standard library and nothing else"
    listed = sorted(names)[:30]
    return "besides the standard library there are: " + ", ".join(listed) + (", ..." if len(names) > 30 else "")


def complete(error, report):
    """Say in the report of an import that failed while the program ran what examine() says before."""
    if type(error) is ModuleNotFoundError and type(error.name) is str:
        name = error.name.partition(".")[0]
        if name and str(error) == f"No module named {error.name!r}" and not _importable(name):
            report["traceback"] += f"There is no {name} here; {instead(name)}\n"
    return report
