"""Models that are other people's code, each run in a process of its own.

`wire` is how the two processes talk, `host` is the child, `process` the parent's end, `loading` turns what a user named
into something that enhances (in the child), `enhancer` is the `Enhancer` in the parent.
"""
