"""What people do at a sale, one kind of person a file."""
