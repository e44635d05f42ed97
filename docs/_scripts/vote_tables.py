"""Write the tables of Galaxy Zoo questions and classes; docs/conf.py calls it."""

from __future__ import annotations

from pathlib import Path

from galfeat.data.catalogue.vote_schemes import (
    ClassRule,
    Factor,
    VoteScheme,
    scheme_names,
    vote_scheme,
)


def write(path: Path) -> None:
    """Write, as Markdown, the questions and the classes of each scheme."""
    parts = [_section(vote_scheme(name)) for name in scheme_names()]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(parts), encoding="utf-8")


def _section(scheme: VoteScheme) -> str:
    lines = [f"### {scheme.title}: `--scheme {scheme.name}`", "", f"{scheme.reference}.", ""]
    lines += ["| class | share of the votes |", "|---|---|"]
    lines += [f"| {rule.name} | {_product(rule)} |" for rule in scheme.classes]
    lines += [f"| {rule.name} (coarse) | {_product(rule)} |" for rule in scheme.coarse]
    lines += ["", "| question | answers | columns |", "|---|---|---|"]
    for question in scheme.questions.values():
        for number, columns in enumerate(question.columns):
            name = f"*{question.name}?* {question.asks}" if number == 0 else ""
            answers = ", ".join(columns)
            spelled = "; ".join(" + ".join(f"`{c}`" for c in names) for names in columns.values())
            lines.append(f"| {name} | {answers} | {spelled} |")
    return "\n".join([*lines, ""])


def _product(rule: ClassRule) -> str:
    factors = [_factor(factor) for factor in rule.factors]
    return " × ".join([*factors, *(["undisturbed"] if rule.undisturbed else [])])


def _factor(factor: Factor) -> str:
    answers = [*factor.answers, *(f"½ {answer}" for answer in factor.halves)]
    return f"*{factor.question}?* {' or '.join(answers)}"
