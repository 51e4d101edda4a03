"""Stories: a document, what happens to a ticket, and who is told what, when."""
