c = get_config()
c.CourseDirectory.course_id = "pytorch"
from grader.course import configure
configure(c)
