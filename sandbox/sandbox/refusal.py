"""A system says no."""


class Refusal(Exception):  # noqa: N818  it is an answer, not a failure of the sandbox
    """A request that a system does not carry out; each system has its own, with its own envelope."""

    status: int = 400
