"""What the pages of this machine share: whom they let in, how their files are served, and how they look."""
