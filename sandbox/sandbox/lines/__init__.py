"""The project's pipeline, run by tests: plug-ins as processes joined by pipes, with settings and state in files.

A *line* is tap, mapper and target; both lines are one cycle.

    with Starter() as starter, sandbox.running("empty") as systems:
        lines = Lines(systems, folder, starter)
        ran = lines.run(TO_TRIPLETEX)
        assert ran.ok and ran.counts["customer"] == {"created": 3}
"""

from sandbox.lines.line import TO_CUSTOMCRM, TO_TRIPLETEX, Direction, Line, Lines
from sandbox.lines.ran import Ran
from sandbox.lines.said import Said, said, without
from sandbox.lines.starter import Started, Starter
from sandbox.lines.until import until

__all__ = [
    "TO_CUSTOMCRM",
    "TO_TRIPLETEX",
    "Direction",
    "Line",
    "Lines",
    "Ran",
    "Said",
    "Started",
    "Starter",
    "said",
    "until",
    "without",
]
