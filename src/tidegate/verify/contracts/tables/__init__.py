"""Tables of databases as the repository writes them down: Prisma, Rails' schema.rb, and dumps in SQL.

Who reads a table beside this repository is not known, so nothing here is graver than medium. Migrations, and what they
do to data, are judged elsewhere.
"""
