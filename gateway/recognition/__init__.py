"""Cities recognise each other: trust, what is said of citizens, and who is here as a visitor.

Every gateway plays both parts, the home city and the visited one. The protocol between them is
docs/protocol/recognition.md; nothing here is needed to speak it.
"""
