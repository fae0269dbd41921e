"""Measurements. They need a checkout, are never timed tests, and state ratios inside one run."""
