"""A merchant's server for webhooks: checks each with the public library of Standard Webhooks, keeps a book, misbehaves on command."""
