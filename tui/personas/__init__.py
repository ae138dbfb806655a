"""The personas that ship with lokal: one text file each, in the form of `core/persona.py`. Their names end in the language they
speak where that is not English.
"""
