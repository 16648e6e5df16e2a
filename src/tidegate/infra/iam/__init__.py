"""Who may do more than before: policy documents of AWS, Google and Azure as sets, compared; known ways to escalate.

Pure functions of documents and worlds. Nothing is asked of a cloud, and a document that cannot be read is said to be
that, never taken for one that allows nothing.
"""
