"""What trading costs in time: a decision of the gate, and trades through the engine."""
