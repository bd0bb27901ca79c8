"""Where groups come from: files of lines, tables, saved data sets, the hub."""
