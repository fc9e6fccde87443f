"""Records blocks of n-grams by scikit-learn and log-count ratios by NumPy: python make.py > expected.json (scikit-learn 1.9.1)."""

import json
import sys
from pathlib import Path

import numpy as np
import sklearn
from scipy.sparse import csr_array
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.preprocessing import normalize

DOCUMENTS = json.loads((Path(__file__).parent.parent / "tfidf" / "documents.json").read_text("utf-8"))
PATTERNS = {"word": r"(?u)\b\w\w+\b", "word_punct": r"(?u)\w+|[^\w\s]"}
DEFAULT = {"analyzer": "word", "token_pattern": "word", "ngram_range": (1, 2), "char_ngram_range": (3, 6), "norm": "l2"}


def vectorizers(params, of, **more):
    """One a block: what `FeatureUnion` would put side by side."""
    words = {"token_pattern": PATTERNS[params["token_pattern"]], "ngram_range": params["ngram_range"]}
    chars = {"analyzer": "char_wb", "ngram_range": params["char_ngram_range"]}
    kinds = {"word": [words], "word+char_wb": [words, chars], "char_wb": [chars | {"ngram_range": params["ngram_range"]}]}
    return [of(**kind, **more) for kind in kinds[params["analyzer"]]]


def tfidf(params, chosen):
    """Blocks of (terms, scales, rows)."""
    for vectorizer in vectorizers(params, TfidfVectorizer, sublinear_tf=True, norm=params["norm"]):
        rows = vectorizer.fit_transform(chosen)
        yield vectorizer.get_feature_names_out(), vectorizer.idf_, rows


def log_count_ratios(params, chosen, targets, positive):
    """Wang & Manning 2012, section 2.1, alpha = 1, binary counts."""
    for vectorizer in vectorizers(params, CountVectorizer, binary=True):
        rows = vectorizer.fit_transform(chosen)
        p = 1.0 + rows[targets == positive].sum(0).A1
        q = 1.0 + rows[targets != positive].sum(0).A1
        ratios = np.log((p / p.sum()) / (q / q.sum()))
        weighed = csr_array(rows.multiply(ratios))
        yield vectorizer.get_feature_names_out(), ratios, normalize(weighed, params["norm"]) if params["norm"] else weighed


def written(blocks):
    return [
        {
            "terms": terms.tolist(),
            "scales": scales.tolist(),
            "rows": [
                sorted(zip(rows.indices[a:b].tolist(), rows.data[a:b].tolist()))
                for rows in [csr_array(rows)]
                for a, b in zip(rows.indptr, rows.indptr[1:])
            ],
        }
        for terms, scales, rows in blocks
    ]


def case(classes=2, weighting="tfidf", **params):
    params = DEFAULT | params
    # Not the longest ones: the recording would be of megabytes.
    chosen = [i for i, text in enumerate(DOCUMENTS) if len(text) < 200][:12]
    texts, targets = [DOCUMENTS[i] for i in chosen], np.arange(len(chosen)) % classes
    if weighting == "tfidf":
        sets = [tfidf(params, texts)]
    else:
        sets = [log_count_ratios(params, texts, targets, k) for k in ([1] if classes == 2 else range(classes))]
    return {
        "params": params | {"weighting": weighting},
        "documents": chosen,
        "targets": targets.tolist(),
        "classes": classes,
        "sets": [written(blocks) for blocks in sets],
    }


json.dump(
    {
        "scikit-learn": sklearn.__version__,
        "cases": [
            case(token_pattern="word_punct"),
            case(token_pattern="word_punct", ngram_range=(1, 5)),
            case(ngram_range=(1, 5), norm=None),
            case(analyzer="word+char_wb", char_ngram_range=(3, 4)),
            case(analyzer="word+char_wb", token_pattern="word_punct", char_ngram_range=(2, 3), norm="l1"),
            case(weighting="nb"),
            case(weighting="nb", norm=None, token_pattern="word_punct"),
            case(weighting="nb", analyzer="word+char_wb", char_ngram_range=(3, 3)),
            case(weighting="nb", classes=3),
            case(weighting="nb", classes=4, analyzer="word+char_wb", char_ngram_range=(2, 2)),
        ],
    },
    sys.stdout,
    ensure_ascii=False,
    separators=(",", ":"),
)
print()
