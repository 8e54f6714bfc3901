"""Back-tests: recorded history played again through the engine, in a market that feels our own trades."""
