"""Numbers, code, Markdown and charts as text, HTML and SVG. Nothing here knows what a question is."""
