"""The HTML report of an evaluation: its page, figures, pictures and prose."""
