"""Plans, courses, chapters, lecturers, videos and questions for staff."""

from catalog.admin import courses, plans, questions, videos

__all__ = ["courses", "plans", "questions", "videos"]
