"""The buttons of answers, cards and notices; what they do stands in their custom ids, so they outlive the process."""
