"""The mini-app of citizens and the counter of parties: pages, small ES modules, styles, texts.

Pages are made here, in the same process and from the same services as the API; what they write
goes through the API. Nothing is built beforehand, and nothing needs Node.
"""
