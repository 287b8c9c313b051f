"""Solves the year of the example `supply` by PyPSA with HiGHS, and compares cost and time. Fails where the costs are further apart than the
bound. The same programme: a store with links for both ways, generators by the hour, a link for what is fed in."""

import logging
import sys
import time
import warnings

import pandas
import pypsa

BOUND = 1e-4  # of the cost

logging.disable(logging.WARNING)
warnings.filterwarnings("ignore")
lines = sys.stdin.read().splitlines()
facts = {name: float(value) for _, name, value in (line.split() for line in lines if line.startswith("#"))}
rows = [line.split(",") for line in lines if not line.startswith("#")]
year = pandas.DataFrame(rows[1:], columns=rows[0]).astype(float)
year.index = pandas.date_range("2030-01-01", periods=len(year), freq="h", name="snapshot")


def build():
    n.set_snapshots(year.index)
    n.add("Bus", ["site", "battery", "market"])
    n.add("Load", "load", bus="site", p_set=year["load"])
    generator("import", year["import_max"], year["import_price"])
    for source in ("wind", "sun"):
        generator(source, facts[f"{source}_rated"] * year[source], facts[f"{source}_price"])
    generator("backup", facts["backup"], facts["backup_price"])
    generator("unserved", year["load"], facts["lost_load"])
    n.add("Generator", "buyer", bus="market", p_nom=1e6, p_min_pu=-1.0, p_max_pu=0.0)
    most = year["export_max"].max()
    n.add("Link", "export", bus0="site", bus1="market", p_nom=most, p_max_pu=year["export_max"] / most,
          marginal_cost=-year["export_price"])
    battery()


def generator(name, most, price):
    if isinstance(most, float):
        n.add("Generator", name, bus="site", p_nom=most, marginal_cost=price)
    else:
        n.add("Generator", name, bus="site", p_nom=most.max(), p_max_pu=most / most.max(), marginal_cost=price)


def battery():
    least = pandas.Series(0.0, index=year.index)
    least.iloc[-1] = facts["begin"] / facts["capacity"]
    n.add("Store", "store", bus="battery", e_nom=facts["capacity"], e_initial=facts["begin"], e_min_pu=least,
          standing_loss=facts["self_discharge"])
    n.add("Link", "charge", bus0="site", bus1="battery", p_nom=facts["charge"], efficiency=facts["charge_efficiency"])
    # A link is counted where energy goes in: what is let out of the store.
    way_out = facts["discharge_efficiency"]
    n.add("Link", "discharge", bus0="battery", bus1="site", p_nom=facts["discharge"] / way_out, efficiency=way_out,
          marginal_cost=facts["wear"] * way_out)


begun = time.monotonic()
n = pypsa.Network()
build()
built = time.monotonic()
status, condition = n.optimize(solver_name="highs", solver_options={"output_flag": False}, progress=False)
solved = time.monotonic()
if condition != "optimal":
    sys.exit(f"PyPSA ended as {status}, {condition}")
theirs, ours = n.objective, facts["cost"]
apart = max(abs(facts[of] - theirs) for of in ("cost", "carried_out")) / abs(theirs)
seconds = solved - begun
print(f"{len(year)} hours: PyPSA {pypsa.__version__} with HiGHS {theirs:,.2f} EUR in {seconds:.1f} s ({solved - built:.1f} s without the "
      f"building of the network), ours {ours:,.2f} EUR in {facts['milliseconds'] / 1e3:.4f} s; {apart:.1e} of the cost apart")
if not apart <= BOUND:
    sys.exit(f"further apart than {BOUND:.0e}")
