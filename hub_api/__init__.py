"""The hub's HTTP door: events in, reads out, pages for developers. Decides nothing about members,
orders or stock: that is `hub.domain`'s part; reads are in `hub.store.reads`."""
