"""What was measured, for people (table, Markdown, plot) and programs (JSON)."""
import html
import json
import math
import statistics


class Result:
    """One figure: the samples of xvs and its peers by name, and what follows from their medians."""

    def __init__(self, figure, samples, notes):
        self.figure, self.samples, self.notes = figure, samples, notes
        self.medians = {who: statistics.median(values) for who, values in samples.items() if values}
        self.xvs = self.medians.get("xvs")
        self.ratios = {}
        for goal in figure.goals:
            peer = self.medians.get(goal.peer)
            if goal.peer and self.xvs is not None and peer:
                self.ratios[goal.peer] = self.xvs / peer

    def peers(self):
        return {goal.peer: self.medians.get(goal.peer) for goal in self.figure.goals if goal.peer}

    def met_goal(self, goal):
        """True, False, or None: unknown, or no goal."""
        value = self.ratios.get(goal.peer) if goal.peer else self.xvs
        if goal.factor is None or value is None:
            # A peer of which nothing passes is beaten by anything.
            return True if goal.factor is not None and goal.op == "≥" and self.medians.get(goal.peer) == 0 and self.xvs else None
        return value <= goal.factor if goal.op == "≤" else value >= goal.factor

    def met(self):
        if self.xvs is None:
            return False
        met = [self.met_goal(goal) for goal in self.figure.goals if goal.factor is not None]
        return False if False in met else None if None in met else True

    def goal_text(self):
        return "; ".join(goal_text(goal, self.figure.unit) for goal in self.figure.goals if goal.factor is not None)

    def as_json(self):
        f = self.figure
        return {"row": f.row, "part": f.part, "work": f.work, "unit": f.unit, "xvs": self.xvs, "peers": self.peers(),
                "ratios": self.ratios, "goal": self.goal_text(), "met": self.met(),
                "samples": {who: values for who, values in self.samples.items() if values}, "notes": self.notes}


def goal_text(goal, unit):
    if goal.factor is None:
        return ""
    return f"{goal.op} {goal.factor:g} × {goal.peer}" if goal.peer else f"{goal.op} {goal.factor:g} {unit}"


def number(value):
    if value is None:
        return "none"
    if value == 0 or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def spread(result, who):
    """Least and most of the samples: a ratio that is nearer to its goal than these are to each other decides nothing."""
    values = result.samples.get(who)
    return f"{number(min(values))}–{number(max(values))}" if values else ""


def lines(result):
    """Cells of a table: row, work, unit, xvs, range, peer, its figure, range, ratio, goal, met; one line per peer."""
    f, first = result.figure, True
    for goal in f.goals:
        ratio = result.ratios.get(goal.peer)
        met = {True: "yes", False: "no", None: "–" if goal.factor is None else "?"}[result.met_goal(goal)]
        if result.xvs is None and goal.factor is not None:
            met = "no"
        yield [f.row if first else "", f.work if first else "", f.unit if first else "", number(result.xvs) if first else "",
               spread(result, "xvs") if first else "", goal.peer, number(result.medians.get(goal.peer)) if goal.peer else "",
               spread(result, goal.peer) if goal.peer else "", number(ratio) if ratio is not None else "",
               f"{goal.op} {goal.factor:g}" if goal.factor is not None else "", met]
        first = False


HEADS = ["row", "work", "unit", "xvs", "range", "peer", "figure", "range", "ratio", "goal", "met"]
RIGHT = {3, 4, 6, 7, 8}


def table(results):
    cells = [HEADS] + [line for result in results for line in lines(result)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(HEADS))]
    out = []
    for line in cells:
        out.append("  ".join(c.rjust(w) if i in RIGHT else c.ljust(w) for i, (c, w) in enumerate(zip(line, widths))).rstrip())
    for result in results:
        out += [f"{result.figure.row}: {note}" for note in result.notes]
    return "\n".join(out)


def markdown(results):
    out = ["| " + " | ".join(HEADS) + " |", "|" + "|".join("---:" if i in RIGHT else "---" for i in range(len(HEADS))) + "|"]
    out += ["| " + " | ".join(line) + " |" for result in results for line in lines(result)]
    return "\n".join(out) + "\n"


def to_json(results):
    return json.dumps([result.as_json() for result in results], indent=1, ensure_ascii=False) + "\n"


# --- the plot ---

LINE, LEFT, SCALE, RIGHT_EDGE, TOP = 20, 470, 300, 880, 44
LEAST, MOST = 0.1, 30


def _x(value):
    value = min(max(value, LEAST), MOST)
    return LEFT + SCALE * (math.log10(value) - math.log10(LEAST)) / (math.log10(MOST) - math.log10(LEAST))


def svg(results, title):
    """A bar per peer: how many times better xvs is; 1 is as good, the stroke is the goal. Logarithmic."""
    bars = []
    for result in results:
        for goal in result.figure.goals:
            if goal.peer in result.ratios and goal.factor:
                better = result.ratios[goal.peer] if goal.op == "≥" else 1 / max(result.ratios[goal.peer], 1e-9)
                wanted = goal.factor if goal.op == "≥" else 1 / goal.factor
                bars.append((result, goal, better, wanted))
    height = TOP + LINE * len(bars) + 30
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {RIGHT_EDGE} {height}" font-family="sans-serif" font-size="12">',
           f'<rect width="{RIGHT_EDGE}" height="{height}" fill="white"/>',
           f'<text x="10" y="18" font-size="14">{html.escape(title)}</text>']
    for mark in 0.1, 0.3, 1, 3, 10, 30:
        out.append(f'<line x1="{_x(mark):.1f}" y1="{TOP - 8}" x2="{_x(mark):.1f}" y2="{height - 26}" stroke="{"#555" if mark == 1 else "#ddd"}"/>')
        out.append(f'<text x="{_x(mark):.1f}" y="{TOP - 12}" text-anchor="middle" fill="#555">{mark:g}×</text>')
    for i, (result, goal, better, wanted) in enumerate(bars):
        y, ok = TOP + LINE * i, better >= wanted * 0.999
        left, right = sorted((_x(1), _x(better)))
        label = f"{result.figure.row}  {result.figure.work}, {goal.peer}"
        out.append(f'<text x="{LEFT - 8}" y="{y + 13}" text-anchor="end">{html.escape(label[:74])}</text>')
        out.append(f'<rect x="{left:.1f}" y="{y + 3}" width="{max(right - left, 1):.1f}" height="{LINE - 7}" fill="{"#3a7d44" if ok else "#b5532a"}"/>')
        out.append(f'<line x1="{_x(wanted):.1f}" y1="{y}" x2="{_x(wanted):.1f}" y2="{y + LINE - 1}" stroke="black" stroke-width="2"/>')
        out.append(f'<text x="{LEFT + SCALE + 10}" y="{y + 13}">{better:.2f}× of {wanted:.2f}×</text>')
    out.append(f'<text x="10" y="{height - 8}" fill="#555">times better than the peer (black stroke: goal; green: reached)</text>')
    return "\n".join(out + ["</svg>"]) + "\n"
