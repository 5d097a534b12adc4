"""How each page's answer is made of the digests and the files of runs. `view` calls them."""
