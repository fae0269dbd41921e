"""The words of pages: one file an area, each text in Chinese and in English."""
