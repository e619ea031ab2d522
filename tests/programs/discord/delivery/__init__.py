"""Tests of the rules of delivery, without Discord and without a store."""
