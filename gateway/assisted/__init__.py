"""Assisted service: citizens without a phone, at the counter of a party (无障碍环境建设法 39)."""
