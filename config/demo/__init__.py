"""The demo group 梧桐集团: invented people and businesses around a real year of purchases."""
