"""The configuration document, from text to the values the service works with.

    text --document--> Tree (every key and value with its place)
         --parts-----> models of each section (schema, promises, ladders, signals, holidays, adapters), or flaws
         --check-----> all findings at once (refusals, vocabulary, consistency, lints, pending)
         --compile---> Loaded: the engine's Book, ladders, channels, sources

`check.check` is the way in. Everything here is a function of the text, an environment, a folder and a day; nothing is remembered.
"""
