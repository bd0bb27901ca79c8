"""What runs a model in this process. Imports torch when started; knows no HTTP."""
