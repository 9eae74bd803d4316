# tries: change the runner by its modules
# status: ok|error|killed|timeout
# timeout: 1s
for name, module in list(sys.modules.items()):
    if name.startswith('codemode_runner'):
        for attribute in list(vars(module)):
            try:
                setattr(module, attribute, None)
            except (AttributeError, TypeError):
                pass
        sys.modules[name] = None
print('HELD', flush=True)
