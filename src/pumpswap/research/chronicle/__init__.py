"""Chronicles: everything that happened to pools, as acts that can be applied again to other states."""
