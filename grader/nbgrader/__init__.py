"""Assignments for nbgrader, whose items are judged outside of the student's kernel; courses import `grader.course`."""
