"""What may be sent, one noun a file: one model for the page's form and the JSON body. Unknown fields are refused."""
