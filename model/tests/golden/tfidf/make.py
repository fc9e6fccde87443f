"""Records scikit-learn's TfidfVectorizer: python make.py > expected.json (scikit-learn 1.9.1)."""

import json
import sys
import warnings
from pathlib import Path

import sklearn
from sklearn.feature_extraction.text import TfidfVectorizer

warnings.simplefilter("ignore")
DOCUMENTS = json.loads(Path(__file__).with_name("documents.json").read_text("utf-8"))
DEFAULT = {"ngram_range": (1, 2), "sublinear_tf": True}
SHORT = [0, 2, 3, 5, 6, 8, 10, 11, 12, 14, 16, 17, 18, 22, 24]

WORD = [
    {},
    {"ngram_range": (1, 1), "sublinear_tf": False},
    {"ngram_range": (2, 3)},
    {"lowercase": False},
    {"strip_accents": "ascii"},
    {"strip_accents": "unicode"},
    {"strip_accents": "unicode", "lowercase": False, "ngram_range": (1, 1)},
    {"strip_accents": "ascii", "lowercase": False, "ngram_range": (1, 1)},
    {"stop_words": "english"},
    {"stop_words": ["the", "good", "정말", "это"], "ngram_range": (1, 3)},
    {"min_df": 2},
    {"min_df": 0.1},
    {"max_df": 2},
    {"max_df": 0.05, "ngram_range": (1, 1)},
    {"min_df": 2, "max_df": 0.2, "ngram_range": (1, 1)},
    {"min_df": 0.0, "max_df": 1.0, "ngram_range": (1, 1)},
    # Not where terms of one frequency are parted: which of them scikit-learn keeps depends on the processor.
    {"max_features": 3, "ngram_range": (1, 1)},
    {"max_features": 2},
    {"max_features": 4, "ngram_range": (1, 1)},
    {"max_features": 100000, "ngram_range": (1, 1)},
    {"binary": True},
    {"binary": True, "sublinear_tf": False, "use_idf": False, "norm": None},
    {"use_idf": False},
    {"smooth_idf": False},
    {"smooth_idf": False, "sublinear_tf": False, "norm": "l1"},
    {"norm": None},
    {"norm": "l1"},
    {"use_idf": False, "sublinear_tf": False, "norm": None},
]
CHARACTERS = [
    {"analyzer": "char", "ngram_range": (1, 1)},
    {"analyzer": "char", "ngram_range": (1, 2), "sublinear_tf": False},
    {"analyzer": "char", "ngram_range": (3, 3), "strip_accents": "unicode"},
    {"analyzer": "char", "ngram_range": (2, 2), "lowercase": False, "strip_accents": "ascii"},
    {"analyzer": "char", "ngram_range": (5, 6), "min_df": 2},
    {"analyzer": "char_wb", "ngram_range": (1, 2)},
    {"analyzer": "char_wb", "ngram_range": (3, 4), "norm": "l1"},
    {"analyzer": "char_wb", "ngram_range": (6, 9)},
    {"analyzer": "char_wb", "ngram_range": (2, 3), "stop_words": "english", "max_df": 3},
]
ERRORS = [{"min_df": 30}, {"min_df": 26}, {"min_df": 10, "max_df": 9}, {"max_df": 0.0, "min_df": 0.0}]


def ours(params):
    """The same parameters as this project writes them."""
    params = dict(params)
    if isinstance(params.get("stop_words"), list):
        params["stop_words"] = {"list": params["stop_words"]}
    return params


def case(params, chosen):
    params = DEFAULT | params
    vectorizer = TfidfVectorizer(**params)
    records = vectorizer.fit_transform([DOCUMENTS[i] for i in chosen])
    records.sort_indices()
    rows = zip(records.indptr, records.indptr[1:])
    return {
        "params": ours(params),
        "documents": chosen,
        "terms": vectorizer.get_feature_names_out().tolist(),
        "idf": [round(v, 14) for v in vectorizer.idf_] if params.get("use_idf", True) else None,
        "rows": [[records.indices[a:b].tolist(), [round(v, 14) for v in records.data[a:b]]] for a, b in rows],
    }


def error(params):
    params = DEFAULT | params
    try:
        TfidfVectorizer(**params).fit_transform(DOCUMENTS)
    except ValueError as e:
        return {"params": ours(params), "error": str(e)}
    sys.exit(f"no error for {params}")


every = list(range(len(DOCUMENTS)))
json.dump(
    {
        "scikit-learn": sklearn.__version__,
        "cases": [case(p, every) for p in WORD] + [case(p, SHORT) for p in CHARACTERS],
        "errors": [error(p) for p in ERRORS],
    },
    sys.stdout,
    ensure_ascii=False,
    separators=(",", ":"),
)
print()
