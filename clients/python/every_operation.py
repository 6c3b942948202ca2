"""Every operation of the official Python client, against the emulator: `every_operation.py BASE_URL`.

It prints a line for each operation, and ends with 1 if one fails, gives a wrong answer, or is never called.
"""

import importlib.metadata
import sys
import traceback

from paid import Paid

import accounts
import billing
import catalog
import guide
import insight
import tracing
import value
from recorded import Control, Failures, Recorded, Stopped


class World:
    """The client, the emulator's control routes, and what the parts leave for each other."""

    def __init__(self, base_url):
        self.base_url = base_url
        self.failures = Failures()
        self.api = Recorded(Paid(token="paid_emulator", base_url=base_url), self.failures)
        self.control = Control(base_url)

    def expect(self, what, actual, expected):
        if actual != expected:
            self.failures.add(f"{what}: {actual!r}, expected {expected!r}")


def main():
    world = World(sys.argv[1])
    for part in [guide, catalog, accounts, billing, value, tracing, insight]:
        for story in part.STORIES:
            try:
                story(world)
            except Stopped:
                print(f"       {part.__name__}.{story.__name__} stops there")
            except Exception as error:
                traceback.print_exc()
                world.failures.add(f"{part.__name__}.{story.__name__}: {error!r}")
    missing = world.api.never_called()
    for name in missing:
        world.failures.add(f"{name}: never called")
    version = importlib.metadata.version("paid-python")
    total, failed = len(world.api.names()), len(world.failures.lines)
    print(f"paid-python {version}: {total - len(missing)} of {total} operations called, {failed} failures")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
