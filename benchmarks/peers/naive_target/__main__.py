"""Entry point."""

from naive_target.target import TargetNaive

TargetNaive.cli()
