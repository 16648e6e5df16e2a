"""What we practise: tabletop exercises built from the repository itself, its owners and its rules."""
