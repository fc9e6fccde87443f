"""The pickled scikit-learn model of both Python servers, and the answer that ours gives."""

import os
import pickle

with open(os.environ["MODEL"], "rb") as file:
    vectorizer, classifier = pickle.load(file)
classes = list(classifier.classes_)


def answer(text):
    probabilities = classifier.predict_proba(vectorizer.transform([text]))[0].tolist()
    score = max(probabilities)
    by_class = dict(zip(classes, probabilities))
    return {"predictions": [{"label": classes[probabilities.index(score)], "score": score, "probabilities": by_class}]}
