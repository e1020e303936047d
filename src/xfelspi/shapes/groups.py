"""The catalogue in four groups, of which one may be left out to see what a classifier makes of it."""

GROUPS: dict[str, tuple[str, ...]] = {
    "compact polyhedra": ("icosahedron", "soccer", "cube", "octahedron", "tetrahedron"),
    "round": ("sphere", "prolate", "oblate", "blob"),
    "flat or long": ("cylinder", "disc"),
    "hollow or concave": ("torus", "capsid", "bowl", "star"),
}
"""Group -> shapes; together they are the keys of `SHAPES`, each once."""
