"""The review: what a run would do, as plain data with a renderer for each reader.

``making.make`` turns a runbook and the jobs that a dry run noted down into a ``model.Review``: frozen,
without I/O, and complete, so that each operation of each job is in it. ``text`` is for a terminal,
``as_json`` for programs, ``markdown`` for a change ticket, and ``by_hand`` has the commands that do the same.
"""
