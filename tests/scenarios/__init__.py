"""The scenarios' law: what may be asked, what is answered, and that cases show it."""
