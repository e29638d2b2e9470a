"""What was learned: the terminal summary, figures, the HTML report."""
