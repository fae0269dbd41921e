"""A result as a page with plots that stands alone: `python -m loadtest.page RESULT.json`.

document.py    the page: tables and figures, in one HTML file
figures.py     every plot with its section and caption
goals.py, costs.py, loads.py   what the plots draw
bars.py        horizontal bars, of which most of them are made
look.py        colours, type, and SVG that follows the reader's light or dark
legible.py     what a plot must have so that people can read it
"""
