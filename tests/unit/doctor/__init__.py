"""Tests of orchestrator/doctor."""
