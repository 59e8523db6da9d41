"""Disclosure control: nothing leaves that was not proved safe.

`publish` is the only way from the restricted tables to the public ones.
"""

from pipeline.disclose.models import publish_adjusted
from pipeline.disclose.publish import HIDDEN, Published, publish
from pipeline.disclose.registry import Registry, load_registry

__all__ = ["HIDDEN", "Published", "Registry", "load_registry", "publish", "publish_adjusted"]
