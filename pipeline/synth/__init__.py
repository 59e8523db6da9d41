"""A synthetic county: raw exports with planted effects and deliberate dirt, and the truth about them, from a seed."""

from pipeline.synth.county import NO_EFFECTS, write_county

__all__ = ["NO_EFFECTS", "write_county"]
