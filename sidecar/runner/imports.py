"""What lets programs write: from tools.github import get_issue."""

import importlib.machinery
import sys

_names = []  # of the modules that imports have made


def install(root, namespace):
    """Have import look into the tools, by the types of all of them and of a namespace."""
    sys.meta_path.append(_Importer(root, namespace))


def forget():
    while _names:
        sys.modules.pop(_names.pop(), None)


class _Importer:
    create_module = staticmethod(lambda spec: None)

    def __init__(self, root, namespace):
        self.root = root
        self.namespace = namespace

    def find_spec(self, name, path=None, target=None):
        if name.startswith("tools.") and isinstance(sys.modules.get("tools"), self.root):
            return importlib.machinery.ModuleSpec(name, self)

    def exec_module(self, module):
        parent, _, leaf = (name := module.__name__).rpartition(".")
        try:
            found = getattr(sys.modules[parent], leaf)
        except LookupError as error:
            raise ImportError(str(error), name=name) from None
        if not isinstance(found, self.namespace):
            raise ImportError(f"{name} is a tool: write from {parent} import {leaf}", name=name)
        _names.append(name)
        sys.modules[name] = found  # which is what the import then gives
