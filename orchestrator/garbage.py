"""When Python looks for garbage: not while modules are imported, for their 107,000 objects all stay.

Looking among them again and again is a tenth of a short command's CPU time.
"""

import gc

_OWN = gc.get_threshold()
_MORE_THAN_IMPORTED = 300_000  # objects


def let_it_lie() -> None:
    """Look for garbage seldom."""
    gc.set_threshold(_MORE_THAN_IMPORTED)


def collect_as_usual() -> None:
    """Look for it as Python does by itself, but never again among what is there by now."""
    gc.freeze()
    gc.set_threshold(*_OWN)
