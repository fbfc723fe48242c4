"""The mail catcher: an SMTP server that delivers to nobody, and shows what it took. Guide: docs/mails.md."""
