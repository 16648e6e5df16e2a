"""Which added lines do what lines elsewhere in the repository do already.

Source files are turned into tokens, and tokens into fingerprints that are kept by blob. The added lines ask for
fingerprints that they share with other places; what is shared is aligned token by token before it is called a clone.
Nothing is executed, and nothing that is kept is believed without its checksum.
"""
