"""The figures of the study, from the records that its commands left."""
