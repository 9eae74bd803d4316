"""Compiling and running one program, and telling what became of it."""

import ast
import asyncio
import atexit
import collections
import inspect
import itertools
import linecache
import marshal
import sys
import threading
import traceback
import types

FILE = "program.py"  # as a traceback names it; each further program of a session has its own
_files = collections.deque([FILE], 100)  # those whose source is kept
_numbers = itertools.count(2)
_AWAIT = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
_MAX_MESSAGE = 8 << 10
_MAX_TRACEBACK = 32 << 10
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


class Deadline(BaseException):
    """Raised inside the program when its time is up."""

    __module__, __qualname__ = "builtins", "Timeout"  # as a traceback should name it


class Program:
    """One source text, compiled: body is run first, then last, whose value counts.

    examine gets the tree and the source first, and may raise.
    """

    def __init__(self, source, examine=None):
        lines = source.splitlines(True)
        linecache.cache[FILE] = (len(source), None, lines, FILE)
        if "\0" in source:  # what older versions call a ValueError
            line = source[: source.index("\0")].count("\n") + 1
            raise SyntaxError("source code cannot contain null bytes", (FILE, line, 1, None))
        tree = ast.parse(source, FILE)
        if examine is not None:
            examine(tree, source)
        self.body = self.last = None
        if _returns(tree.body):
            self.body = _as_function(tree)
            return
        last = None
        if tree.body and isinstance(tree.body[-1], ast.Expr):
            last = ast.Expression(tree.body.pop().value)
        self.body = compile(tree, FILE, "exec", flags=_AWAIT, dont_inherit=True)
        if last is not None:
            future = self.body.co_flags & _FUTURE_FLAGS
            self.last = compile(last, FILE, "eval", flags=_AWAIT | future, dont_inherit=True)

    @classmethod
    def load(cls, source, code):
        """A program that was compiled before, by dump()."""
        self = cls.__new__(cls)
        linecache.cache[FILE] = (len(source), None, source.splitlines(True), FILE)
        self.body, self.last = marshal.loads(code)
        return self

    def dump(self):
        return marshal.dumps((self.body, self.last))

    def run(self, names):
        """Run in the namespace names; gives the result."""
        before = names.get("result", _ABSENT)
        awaits = inspect.CO_COROUTINE
        if self.body.co_flags & awaits or (self.last and self.last.co_flags & awaits):
            value = _run_async(self._run_async(names))
        else:
            value = self._function(names)() if self.last is None else self._run_sync(names)
        if value is not None:
            return value
        result = names.get("result")
        # What an earlier program of a session left there is no result of this one.
        return None if result is before and not self._binds_result() else result

    def _binds_result(self):
        tree = ast.parse("".join(linecache.getlines(FILE)))
        return any(
            isinstance(node, ast.Name) and node.id == "result" and isinstance(node.ctx, ast.Store)
            for node in ast.walk(tree)
        )

    def _function(self, names):
        return types.FunctionType(self.body, names)

    def _run_sync(self, names):
        exec(self.body, names)
        return eval(self.last, names)

    async def _run_async(self, names):
        for code in filter(None, (self.body, self.last)):
            value = types.FunctionType(code, names)()
            if inspect.iscoroutine(value) and code.co_flags & inspect.CO_COROUTINE:
                value = await value
        return value


_ABSENT = object()
_FUTURE_FLAGS = 0
for _name in __import__("__future__").all_feature_names:
    _FUTURE_FLAGS |= getattr(__import__("__future__"), _name).compiler_flag


def _run_async(coroutine):
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(coroutine)
    finally:
        _finish(loop)


