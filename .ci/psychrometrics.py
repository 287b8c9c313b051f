"""Compares the grid of the example `psychrometrics` with PsychroLib, prints the largest differences, and fails beyond the bounds.

Just below 0 °C a band of humidity has two wet bulbs, one with ice and one with water. PsychroLib comes to whichever side its
halving falls on; we take the one with water. There the two may differ, and each has to satisfy the equation."""

import csv
import sys

import psychrolib

WET_BULB = 0.05  # K
ENTHALPY = 0.001  # of the value, or
ENTHALPY_NEAR_ZERO = 10.0  # J/kg, where the value itself is small
DEW_POINT = 0.05  # K

psychrolib.SetUnitSystem(psychrolib.SI)
worst = {"wet bulb, K": (0.0, ""), "enthalpy, J/kg": (0.0, ""), "enthalpy, %": (0.0, ""), "dew point, K": (0.0, "")}
other = {"count": 0, "largest": 0.0, "dry": [], "residual": 0.0}
rows = 0
bad = []


def note(kind, difference, where):
    if difference > worst[kind][0]:
        worst[kind] = (difference, where)


for row in csv.DictReader(sys.stdin):
    t, humidity, pressure, ratio, enthalpy, dew, wet = (float(value) for value in row.values())
    where = f"{t} degC, {humidity:.0%}, {pressure:.0f} Pa"
    rows += 1
    theirs = psychrolib.GetTWetBulbFromRelHum(t, humidity, pressure)
    if (theirs < 0) != (wet < 0):
        other["count"] += 1
        other["largest"] = max(other["largest"], abs(theirs - wet))
        other["dry"].append(t)
        # Ours has to be a root as well: as humid as the air is.
        back = psychrolib.GetHumRatioFromTWetBulb(t, wet, pressure)
        other["residual"] = max(other["residual"], abs(back - ratio) / ratio)
    else:
        note("wet bulb, K", abs(theirs - wet), where)
    expected = psychrolib.GetMoistAirEnthalpy(t, psychrolib.GetHumRatioFromRelHum(t, humidity, pressure))
    difference = abs(expected - enthalpy)
    note("enthalpy, J/kg", difference, where)
    note("enthalpy, %", 100 * difference / max(abs(expected), 1e-9), where)
    if difference > max(ENTHALPY * abs(expected), ENTHALPY_NEAR_ZERO):
        bad.append(f"enthalpy at {where}: {enthalpy} and not {expected}")
    note("dew point, K", abs(psychrolib.GetTDewPointFromRelHum(t, humidity) - dew), where)

print(f"{rows} points, ours against PsychroLib:")
for kind, (difference, where) in worst.items():
    print(f"  largest difference of {kind}: {difference:.2e} at {where}")
if other["count"]:
    print(f"  the other wet bulb near 0 degC: {other['count']} points of {min(other['dry'])} to {max(other['dry'])} degC, "
          f"at most {other['largest']:.3f} K apart; ours is a root to {other['residual']:.1e} of the humidity")
bad += [kind for kind, bound in (("wet bulb, K", WET_BULB), ("dew point, K", DEW_POINT)) if worst[kind][0] > bound]
if other["residual"] > 1e-6:
    bad.append("our wet bulb near 0 degC is no root")
if rows < 100_000 or bad:
    sys.exit(f"beyond the bounds: {rows} rows, {bad[:10]}")
