"""The simulated organisation: canonical events and a contract, generated from a plan, with truths that tests know."""