def _finish(loop):
    """End what the program left running on its loop, as asyncio.run() does."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())
    if loop._default_executor is not None:
        loop.run_until_complete(loop.shutdown_default_executor())
    asyncio.set_event_loop(None)
    loop.close()


def _returns(body):
    """Whether a return stands outside every function."""
    stack = list(body)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Return):
            return True
        if not isinstance(node, _FUNCTIONS):
            stack.extend(ast.iter_child_nodes(node))
    return False


def _as_function(tree):
    """Compile a module with a return in it as a function whose names are all global.

    The return is then an ordinary one: finally and with see no exception.
    """
    scope = _Scope()
    tree.body = [scope.visit(node) for node in tree.body]
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        last = tree.body[-1]
        tree.body[-1] = ast.copy_location(ast.Return(last.value), last)
    futures = []
    while tree.body and isinstance(tree.body[0], ast.ImportFrom) and tree.body[0].module == "__future__":
        futures.append(tree.body.pop(0))
    make = ast.AsyncFunctionDef if scope.awaits else ast.FunctionDef
    arguments = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
    names = [ast.Global(sorted(scope.names))] if scope.names else []
    function = make(
        name="_program", args=arguments, body=names + tree.body, decorator_list=[], type_params=[]
    )
    module = ast.Module(body=[*futures, function], type_ignores=[])
    for node in (*names, function):
        node.lineno, node.col_offset = 1, 0
    ast.fix_missing_locations(module)
    outer = compile(module, FILE, "exec", dont_inherit=True)
    for constant in outer.co_consts:
        if isinstance(constant, types.CodeType) and constant.co_name == "_program":
            changed = {"co_name": "<module>"}
            if hasattr(constant, "co_qualname"):
                changed["co_qualname"] = "<module>"
            return constant.replace(**changed)
    raise AssertionError("the compiler left out the program")


class _Scope(ast.NodeTransformer):
    """Collects the names that a module binds, and rewrites what a function cannot hold."""

    def __init__(self):
        self.names = set()
        self.awaits = False

    def visit_FunctionDef(self, node):
        self.names.add(node.name)
        for part in (*node.decorator_list, node.args, *filter(None, [node.returns])):
            self.visit(part)
        return node

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node):
        self.names.add(node.name)
        for part in (*node.decorator_list, *node.bases, *node.keywords):
            self.visit(part)
        return node

    def visit_Lambda(self, node):
        return node

    def visit_Name(self, node):
        if not isinstance(node.ctx, ast.Load):
            self.names.add(node.id)
        return node

    def visit_Await(self, node):
        self.awaits = True
        return self.generic_visit(node)

    def visit_AsyncFor(self, node):
        self.awaits = True
        return self.generic_visit(node)

    visit_AsyncWith = visit_AsyncFor

    def _comprehension(self, node):
        # Its own variables are its own; an assignment expression in it is the module's.
        self.awaits |= any(generator.is_async for generator in node.generators)
        for inner in ast.walk(node):
            if isinstance(inner, ast.NamedExpr):
                self.names.add(inner.target.id)
            elif isinstance(inner, ast.Await):
                self.awaits = True
        return node

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension

    def visit_Import(self, node):
        for alias in node.names:
            self.names.add(alias.asname or alias.name.partition(".")[0])
        return node

    def visit_ImportFrom(self, node):
        if node.names[0].name == "*":
            text = f"globals().update((k, getattr(m, k)) for m in [__import__({node.module!r}, fromlist=['*'])] "
            text += "for k in (m.__all__ if hasattr(m, '__all__') else [k for k in vars(m) if not k.startswith('_')]))"
            star = ast.parse(text).body[0]
            for inner in ast.walk(star):
                ast.copy_location(inner, node)
            return star
        self.names.update(alias.asname or alias.name for alias in node.names)
        return node

    def visit_ExceptHandler(self, node):
        if node.name:
            self.names.add(node.name)
        return self.generic_visit(node)

    def visit_MatchAs(self, node):
        if node.name:
            self.names.add(node.name)
        return self.generic_visit(node)

    visit_MatchStar = visit_MatchAs

    def visit_MatchMapping(self, node):
        if node.rest:
            self.names.add(node.rest)
        return self.generic_visit(node)

    def visit_TypeAlias(self, node):
        return self.generic_visit(node)

    def visit_AnnAssign(self, node):
        self.generic_visit(node)
        if not isinstance(node.target, ast.Name):
            return node
        if node.value is None:
            return ast.copy_location(ast.Pass(), node)
        return ast.copy_location(ast.Assign([node.target], node.value), node)

    def visit_Global(self, node):
        self.names.update(node.names)
        return ast.copy_location(ast.Pass(), node)

    def visit_Yield(self, node):
        raise SyntaxError("'yield' outside function", _place(node))

    def visit_YieldFrom(self, node):
        raise SyntaxError("'yield from' outside function", _place(node))


def _place(node):
    text = linecache.getline(FILE, node.lineno)
    return (FILE, node.lineno, node.col_offset + 1, text, node.end_lineno, (node.end_col_offset or 0) + 1)


def main_module():
    """A fresh module for __main__; its dictionary is the program's namespace."""
    module = types.ModuleType("__main__")
    module.__builtins__ = __builtins__
    module.__file__ = FILE
    return module


