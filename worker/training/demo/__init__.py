"""The demo model: a miniature of the real architecture, trained on pictures painted for it.

What it says of a picture can be measured from the pixels (`attributes`), so
its accuracy is known on any picture and needs no reference texts.
"""
