"""One folder for each source; `README.md` tells what belongs in it."""
