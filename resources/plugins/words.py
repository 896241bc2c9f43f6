"""Count the words of text files."""

from desktop_app.domain.fields import Field, Option


class Words:
    """A plug-in for Filemill; README.md explains it."""

    api, name, version, title = 1, "words", 1, "Words"
    fields = (Field("words", int, "Words"),)
    options = (Option("least", 1, "Letters of the shortest word that is counted", least=1, most=100),)

    def accepts(self, path):
        return path.endswith((".txt", ".md"))

    def process(self, source, options, watch):
        words, rest = 0, b""
        for chunk in source.chunks():
            *whole, rest = (rest + chunk).replace(b"\n", b" ").split(b" ")
            words, rest = words + sum(len(word) >= options["least"] for word in whole), rest[-100:]
        return {"words": words + (len(rest) >= options["least"])}


processor = Words()
