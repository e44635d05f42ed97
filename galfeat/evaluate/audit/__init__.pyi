from .page import audit_page as audit_page
from .quality import label_quality as label_quality
from .quality import probable_mislabels as probable_mislabels
from .result import Audit as Audit

__all__ = ["Audit", "audit_page", "label_quality", "probable_mislabels"]
