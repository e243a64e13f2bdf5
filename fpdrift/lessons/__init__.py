"""The lessons' notebooks as files, and the functions that check a student's answers."""

from fpdrift.lessons.notebooks import Lesson, copy_lesson, copy_lessons, find_lesson, lessons

__all__ = ["Lesson", "copy_lesson", "copy_lessons", "find_lesson", "lessons"]
