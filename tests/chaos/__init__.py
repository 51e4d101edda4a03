"""Replicas in trouble: killed, stopped, replaced, cut off from their database. The long ones run with `make test-chaos`."""
