"""The REST API: what the pages show, as JSON, under the same words."""
