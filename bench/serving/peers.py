"""Fits the peers' model: python peers.py TRAIN.csv MODEL.pickle, with the settings that main.py gives ours."""

import csv
import pickle
import sys

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

csv.field_size_limit(1 << 24)
train, model = sys.argv[1:]
with open(train, encoding="utf8", newline="") as file:
    rows = list(csv.DictReader(file))
vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
records = vectorizer.fit_transform(row["review_text"] for row in rows)
classifier = LogisticRegression(C=10, max_iter=1000).fit(records, [row["sentiment"] for row in rows])
with open(model, "wb") as file:
    pickle.dump((vectorizer, classifier), file)
