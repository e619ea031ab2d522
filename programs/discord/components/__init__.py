"""What people press: buttons, selects and forms. What they do is in their custom ids, so they outlive the process."""
