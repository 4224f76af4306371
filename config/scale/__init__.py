"""A group as large as they come, for looking at pages and plans: a million members, ten million purchases."""
