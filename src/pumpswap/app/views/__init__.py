"""What the dashboard's pages and its REST API show, as frozen objects: one module for each page.

Every view is made from a ``Sight``: the books of one run, the settings and the clock. All amounts are raw integers
(lamports, base units, nanoseconds), shares are fractions or floats; nothing here is text for people but sentences that
were stored as such. Lists are a ``Page``, which tells where the next one begins. Names of coins come from strangers:
here they are one line of printable characters, but still to be escaped by whoever writes HTML.
"""
