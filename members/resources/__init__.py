"""Spreadsheets of this floor: their columns, and what their rows mean. config/imports.py names each kind."""
