"""Pure functions: counts in, frozen results or arrays out. No file, no database, no plot, no clock.

Every function takes numpy arrays of any one shape (or plain numbers) and works on all of them at once. A quantity
that the counts cannot give is NaN: never 0, never dropped.
"""
