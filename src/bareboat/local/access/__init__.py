"""Who may call a route, and how often: authorizers, API keys, usage plans, throttling."""
