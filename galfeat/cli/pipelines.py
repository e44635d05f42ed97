"""``galfeat pipelines``: the recipes that come with galfeat."""

from __future__ import annotations

import click


@click.command()
@click.argument("recipe", metavar="[NAME|FILE]", required=False)
def pipelines(recipe: str | None) -> None:
    """List the recipes, or print one as TOML.

    A recipe says what is extracted, how the classes are balanced, what is fitted,
    how probabilities are calibrated and which class is named. Save one to a file,
    change it, and give the file to `galfeat fit --pipeline`.
    """
    from galfeat.recipe import available_recipes, load_recipe

    if recipe is not None:
        click.echo(load_recipe(recipe).to_toml().rstrip("\n"))
        return
    recipes = available_recipes()
    width = max(len(one.name) for one in recipes)
    for one in recipes:
        click.echo(f"{one.name:<{width}}  {one.description}")
