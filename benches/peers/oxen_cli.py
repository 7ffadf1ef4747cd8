"""A command line for the PyPI package `oxenai`: version, init, record, status, restore."""

import sys
from importlib.metadata import version

import oxen


def main(verb, *words):
    if verb == "version":
        print("oxenai", version("oxenai"))
        return
    repository = oxen.Repo(".")
    if verb == "init":
        oxen.user.config_user("Bench", "bench@example.org")
        repository.init()
    elif verb == "record":
        path, message = words
        repository.add(path)
        repository.commit(message)
    elif verb == "status":
        print(repository.status())
    elif verb == "restore":
        repository.restore(words[0])
    else:
        sys.exit(f"no verb {verb}")


if __name__ == "__main__":
    main(*sys.argv[1:])
