"""The demonstration: a merchant opens a store with real files, thousands press buy, winners pay and get their codes, the checker looks.

`tessera.commands.demo` tells the story; each module here is one scene of it.
"""