def next_file():
    """Give the next program of a session a file name, so that tracebacks show its lines."""
    global FILE
    FILE = f"program-{next(_numbers)}.py"
    if len(_files) == _files.maxlen:
        linecache.cache.pop(_files[0], None)
    _files.append(FILE)


def finish(session=False):
    """What Python does between the last line of a program and its end.

    In a session, other programs follow: threads go on, and nothing is at its exit.
    """
    if not session:
        # As threading._shutdown() does, which can do it only once: a worker rehearses.
        for call in reversed(threading._threading_atexits):
            call()
        for thread in threading.enumerate():
            if thread is not threading.current_thread() and not thread.daemon:
                thread.join()
        atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            pass  # closed or taken away by the program


def describe(error):
    """An exception as {type, message, traceback, line}, with the program's own frames only."""
    try:
        return _describe(error)
    except BaseException:  # it lies about its name or its causes, or has too many of them
        name = type.__dict__["__qualname__"].__get__(type(error))[:200]
        return {"type": name, "message": "<the exception cannot be shown>", "traceback": "", "line": 0}


def _describe(error):
    seen = set()
    _keep_own_frames(error, seen)
    if isinstance(error, SyntaxError) and error.filename == FILE and error.text is None:
        error.text = linecache.getline(FILE, error.lineno or 0)  # what the compiler finds has none
    kind = type(error)
    name = kind.__qualname__
    if kind.__module__ not in ("builtins", "__main__"):
        name = f"{kind.__module__}.{name}"
    try:
        message = str(error)
    except BaseException as inner:
        message = f"<no message: str() raised {type(inner).__name__}>"
    try:
        text = "".join(traceback.TracebackException.from_exception(error, compact=True).format())
    except BaseException:
        text = f"{name}: {message}\n"
    return {
        "type": name[:200],
        "message": _middle(message, _MAX_MESSAGE),
        "traceback": _middle(text, _MAX_TRACEBACK),
        "line": _line(error),
    }


def _keep_own_frames(error, seen):
    """Drop the frames that are not the program's, here and in what caused it."""
    if error is None or id(error) in seen:
        return
    seen.add(id(error))
    own = []
    step = error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename in _files:
            own.append(step)
        step = step.tb_next
    rebuilt = None
    for step in reversed(own):
        rebuilt = types.TracebackType(rebuilt, step.tb_frame, step.tb_lasti, step.tb_lineno)
    error.__traceback__ = rebuilt
    _keep_own_frames(error.__cause__, seen)
    _keep_own_frames(error.__context__, seen)
    for inner in getattr(error, "exceptions", ()) if isinstance(error, BaseExceptionGroup) else ():
        _keep_own_frames(inner, seen)


if sys.version_info < (3, 11):
    BaseExceptionGroup = ()


def _line(error):
    if isinstance(error, SyntaxError) and error.filename == FILE:
        return error.lineno or 0
    line = 0
    step = error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == FILE:
            line = step.tb_lineno
        step = step.tb_next
    return line


def _middle(text, limit):
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n... {len(text) - limit} characters left out ...\n{text[-half:]}"
