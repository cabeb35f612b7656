"""Entry point."""

from naive_tap.tap import TapNaive

TapNaive.cli()
