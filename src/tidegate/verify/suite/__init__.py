"""What a change does to the tests themselves: tests that cannot fail, and tests that were made weaker.

It writes the field `suite` of the section `verification`. It reads the text of both trees and runs nothing; what it
cannot read is unknown, and a doubt about a test is silence, because a person is accused by its name.
"""
