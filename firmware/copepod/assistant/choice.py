"""Which of the config's models is asked first: /model. Memory: dropped after use; the file state/model.json.

The choice holds over a restart, until the config names another model than the one that it was made instead of.
"""

import json
import os


def restore(model):
    """Take up the choice that was made in an earlier life."""
    try:
        with open(_path(model)) as file:
            found = json.load(file)
        wanted, instead_of = found["model_name"], found["instead_of"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    for endpoint in model.endpoints:
        if endpoint.label == wanted and instead_of == model.default:
            model.endpoint = endpoint


def answer(model, name):
    """The answer to /model: the models that there are, or that it is another one now."""
    if not name:
        return _listed(model)
    for endpoint in model.endpoints:
        if endpoint.label == name:
            try:
                _store(model, name)
            except OSError as error:
                return "That can't be kept: %s" % error
            model.endpoint = endpoint
            return "Questions go to `%s` now: %s" % (name, _where(endpoint))
    names = ", ".join(["`%s`" % endpoint.label for endpoint in model.endpoints])
    return "There is no such model. There is: " + names


def _listed(model):
    if len(model.endpoints) == 1:
        return _where(model.endpoint)
    from copepod.assistant import fallback
    from copepod.once import forget

    forget("copepod.assistant.fallback")
    rows = []
    for endpoint in model.endpoints:
        row = "- `%s`: %s" % (endpoint.label, _where(endpoint))
        if endpoint is model.endpoint:
            row += " **is asked**"
            if endpoint.fallbacks:
                row += ", then " + ", ".join([each.label for each in endpoint.fallbacks])
        if fallback.rests(endpoint):
            row += " (has just failed)"
        rows.append(row)
    rows.append("\n`/model NAME` has another one asked.")
    return "\n".join(rows)


def _where(endpoint):
    scheme = "https" if endpoint.tls else "http"
    return "%s at %s://%s:%d" % (endpoint.name, scheme, endpoint.host, endpoint.port)


def _path(model):
    return model.workspace + "/state/model.json"


def _store(model, name):
    path = _path(model)
    with open(path + ".new", "w") as file:
        json.dump({"model_name": name, "instead_of": model.default}, file)
    os.rename(path + ".new", path)
