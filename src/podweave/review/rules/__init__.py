"""The rules: a file for each family, and the catalogue that says what each is called and why.

A rule looks at a Case and yields Findings; it changes nothing and knows no other rule.
"""
