"""A recorded week of a small company: what its tools sent while it changed its onboarding, and what it had declared.

`days/` holds one file a day: a line is a delivery as it came in, or the contract files that were applied at that
moment. `contract/` holds those files.
"""
