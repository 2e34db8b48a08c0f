"""What the baselines are called, in files and to people; loads no engine."""

NO_ADJUSTMENT = "no_adjustment"
LOGGED_ORDER = "logged_order"
POPULARITY = "popularity"
POPULARITY_ADDED = "popularity_added"
ROCCHIO = "rocchio"
HEADROOM = "headroom"

BASELINES = {
    NO_ADJUSTMENT: "no adjustment",
    LOGGED_ORDER: "logged order",
    POPULARITY: "popularity",
    POPULARITY_ADDED: "similarity + popularity",
    ROCCHIO: "Rocchio",
    HEADROOM: "headroom (by all other clicks)",
}
"""Each baseline's name in files → its name for people. All but the last can be had; that one says
how much there is to gain."""
