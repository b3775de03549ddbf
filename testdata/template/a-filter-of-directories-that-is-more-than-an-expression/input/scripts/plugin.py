import makejinja


def nthhost(value: str, query: int) -> str:
    return value


def import_filter(value: str) -> str:
    return value.title()


class Plugin(makejinja.plugin.Plugin):
    def __init__(self, data):
        self._data = data

    def data(self):
        data = self._data
        data.setdefault('repository_branch', 'main')
        return data

    def filters(self):
        return [nthhost]

    def path_filters(self):
        return [import_filter(path) for path in self._inputs.rglob(".mjfilter.py")]

    def functions(self):
        return []
