"""For all tests: property tests without time limits, so that a busy machine fails none, and the same examples every time."""

from hypothesis import settings

settings.register_profile("overtime", deadline=None, derandomize=True)
settings.load_profile("overtime")
