import makejinja


def nthhost(value: str, query: int) -> str:
    return value


def motto(value: str) -> str:
    return value.title()


class Plugin(makejinja.plugin.Plugin):
    def __init__(self, data):
        self._data = data

    def data(self):
        data = self._data
        data.setdefault('repository_branch', 'main')
        data['motto_text'] = motto(data.get('name'))
        return data

    def filters(self):
        return [nthhost]

    def functions(self):
        return [motto]
