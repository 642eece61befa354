"""Following a tree unit by unit: what one script's runs tell, kept as data, made by several processes, remembered."""
