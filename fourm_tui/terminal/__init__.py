"""Pictures in terminals: what this one can show, and the bytes that show it; numpy, Pillow and rich only.

Nothing here asks the terminal when it is imported, and nothing reads stdin.
"""
