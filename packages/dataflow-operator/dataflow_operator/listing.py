"""A group of commands on one kind of thing, which alone lists them."""

from __future__ import annotations

import click


class Listing(click.Group):
    """``dataflow failures --flow x`` is ``dataflow failures list --flow x``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the ``list`` that nobody has to say."""
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)
