"""`dynamo-consistency serve`: what people look at, over the run directories of a store. It only reads.

`models` say what each page shows; `view` answers them from a store; `api`, `metrics` and `pages` are three ways to
show the answers, and `app` joins them behind `security`.
"""
