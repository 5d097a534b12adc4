"""Lists a site through gfal2, which lives in another Python than ours: in processes of its own."""

from dynamo_consistency.listers.gfal.lister import GfalLister

__all__ = ["GfalLister"]
