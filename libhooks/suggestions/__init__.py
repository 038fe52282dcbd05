"""Suggestions: from what was refused, the policy that would have let it in."""
