"""Is the new revision, on its small share of the traffic, as good as the one beside it? Promote, hold or roll back.

Two judges: ours (`sequential.py`), valid whenever it is asked, and Kayenta's (`kayenta.py`), reproduced to the letter.
Neither does anything but say; no data is never read as good news.
"""
