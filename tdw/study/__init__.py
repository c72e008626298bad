"""Studies: which variants, epochs, analyzers and rules. YAML in, frozen models out.

Every refusal names the file, the line, the path in the file, the value and the remedy.
"""

from tdw.study.file import load_study
from tdw.study.models import Study
from tdw.study.parse import parse_study
from tdw.study.several import load_studies, require_together

__all__ = ["Study", "load_studies", "load_study", "parse_study", "require_together"]
