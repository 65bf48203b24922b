"""Daily weather in Seattle, 2012 to 2015, from the local part of the package vega_datasets.

Real data with a real trap: the *kind* of weather changed its meaning on the way. In 2012 about
half of the days are called rain, in 2014 three of them are, and fog takes their place, while the
measured precipitation stays what it was. A model fitted on one year and tested on another meets
that change. ``wet`` (measured precipitation above 0) is free of it.

Letters: T days.
"""

from dataclasses import dataclass

import numpy as np

WEATHER_KINDS = ("sun", "fog", "drizzle", "rain", "snow")


@dataclass(frozen=True)
class Weather:
    """One row a day, T days without a gap."""

    date: np.ndarray  # (T,) datetime64[D]
    kind: np.ndarray  # (T,) number of the kind in ``labels``
    precipitation: np.ndarray  # (T,) mm
    temp_max: np.ndarray  # (T,) degrees Celsius
    temp_min: np.ndarray  # (T,) degrees Celsius
    wind: np.ndarray  # (T,) metres per second
    labels: tuple = WEATHER_KINDS

    def __len__(self):
        return len(self.date)

    @property
    def wet(self):
        """Days with measured precipitation as 1, all others as 0; shape (T,)."""
        return (self.precipitation > 0).astype(int)

    @property
    def year(self):
        """Calendar year of each day, shape (T,)."""
        return self.date.astype("datetime64[Y]").astype(int) + 1970

    def split(self, first_test_year):
        """Return the days before 1 January of that year, and the days from then on."""
        before = self.year < first_test_year
        if before.all() or not before.any():
            raise ValueError(
                f"first_test_year must leave days on both sides, from {self.year.min() + 1} "
                f"to {self.year.max()}, got {first_test_year}"
            )
        return self._take(before), self._take(~before)

    def by_year(self):
        """Return a dictionary from year to the Weather of that year."""
        return {int(year): self._take(self.year == year) for year in np.unique(self.year)}

    def _take(self, days):
        columns = ("date", "kind", "precipitation", "temp_max", "temp_min", "wind")
        return Weather(*(getattr(self, name)[days] for name in columns), labels=self.labels)


def load_weather():
    """Read the table from the installed package; nothing is downloaded.

    Returns
    -------
    weather : Weather
        1461 days. ``kind`` numbers the labels sun, fog, drizzle, rain, snow from 0 to 4.
    """
    from vega_datasets import local_data

    table = local_data.seattle_weather()
    number = {label: k for k, label in enumerate(WEATHER_KINDS)}
    return Weather(
        date=table["date"].to_numpy().astype("datetime64[D]"),
        kind=np.array([number[label] for label in table["weather"]]),
        precipitation=table["precipitation"].to_numpy(dtype=float),
        temp_max=table["temp_max"].to_numpy(dtype=float),
        temp_min=table["temp_min"].to_numpy(dtype=float),
        wind=table["wind"].to_numpy(dtype=float),
    )
