"""What the HTML and the JSON doors share: the input they read, and how a visitor is let in and out over HTTP."""
