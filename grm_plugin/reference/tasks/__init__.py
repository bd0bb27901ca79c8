"""The task family of the reference judge: words, phrasings, tasks, answers of any quality."""
