"""Two small channels that are real programs: a website that sells cakes, and the server of a
mini-program with its page, wallet and member center.

Each keeps books of its own and talks to the hub by its API and webhooks alone, as any channel does:
nothing here imports the hub. `python -m samples website --help` starts one, `hub samples` both.

Not here: what a platform would do for them (payment, a phone that WeChat has proved). A button of
the page says so in its place.
"""
