"""Conditions: from what the user names (files, text) to arrays. No torch here."""
